"""Asks one path one or many requests in one world, twice, so that it can be held against itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from pytest_ffparity.formats.strict_json import canonical, same
from pytest_ffparity.parity import session
from pytest_ffparity.parity.compare import Document
from pytest_ffparity.parity.path import Path, Question
from pytest_ffparity.parity.run import Run
from pytest_ffparity.parity.session import Reply
from pytest_ffparity.parity.stability import Unstable, drifted, unstable


class Replied(msgspec.Struct, frozen=True):
    """What one path replied to each question, and where it disagreed with itself.

    `again` has its decisions of the second time, None where there is none.
    """

    replies: list[Reply]
    again: list[dict[str, Any] | None]
    shaky: list[tuple[Unstable, ...]]
    latencies_ms: list[float | None]


async def asked_twice(run: Run, path: Path, world: Any, questions: Sequence[Question]) -> Replied:
    """Ask every question in one world, and once more in the same world made afresh.

    A path that could not be prepared, or raised, the first time is not asked again: an error is
    on record then.
    """
    replies, latencies = await _round(run, path, world, questions)
    sound = [q for q, reply in zip(questions, replies, strict=True) if reply.error is None]
    rest = iter((await _round(run, path, world, sound))[0] if sound else ())
    again = [next(rest) if reply.error is None else None for reply in replies]
    shaky = [
        () if second is None else _against_itself(run, path, first, second)
        for first, second in zip(replies, again, strict=True)
    ]
    seconds = [None if second is None else second.decision for second in again]
    return Replied(replies, seconds, shaky, latencies)


def shaky_at(
    run: Run, replied: Mapping[str, Replied], place: int, expected: Document | None
) -> list[Unstable]:
    """Say in what the paths disagreed with themselves at one question."""
    found = [one for each in replied.values() for one in each.shaky[place]]
    first = {name: each.replies[place].decision for name, each in replied.items()}
    second = {name: each.again[place] for name, each in replied.items()}
    one = {name: decision for name, decision in first.items() if decision is not None}
    other = {name: decision for name, decision in second.items() if decision is not None}
    if found or len(other) < len(replied):
        return found
    return drifted(expected, one, other, run.matrix)


async def asked_once(run: Run, world: Any, questions: Sequence[Question]) -> list[dict[str, Reply]]:
    """Ask every path every question in one world, and give each question's replies by path."""
    rounds = {path.name: (await _round(run, path, world, questions))[0] for path in run.paths}
    return [
        {name: replies[place] for name, replies in rounds.items()}
        for place in range(len(questions))
    ]


def apart(paths: Sequence[Path]) -> list[str]:
    """Say where the writes of the world that was asked in last came to different ends."""
    ends = [(path.name, session.outcomes(path)) for path in paths]
    told = [(name, end) for name, end in ends if end is not None]
    return [
        f"the world's writes came to different ends: {told[0][0]} {canonical(told[0][1])}, "
        f"{name} {canonical(end)}"
        for name, end in told[1:]
        if not same(end, told[0][1])
    ]


async def _round(
    run: Run, path: Path, world: Any, questions: Sequence[Question]
) -> tuple[list[Reply], list[float | None]]:
    problem = await session.prepare(path, world, run.deadline_s)
    if problem is not None:
        return [Reply(None, problem) for _ in questions], [None for _ in questions]
    replies: list[Reply] = []
    latencies: list[float | None] = []
    for question in questions:
        answer = await session.ask(path, question, run.deadline_s)
        replies.append(session.read(answer))
        latencies.append(answer.elapsed_ns / 1e6)
    return replies, latencies


def _against_itself(run: Run, path: Path, first: Reply, second: Reply) -> tuple[Unstable, ...]:
    if first.decision is None or second.decision is None:
        told = f"it answered, and raised when it was asked again: {second.error}"
        return (Unstable(path=path.name, field="", rule="unstable", error=told),)
    return unstable(path.name, first.decision, second.decision, run.matrix)
