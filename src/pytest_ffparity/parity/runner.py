"""Runs one vector on every path and judges it."""

from __future__ import annotations

from typing import Any

from pytest_ffparity.parity import session
from pytest_ffparity.parity.compare import Divergence, compare
from pytest_ffparity.parity.explain import explained
from pytest_ffparity.parity.judgement import Judgement, PathResult, digest
from pytest_ffparity.parity.path import Path
from pytest_ffparity.parity.run import Run
from pytest_ffparity.parity.stress import stress
from pytest_ffparity.vectors.model import StressVector, Vector


async def judge(run: Run, file: str, vector: Vector | StressVector) -> Judgement:
    """Run a vector on every path, compare, and put the judgement on record."""
    if isinstance(vector, StressVector):
        paths, divergences, figures = await stress(run, vector)
    else:
        figures = None
        paths, divergences = await _single(run, vector)
    return Judgement(
        run=run.nonce,
        file=file,
        id=vector.id,
        digest=digest(vector),
        paths=paths,
        divergences=tuple(map(explained, divergences)),
        stress=figures,
    )


async def _single(run: Run, vector: Vector) -> tuple[dict[str, PathResult], list[Divergence]]:
    request = run.materialise(vector.request, vector.world)
    results: dict[str, PathResult] = {}
    for path in run.paths:
        results[path.name] = await _asked(run, path, vector.world, request)
    answers = {name: r.decision for name, r in results.items() if r.decision is not None}
    divergences = compare(vector.expected, answers, run.matrix) if answers else []
    return results, divergences


async def _asked(run: Run, path: Path, world: Any, request: Any) -> PathResult:
    problem = await session.prepare(path, world, run.deadline_s)
    if problem is not None:
        return PathResult(error=problem, info=session.info(path))
    answer = await session.ask(path, request, run.deadline_s)
    reply = session.read(answer)
    return PathResult(
        decision=reply.decision,
        error=reply.error,
        latency_ms=answer.elapsed_ns / 1e6,
        info=session.info(path),
    )
