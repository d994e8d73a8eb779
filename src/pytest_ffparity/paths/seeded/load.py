"""Faults that only many callers at once, or one world after another, bring to light."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from typing import Any

from pytest_ffparity.paths.builtin import BuiltinPath
from pytest_ffparity.paths.seeded.fault import Ask, Fault, Seed, SeededPath


def _asking(make: Callable[[BuiltinPath], Ask]) -> Seed:
    return lambda path: SeededPath(path, make(path))


def _another_requests_answer(path: BuiltinPath) -> Ask:
    """Hand each answer to whoever asked last."""
    latest: list[Any] = []

    async def ask(request: Any) -> Any:
        latest[:] = [request]
        await asyncio.sleep(0)
        return await path.evaluate(latest[0])

    return ask


def _shared_answer(path: BuiltinPath) -> Ask:
    """Keep one answer for all callers, and write each new one over it."""
    shared: dict[str, Any] = {}

    async def ask(request: Any) -> Any:
        shared.update((await path.evaluate(request)).to_dict())
        await asyncio.sleep(0)
        return shared

    return ask


def _torn(path: BuiltinPath) -> Ask:
    """Put the value of the answer before into every answer."""
    before: list[Any] = []

    async def ask(request: Any) -> Any:
        answer = (await path.evaluate(request)).to_dict()
        value = answer["value"]
        if before:
            answer["value"] = before.pop()
        before.append(value)
        return answer

    return ask


def _cached_by_flag(path: BuiltinPath) -> Ask:
    """Cache decisions under the flag alone."""
    cache: dict[str, dict[str, Any]] = {}

    async def ask(request: Any) -> Any:
        key = request["flag_key"]
        if key not in cache:
            cache[key] = (await path.evaluate(request)).to_dict()
        return dict(cache[key])

    return ask


def _every(nth: int, change: Callable[[dict[str, Any]], None]) -> Callable[[BuiltinPath], Ask]:
    def make(path: BuiltinPath) -> Ask:
        calls = itertools.count(1)

        async def ask(request: Any) -> Any:
            answer = (await path.evaluate(request)).to_dict()
            if next(calls) % nth == 0:
                change(answer)
            return answer

        return ask

    return make


def _failing(path: BuiltinPath) -> Ask:
    calls = itertools.count(1)

    async def ask(request: Any) -> Any:
        if next(calls) % 40 == 0:
            raise ConnectionError("the pool is exhausted")
        return await path.evaluate(request)

    return ask


def _stale_snapshot(path: BuiltinPath) -> SeededPath:
    """Fill the store with the records as they were before the first flag was changed."""

    async def prepare(world: Any) -> None:
        flags = [
            {**flag, "default_value": not flag["default_value"]} for flag in world["flags"][:1]
        ]
        first = {**world, "flags": flags + world["flags"][1:]}
        await path.prepare(first)

    return SeededPath(path, prepare=prepare)


def _fault(name: str, why: str, rows: str, seed: Seed, probe: str = "load", **more: Any) -> Fault:
    listed = tuple(rows.split())
    return Fault(
        name=name, level="concurrency", why=why, rows=listed, probes=(probe,), seed=seed, **more
    )


def faults() -> Iterator[Fault]:
    """Give the faults of the concurrency level."""
    yield _fault(
        "another-requests-answer",
        "A request is kept in a place that all callers share",
        "PV-01 PV-02",
        _asking(_another_requests_answer),
    )
    yield _fault(
        "shared-answer", "One object is given to all callers", "PV-01", _asking(_shared_answer)
    )
    yield _fault("torn-answer", "An answer is put together from two", "PV-01", _asking(_torn))
    yield _fault(
        "cached-by-flag",
        "Decisions are cached without the tenant",
        "PV-01",
        _asking(_cached_by_flag),
    )
    yield _fault(
        "one-in-fifty-denied",
        "A time-out now and then denies",
        "PV-01",
        _asking(_every(50, lambda answer: answer.update(decision="deny"))),
    )
    yield _fault(
        "pool-exhausted", "A call in forty finds no connection", "", _asking(_failing), raises=True
    )
    yield _fault(
        "stale-snapshot",
        "Records as they were before the last change",
        "PV-01 PV-07",
        _stale_snapshot,
        "default",
    )
