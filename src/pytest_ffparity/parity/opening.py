"""Tells where a deny became an allow: the one divergence that nobody may waive."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pytest_ffparity.formats.strict_json import same
from pytest_ffparity.parity.compare import Document

_DENY: Final = "deny"
_ALLOW: Final = "allow"


def opened(
    expected: Document | None, answers: Mapping[str, Document], world: Any, request: Any
) -> tuple[str, ...]:
    """Name the paths that let through what the expectation or the first path does not.

    A flag that the world plainly calls not sensitive is left out of account. One that it says
    nothing of counts as sensitive: nobody can vouch for it.

    Args:
        expected: The vector's expectation, or None.
        answers: Each path's decision; the first is what the others are held against.
        world: The vector's world.
        request: The request.
    """
    references = [*([] if expected is None else [expected]), *list(answers.values())[:1]]
    found = tuple(
        name for name, each in answers.items() if any(_opens(each, ref) for ref in references)
    )
    sides = [*references, *answers.values()]
    if found and _plainly_not_sensitive(world, request) and not any(map(_guarded, sides)):
        return ()
    return found


def _opens(answer: Document, reference: Document) -> bool:
    """Tell whether an answer lets through what a reference does not."""
    if _reads(reference, _DENY):
        if answer.get("decision") == _DENY or same(answer.get("decision"), reference["decision"]):
            # A client that reads the value alone is let through by another value.
            return "value" in reference and not same(answer.get("value"), reference["value"])
        return True
    # No decision, or an odd one, allows nothing either.
    return _reads(answer, _ALLOW) and not _reads(reference, _ALLOW)


def _reads(decision: Document, word: str) -> bool:
    said = decision.get("decision")
    return isinstance(said, str) and said.strip().casefold() == word


def _plainly_not_sensitive(world: Any, request: Any) -> bool:
    if not isinstance(world, Mapping) or not isinstance(request, Mapping):
        return False
    # What the records above say may not be what is stored.
    if world.get("writes") or world.get("corrupt"):
        return False
    flags, key = world.get("flags"), request.get("flag_key")
    found = [
        flag
        for flag in (flags if isinstance(flags, list) else ())
        if isinstance(flag, Mapping) and flag.get("flag_key") == key
    ]
    return isinstance(key, str) and len(found) == 1 and found[0].get("sensitive", False) is False


def _guarded(decision: Document) -> bool:
    """Tell whether a decision itself shows that the guard of a sensitive flag had its say."""
    chain = decision.get("reason_chain")
    return any(
        step.get("rule") == "sensitive_overlay" and step.get("outcome") != "not_sensitive"
        for step in (chain if isinstance(chain, Iterable) and not isinstance(chain, str) else ())
        if isinstance(step, Mapping)
    )
