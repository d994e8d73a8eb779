from __future__ import annotations

import asyncio
from typing import Any

from pytest_ffparity.parity.matrix import ParityMatrix
from pytest_ffparity.parity.run import Run
from pytest_ffparity.parity.runner import judge
from pytest_ffparity.vectors.model import MatrixRow, MixCase, Phase, Stress, StressVector

MATRIX = ParityMatrix(
    [MatrixRow(id="R-1", line=1, document="decision", fields=("/v",), rule="MUST_MATCH", why="w")]
)
CASE = MixCase(id="c", weight=1, request=1, expected={"v": 1})
PHASE = Phase(name="p", world=None, calls=20, mix=(CASE,))


class Path:
    def __init__(self, name: str) -> None:
        self.name = name

    async def evaluate(self, request: Any) -> Any:
        return {"v": request}


class Cancelling(Path):
    """Cancels the task of its fourth call, and so takes one caller out of the burst."""

    calls = 0

    async def evaluate(self, request: Any) -> Any:
        self.calls += 1
        task = asyncio.current_task()
        if self.calls == 4 and task is not None:
            task.cancel()
            await asyncio.sleep(0)
        return await super().evaluate(request)


def test_a_call_whose_task_the_path_cancels_is_an_error_of_that_call_alone() -> None:
    stress = Stress(concurrency=4, p99_ms=60_000, phases=(PHASE,))
    vector = StressVector(id="S", title="s", line=1, stress=stress)
    run = Run("n", [Path("old"), Cancelling("new")], MATRIX, lambda request, _world: request)
    judgement = asyncio.run(judge(run, "f.json", vector))
    assert not judgement.passed
    assert judgement.paths["new"].error == (
        "p/c: the call never ended: its task was cancelled from within"
    )
    assert not judgement.divergences
