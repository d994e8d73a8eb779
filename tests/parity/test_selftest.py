"""The self-test judges the harness: toy changes that are caught, missed, or in the way."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from pytest_ffparity.parity.matrix import ParityMatrix
from pytest_ffparity.parity.run import Run
from pytest_ffparity.parity.selftest import tried
from pytest_ffparity.vectors.model import MatrixRow, Vector

MATRIX = ParityMatrix(
    [
        MatrixRow(
            id=f"R-{name}", line=1, document="decision", fields=(f"/{name}",),
            rule="MUST_MATCH", why="w",
        )
        for name in ("v", "w")
    ]
)  # fmt: skip
PROBE = Vector(id="P", title="t", line=1, world=None, request={}, expected={"v": 1, "w": 1})


class Change(msgspec.Struct):
    answer: dict[str, Any] | None
    rows: tuple[str, ...] = ()
    level: str = "data"
    raises: bool = False
    name: str = "change"
    probes: tuple[str, ...] = ("P",)

    def seed(self, path: Any) -> Any:
        return Path(path.name, self.answer)


class Path:
    def __init__(self, name: str, answer: dict[str, Any] | None) -> None:
        self.name, self._answer = name, answer

    async def evaluate(self, request: Any) -> Any:
        del request
        if self._answer is None:
            raise ConnectionError("down")
        return self._answer


GOOD = {"v": 1, "w": 1}


def problems(change: Change) -> tuple[str, ...]:
    paths = (Path("old", GOOD), Path("new", GOOD))
    run = Run("n", list(paths), MATRIX, lambda request, _world: request)
    found = asyncio.run(tried(run, "m.json", change, paths, {"P": PROBE}))
    assert found.passed is not bool(found.problems)
    return found.problems


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (Change({"v": 2, "w": 1}, ("R-v",)), None),
        (Change({"v": 2, "w": 2}, ("R-v",)), None),
        (Change(GOOD, ("R-v",)), "not caught by P"),
        (Change({"v": 2, "w": 1}, ("R-w",)), "caught, but not by R-w: R-v was named"),
        (Change(None, ("R-v",)), "caught, but not by R-v"),
        (Change(None, raises=True), None),
        (Change({"v": 2, "w": 1}, raises=True), "no path raised"),
        (Change(GOOD, ("R-v",), probes=("Q",)), "no probe was run"),
        (Change(GOOD, level="harmless"), None),
        (Change({"v": 2, "w": 1}, level="harmless"), "P turned red: R-v was named"),
        (Change(None, level="harmless"), "P turned red"),
        (Change(GOOD, level="harmless", probes=("Q",)), "no probe was run"),
    ],
)
def test_what_the_harness_did_is_held_against_what_it_should(
    change: Change, told: str | None
) -> None:
    found = problems(change)
    assert bool(found) is (told is not None)
    assert told is None or told in found[0]
