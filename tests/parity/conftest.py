"""Toy paths, a matrix of four rows, and a run of both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_ffparity.parity.judgement import Judgement
from pytest_ffparity.parity.matrix import ParityMatrix
from pytest_ffparity.parity.pseudonyms import Pseudonyms
from pytest_ffparity.parity.run import Run
from pytest_ffparity.parity.runner import judge
from pytest_ffparity.vectors.model import AnyVector, MatrixRow


def row(id_: str, field: str, rule: Any, **more: Any) -> MatrixRow:
    return MatrixRow(
        id=id_, line=1, document="decision", fields=(field,), rule=rule, why="w", **more
    )


ROWS = [
    row("R-1", "/decision", "MUST_MATCH"),
    row("R-1", "/value", "MUST_MATCH"),
    row("R-2", "/list", "MUST_MATCH", compare="unordered"),
    row("R-3", "/by", "MUST_DIFFER"),
    row("R-4", "/ms", "MAY_DIFFER"),
]


class Toy:
    """Answers what its function says: of the world, the request, and the number of the call."""

    def __init__(self, name: str, does: Callable[[Any, Any, int], Any]) -> None:
        self.name = name
        self.does = does
        self.calls = 0
        self.world: Any = None

    def prepare(self, world: Any) -> None:
        self.world = world

    async def evaluate(self, request: Any) -> Any:
        self.calls += 1
        answer = self.does(self.world, request, self.calls)
        return {"value": answer, "by": self.name} if not isinstance(answer, dict) else answer


class Lab:
    """Makes paths and runs, and judges vectors by them."""

    matrix = ParityMatrix(ROWS)

    def path(self, name: str, does: Callable[[Any, Any, int], Any]) -> Any:
        return Toy(name, does)

    def run(self, *paths: Any, save: Path | None = None, key: bytes | None = None) -> Run:
        return Run(
            "n",
            list(paths),
            self.matrix,
            lambda request, _world: request,
            save=save,
            pseudonyms=None if key is None else Pseudonyms(key),
        )

    def judged(self, vector: AnyVector, *paths: Any, **more: Any) -> Judgement:
        return asyncio.run(judge(self.run(*paths, **more), "f.json", vector))


@pytest.fixture
def lab() -> Lab:
    return Lab()
