"""Shrinks what diverged to the smallest world and requests that still show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from pytest_ffparity.errors import FFParityError
from pytest_ffparity.parity.asking import apart, asked_once
from pytest_ffparity.parity.compare import Divergence, compare
from pytest_ffparity.parity.explain import explained
from pytest_ffparity.parity.judgement import Example
from pytest_ffparity.parity.reduce import reduced
from pytest_ffparity.parity.run import Run
from pytest_ffparity.parity.session import Reply, recalls

# What tells one kind of divergence from another: the row and field, or the path that raised.
Mark: TypeAlias = tuple[str, str]
RAISED: Final = "raised"
# The writes of the world came to different ends, whatever was asked then.
WRITES: Final[Mark] = ("writes", "")


def marks(run: Run, replies: Mapping[str, Reply]) -> tuple[list[Divergence], list[Mark]]:
    """Compare the replies to one request with each other, and mark what is wrong."""
    answers = {name: r.decision for name, r in replies.items() if r.decision is not None}
    raised = [(RAISED, name) for name, reply in replies.items() if reply.decision is None]
    found = compare(None, answers, run.matrix) if answers else []
    # What every path refuses alike is a bad question, and no divergence.
    told = [] if len(raised) == len(replies) else raised
    return found, [*told, *((d.rule, d.field) for d in found)]


async def smallest(  # noqa: PLR0913 - what to shrink, and how
    run: Run,
    case: str,
    world: Any,
    requests: Sequence[Any],
    mark: Mark,
    *,
    whole_texts: bool = False,
) -> Example | None:
    """Shrink requests, of which the last shows the mark, and their world.

    Returns:
        The smallest example, or None where the mark does not show again.
    """
    first = run.paths[0].name

    async def shows(document: Any) -> bool:
        if not _sound(document):
            return False
        try:
            given = await asked(run, document["world"], document["requests"])
            # What comes before has to be sound: an example is kept by what the first path answers.
            sound = given if mark == WRITES else given[:-1]
            before = all(replies[first].decision is not None for replies in sound)
            return before and mark in _marked(run, given[-1])
        except FFParityError:  # with a piece left out, no token can be made of a request
            return False

    start = {"world": world, "requests": [requests[-1]]}
    if not await shows(start):
        start = {"world": world, "requests": list(requests)}
        if len(requests) == 1 or not await shows(start):
            return None
    document = await reduced(start, shows, whole_texts=whole_texts)
    replies = (await asked(run, document["world"], document["requests"]))[-1]
    if mark not in _marked(run, replies):
        return None
    divergences, _ = marks(run, replies)
    return Example(
        case=f"{case}: {apart(run.paths)[0]}" if mark == WRITES else case,
        world=document["world"],
        requests=document["requests"],
        divergences=tuple(map(explained, divergences)),
        raised={name: str(r.error) for name, r in replies.items() if r.error is not None},
    )


async def again(
    run: Run, world: Any, requests: Sequence[Any]
) -> tuple[list[Divergence], list[Mark]]:
    """Ask for requests once more in a fresh world, and mark what is wrong with the last one."""
    return marks(run, (await asked(run, world, requests))[-1])


async def asked(run: Run, world: Any, requests: Sequence[Any]) -> list[dict[str, Reply]]:
    """Ask every path for requests of an example, in a fresh world; but no recording knows them."""
    questions = [run.question("", str(n), r, world) for n, r in enumerate(requests)]
    live = [path for path in run.paths if not recalls(path)]
    return await asked_once(msgspec.structs.replace(run, paths=live), world, questions)


def _marked(run: Run, replies: Mapping[str, Reply]) -> list[Mark]:
    """Mark what is wrong with the last request of the world that the paths are in."""
    writes = [WRITES] if apart(run.paths) else []
    return [*marks(run, replies)[1], *writes]


def _sound(document: Any) -> bool:
    """Tell whether a reduced document is still a world and requests."""
    return (
        isinstance(document, dict)
        and "world" in document
        and isinstance(document.get("requests"), list)
        and bool(document["requests"])
    )
