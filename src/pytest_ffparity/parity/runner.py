"""Runs one vector on every path and judges it."""

from __future__ import annotations

import msgspec

from pytest_ffparity.parity import session
from pytest_ffparity.parity.asking import Replied, apart, asked_twice, shaky_at
from pytest_ffparity.parity.cases import judge_cases
from pytest_ffparity.parity.explain import explained
from pytest_ffparity.parity.judgement import Judgement, PathResult, Subject, digest
from pytest_ffparity.parity.opening import opened
from pytest_ffparity.parity.run import Run
from pytest_ffparity.parity.stress import stress
from pytest_ffparity.parity.tally import Tally
from pytest_ffparity.vectors.model import AnyVector, CasesVector, StressVector, Vector


async def judge(run: Run, file: str, vector: AnyVector) -> Judgement:
    """Run a vector on every path, compare, and put the judgement on record."""
    subject = Subject(file, vector.id, digest(vector))
    if isinstance(vector, StressVector):
        found = await stress(run, subject, vector)
    elif isinstance(vector, CasesVector):
        found = await judge_cases(run, subject, vector)
    else:
        found = await _single(run, subject, vector)
    divergences = tuple(map(explained, found.divergences))
    return msgspec.structs.replace(found, divergences=divergences)


async def _single(run: Run, subject: Subject, vector: Vector) -> Judgement:
    question = run.question(vector.id, None, vector.request, vector.world)
    replied = {
        path.name: await asked_twice(run, path, vector.world, [question]) for path in run.paths
    }
    tally = Tally(replied, run.matrix)
    replies = {name: each.replies[0] for name, each in replied.items()}
    shaky = shaky_at(run, replied, 0, vector.expected)
    tally.add(vector.id, vector.expected, replies, shaky, apart=False)
    answers = {name: r.decision for name, r in replies.items() if r.decision is not None}
    return Judgement(
        run=run.nonce,
        file=subject.file,
        id=subject.id,
        digest=subject.digest,
        paths={path.name: _result(replied[path.name], session.info(path)) for path in run.paths},
        divergences=tuple(msgspec.structs.replace(d, case=None) for d in tally.divergences),
        unstable=tuple(msgspec.structs.replace(u, case=None) for u in tally.unstable),
        problems=tuple(apart(run.paths)),
        opened=opened(vector.expected, answers, vector.world, vector.request),
    )


def _result(replied: Replied, info: dict[str, str]) -> PathResult:
    reply = replied.replies[0]
    return PathResult(
        decision=reply.decision,
        error=reply.error,
        latency_ms=replied.latencies_ms[0],
        info=info,
    )
