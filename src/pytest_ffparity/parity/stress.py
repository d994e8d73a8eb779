"""Runs a stress vector: many calls at a stated concurrency, every answer judged, p99 gated."""

from __future__ import annotations

import asyncio
import gc
import random
import time
from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec

from pytest_ffparity.parity import session
from pytest_ffparity.parity.judgement import (
    Judgement,
    Load,
    PathResult,
    PhaseLoad,
    StressResult,
    Subject,
)
from pytest_ffparity.parity.opening import opened
from pytest_ffparity.parity.path import Path, Question
from pytest_ffparity.parity.percentiles import Latency, histogram, latency
from pytest_ffparity.parity.run import Run
from pytest_ffparity.parity.tally import Tally, wavering
from pytest_ffparity.vectors.model import Phase, StressVector

_LOST: Final = session.Answer(None, "the call never ended: its task was cancelled from within", 0)


_UNTIMED: Final = (
    "a recording can't be timed: run the stress vectors without it, and the others in a run with it"
)


class _Times(msgspec.Struct):
    """One phase on one path: the time of each call, and of the whole phase."""

    phase: str
    calls_ns: list[int]
    wall_ns: int


async def stress(run: Run, subject: Subject, vector: StressVector) -> Judgement:
    """Run all phases on every path, and judge every answer and the times."""
    times: dict[str, list[_Times]] = {path.name: [] for path in run.paths}
    tally = Tally(times, run.matrix)
    for path in run.paths:
        if session.recalls(path):
            tally.errors[path.name].append(_UNTIMED)
    calls: Counter[str] = Counter()
    open_ways: dict[str, None] = {}
    for phase in vector.stress.phases:
        schedule = _schedule(vector.id, phase)
        questions = [
            run.question(vector.id, f"{phase.name}/{c.id}", c.request, phase.world)
            for c in phase.mix
        ]
        replies: dict[str, list[session.Reply]] = {}
        for path in run.paths:
            if session.recalls(path):
                continue
            problem = await session.prepare(path, phase.world, run.deadline_s)
            if problem is not None:
                tally.errors[path.name].append(f"{phase.name}: {problem}")
                continue
            run.progress(f"{vector.id}: phase {phase.name} on {path.name}")
            started = time.perf_counter_ns()
            answers = await _burst(run, path, questions, schedule, vector.stress.concurrency)
            wall_ns = time.perf_counter_ns() - started
            calls_ns = [answer.elapsed_ns for answer in answers]
            times[path.name].append(_Times(phase.name, calls_ns, wall_ns))
            replies[path.name] = [session.read(answer) for answer in answers]
        for call, index in enumerate(schedule):
            case, name = phase.mix[index], str(questions[index].case)
            calls[name] += 1
            given = {path: listed[call] for path, listed in replies.items()}
            if given and tally.add(name, case.expected, given, apart=True):
                decided = {n: r.decision for n, r in given.items() if r.decision is not None}
                ways = opened(case.expected, decided, phase.world, case.request)
                open_ways |= dict.fromkeys(ways)
    divergences, unstable = wavering(tally.divergences, calls)
    return Judgement(
        run=run.nonce,
        file=subject.file,
        id=subject.id,
        digest=subject.digest,
        paths={
            path.name: PathResult(error=tally.first_error(path.name), info=session.info(path))
            for path in run.paths
        },
        divergences=tuple(divergences),
        unstable=tuple(unstable),
        stress=_figures(vector, times, tally.errors),
        decisions=calls.total(),
        opened=tuple(open_ways),
    )


def _schedule(vector_id: str, phase: Phase) -> list[int]:
    """Give the index into the mix for each call: shares by weight, shuffled, always the same."""
    one_round = [i for i, case in enumerate(phase.mix) for _ in range(case.weight)]
    rounds = -(-phase.calls // len(one_round))
    schedule = (one_round * rounds)[: phase.calls]
    random.Random(f"{vector_id}/{phase.name}").shuffle(schedule)  # noqa: S311 - no secret
    return schedule


async def _burst(
    run: Run, path: Path, questions: Sequence[Question], schedule: Sequence[int], concurrency: int
) -> list[session.Answer]:
    answers = [_LOST] * len(schedule)
    calls = iter(range(len(schedule)))

    async def caller() -> None:
        for call in calls:
            answers[call] = await session.ask(path, questions[schedule[call]], run.deadline_s)
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
            missed.append(f"{name}: not measured, because no phase could be run")
            continue
        samples = [ns for phase in measured for ns in phase.calls_ns]
        whole = latency(samples)
        phases = tuple(PhaseLoad(phase.phase, latency(phase.calls_ns)) for phase in measured)
        loads[name] = Load(
            latency=whole,
            concurrency=vector.stress.concurrency,
            throughput_per_s=whole.n * 1e9 / sum(phase.wall_ns for phase in measured),
            errors=len(errors[name]),
            phases=phases,
            histogram=histogram(samples),
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
