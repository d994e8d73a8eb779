"""What a fault is, and what every service has to go through with it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Final

import msgspec
from tests.faults.cluster import Cluster
from tests.faults.place import Answer, Options, Place
from tests.faults.world import ASKS, RIGHT, Ask, End, expected

BOTH: Final = ("file", "db")
_RECOVERY_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.005


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that breaks.

    Attributes:
        id: Its name in the table.
        what: What is broken.
        broken: Breaks it on the way in, mends it on the way out.
        paths: On which paths.
        ends: By question, the ends that an answer may have meanwhile; the right answer where a
            question is not named.
        rest: The ends of the questions that are not named.
        at_start: Whether the service is started into the fault, in place of being hit by it.
        alarm: Whether the store's health has to tell of it; None where it may.
        deadline: Seconds that an answer may take; the query time-out of the db path, too.
        dev: Whether the dev fallback is on.
        breaker: Failures that open the breaker.
        rounds: How often everything is asked meanwhile.
        keeps_tables: Whether the tables are afterwards just what they were: others may go on there.
    """

    id: str
    what: str
    broken: Callable[[Place], AbstractAsyncContextManager[None]]
    paths: tuple[str, ...] = BOTH
    ends: Mapping[Ask, tuple[End, ...]] = {}
    rest: tuple[End, ...] = (RIGHT,)
    at_start: bool = False
    alarm: bool | None = False
    deadline: float = 1.0
    dev: bool = False
    breaker: int = 1000
    rounds: int = 2
    keeps_tables: bool = True


class Row(msgspec.Struct, frozen=True):
    """One line of the table; times in ms."""

    id: str
    path: str
    what: str
    got: str
    worst: float
    recovered: float


async def endure(fault: Fault, path: str, cluster: Cluster) -> Row:
    """Break a sound service, look at every answer, mend it, and wait until it is right again."""
    options = Options(
        path=path,
        query_timeout=fault.deadline,
        dev=fault.dev,
        breaker=fault.breaker,
        bound=10 * fault.deadline,
        own_database=not fault.keeps_tables,
    )
    answers: list[Answer] = []
    async with Place.opened(options, cluster) as place:
        if not fault.at_start:
            await place.start()
            await _right_again(place)
        async with fault.broken(place):
            if fault.at_start:
                await place.start()
            for _ in range(fault.rounds):
                answers += await place.ask_all()
            alarmed = place.alarmed
        mended = time.perf_counter()
        # Judged once it is mended: a failure is to leave a sound server to the faults that follow.
        _check(fault, path, answers)
        assert fault.alarm in {None, alarmed}
        later = await _right_again(place, fault)
        recovered = (time.perf_counter() - mended) * 1000
        assert not place.alarmed
    worst = max(answer.took for answer in [*answers, *later])
    return Row(fault.id, path, fault.what, _summary(answers), worst, recovered)


def _check(fault: Fault, path: str, answers: list[Answer]) -> None:
    for ask in ASKS:
        ends = fault.ends.get(ask, fault.rest)
        allowed = [expected(ask, end, path) for end in ends]
        for answer in answers:
            if answer.ask is ask:
                assert answer.decision in allowed, (ask.name, answer.decision, allowed)


async def _right_again(place: Place, fault: Fault | None = None) -> list[Answer]:
    """Ask until every answer is right; until then only what the fault allows may come."""
    path = place.options.path
    seen: list[Answer] = []
    end = time.monotonic() + _RECOVERY_SECONDS
    while True:
        answers = await place.ask_all()
        seen += answers
        wrong = [a for a in answers if a.decision != expected(a.ask, RIGHT, path)]
        if not wrong:
            return seen
        if fault is not None:
            _check(fault, path, wrong)
        assert time.monotonic() < end, wrong
        await asyncio.sleep(_POLL_SECONDS)


def _summary(answers: list[Answer]) -> str:
    counts = Counter(map(_label, answers))
    return ", ".join(f"{count} {label}" for label, count in counts.most_common())


def _label(answer: Answer) -> str:
    said = answer.decision
    if said == expected(answer.ask, RIGHT, said["meta"]["backing_state"]):
        return "right"
    if said["decision"] == "allow" and said["warnings"]:
        return f"allow with {', '.join(said['warnings'])}"
    return f"{said['decision']} {said['reason']}"
