"""Tells where a deny became an allow: the one divergence that nobody may waive."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pytest_ffparity.parity.compare import Document

_DENY: Final = "deny"


def opened(
    expected: Document | None, answers: Mapping[str, Document], world: Any, request: Any
) -> tuple[str, ...]:
    """Name the paths that do not deny what the expectation or the first path denies.

    A flag that the world plainly calls not sensitive is left out of account. One that it says
    nothing of counts as sensitive: nobody can vouch for it.

    Args:
        expected: The vector's expectation, or None.
        answers: Each path's decision; the first is what the others are held against.
        world: The vector's world.
        request: The request.
    """
    references = [*([] if expected is None else [expected]), *list(answers.values())[:1]]
    if not any(each.get("decision") == _DENY for each in references):
        return ()
    sides = [*references, *answers.values()]
    if _plainly_not_sensitive(world, request) and not any(map(_guarded, sides)):
        return ()
    return tuple(name for name, each in answers.items() if each.get("decision") != _DENY)


def _plainly_not_sensitive(world: Any, request: Any) -> bool:
    if not isinstance(world, Mapping) or not isinstance(request, Mapping):
        return False
    if world.get("writes"):
        return False
    flags = world.get("flags")
    found = [
        flag
        for flag in (flags if isinstance(flags, list) else ())
        if isinstance(flag, Mapping) and flag.get("flag_key") == request.get("flag_key")
    ]
    return len(found) == 1 and found[0].get("sensitive", False) is False


def _guarded(decision: Document) -> bool:
    """Tell whether a decision itself shows that the guard of a sensitive flag had its say."""
    chain = decision.get("reason_chain")
    return any(
        step.get("rule") == "sensitive_overlay" and step.get("outcome") != "not_sensitive"
        for step in (chain if isinstance(chain, Iterable) and not isinstance(chain, str) else ())
        if isinstance(step, Mapping)
    )
