"""Nothing compared is no agreement: a case without an expectation needs fields to agree on."""

from __future__ import annotations

import asyncio
from typing import Any

from pytest_ffparity.parity.matrix import ParityMatrix
from pytest_ffparity.parity.run import Run
from pytest_ffparity.parity.runner import judge
from pytest_ffparity.vectors.model import Case, CasesVector, MatrixRow

MATRIX = ParityMatrix(
    [MatrixRow(id="R-1", line=1, document="decision", fields=("/v",), rule="MUST_MATCH", why="w")]
)


class Empty:
    def __init__(self, name: str) -> None:
        self.name = name

    async def evaluate(self, request: Any) -> Any:
        del request
        return {}


def test_two_paths_that_say_nothing_do_not_agree() -> None:
    cases = tuple(Case(id=f"c{n}", request={}) for n in range(9))
    vector = CasesVector(id="V", title="t", line=1, world=None, cases=cases)
    run = Run("n", [Empty("old"), Empty("new")], MATRIX, lambda request, _world: request)
    found = asyncio.run(judge(run, "f.json", vector))
    assert not found.passed
    assert len(found.problems) == 3
    assert found.problems[0] == (
        "c0: there is no /v in the first path's decision, so nothing is compared"
    )
