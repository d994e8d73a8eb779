"""Runs a stress vector: many calls at a stated concurrency, every answer judged, p99 gated."""

from __future__ import annotations

import asyncio
import gc
import random
import time
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from pytest_ffparity.parity import session
from pytest_ffparity.parity.compare import Breach, Divergence, compare
from pytest_ffparity.parity.judgement import Load, PathResult, PhaseLoad, StressResult
from pytest_ffparity.parity.path import Path
from pytest_ffparity.parity.percentiles import Latency, latency
from pytest_ffparity.parity.run import Run
from pytest_ffparity.vectors.model import Phase, StressVector

_LOST: Final = session.Answer(None, "the call never ended: its task was cancelled from within", 0)


class _Times(msgspec.Struct):
    """One phase on one path: the time of each call, and of the whole phase."""

    phase: str
    calls_ns: list[int]
    wall_ns: int


class _Tally:
    """What went wrong so far: divergences by case, field and breach; errors by path."""

    def __init__(self, run: Run) -> None:
        self._matrix = run.matrix
        self.errors: dict[str, list[str]] = {path.name: [] for path in run.paths}
        self.divergences: dict[tuple[str, str, tuple[Breach, ...]], Divergence] = {}

    def judge(
        self, phase: Phase, schedule: Sequence[int], replies: dict[str, list[session.Reply]]
    ) -> None:
        """Judge every call of a phase, like any vector's."""
        for call, index in enumerate(schedule):
            case = phase.mix[index]
            label = f"{phase.name}/{case.id}"
            answers = {}
            for name, listed in replies.items():
                reply = listed[call]
                if reply.decision is None:
                    self.errors[name].append(f"{label}: {reply.error}")
                else:
                    answers[name] = reply.decision
            if answers:
                self._add(label, compare(case.expected, answers, self._matrix))

    def _add(self, label: str, divergences: list[Divergence]) -> None:
        for divergence in divergences:
            key = (label, divergence.field, divergence.broken)
            first = self.divergences.get(key)
            self.divergences[key] = msgspec.structs.replace(
                first or divergence, case=label, count=first.count + 1 if first else 1
            )


async def stress(
    run: Run, vector: StressVector
) -> tuple[dict[str, PathResult], list[Divergence], StressResult]:
    """Run all phases on every path; gives results, divergences by case and field, and figures."""
    times: dict[str, list[_Times]] = {path.name: [] for path in run.paths}
    tally = _Tally(run)
    for phase in vector.stress.phases:
        schedule = _schedule(vector.id, phase)
        requests = [run.materialise(case.request, phase.world) for case in phase.mix]
        replies: dict[str, list[session.Reply]] = {}
        for path in run.paths:
            problem = await session.prepare(path, phase.world, run.deadline_s)
            if problem is not None:
                tally.errors[path.name].append(f"{phase.name}: {problem}")
                continue
            started = time.perf_counter_ns()
            answers = await _burst(run, path, requests, schedule, vector.stress.concurrency)
            wall_ns = time.perf_counter_ns() - started
            calls_ns = [answer.elapsed_ns for answer in answers]
            times[path.name].append(_Times(phase.name, calls_ns, wall_ns))
            replies[path.name] = [session.read(answer) for answer in answers]
        tally.judge(phase, schedule, replies)
    results = {
        path.name: PathResult(error=_first(tally.errors[path.name]), info=session.info(path))
        for path in run.paths
    }
    figures = _figures(vector, times, tally.errors)
    return results, list(tally.divergences.values()), figures


def _schedule(vector_id: str, phase: Phase) -> list[int]:
    """Give the index into the mix for each call: shares by weight, shuffled, always the same."""
    one_round = [i for i, case in enumerate(phase.mix) for _ in range(case.weight)]
    rounds = -(-phase.calls // len(one_round))
    schedule = (one_round * rounds)[: phase.calls]
    random.Random(f"{vector_id}/{phase.name}").shuffle(schedule)  # noqa: S311 - no secret
    return schedule


async def _burst(
    run: Run, path: Path, requests: Sequence[Any], schedule: Sequence[int], concurrency: int
) -> list[session.Answer]:
    answers = [_LOST] * len(schedule)
    calls = iter(range(len(schedule)))

    async def caller() -> None:
        for call in calls:
            answers[call] = await session.ask(path, requests[schedule[call]], run.deadline_s)
            # A path that never awaits would make the callers take turns by the thousand.
            await asyncio.sleep(0)

    # What the harness holds is not the paths' to walk through: a full collection over it stops
    # every call in flight for hundreds of milliseconds.
    gc.collect()
    gc.freeze()
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(concurrency):
                group.create_task(caller())
    finally:
        gc.unfreeze()
    return answers


def _figures(
    vector: StressVector, times: dict[str, list[_Times]], errors: dict[str, list[str]]
) -> StressResult:
    limit = vector.stress.p99_ms
    loads: dict[str, Load] = {}
    missed: list[str] = []
    for name, measured in times.items():
        if not measured:
            missed.append(f"{name}: not measured, because no phase could be prepared")
            continue
        whole = latency([ns for phase in measured for ns in phase.calls_ns])
        phases = tuple(PhaseLoad(phase.phase, latency(phase.calls_ns)) for phase in measured)
        loads[name] = Load(
            latency=whole,
            concurrency=vector.stress.concurrency,
            throughput_per_s=whole.n * 1e9 / sum(phase.wall_ns for phase in measured),
            errors=len(errors[name]),
            phases=phases,
        )
        missed += _missed(name, whole, phases, limit)
    return StressResult(limit, loads, tuple(missed))


def _missed(name: str, whole: Latency, phases: tuple[PhaseLoad, ...], limit_ms: float) -> list[str]:
    measured = [("over all phases", whole), *((f"in {p.name}", p.latency) for p in phases)]
    return [
        f"{name}: p99 {figures.p99_ms:.3f} ms {where} is not under {limit_ms:g} ms"
        for where, figures in measured
        if not figures.p99_ms < limit_ms
    ]


def _first(errors: list[str]) -> str | None:
    if not errors:
        return None
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return errors[0] + more
