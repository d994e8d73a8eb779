from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from pytest_ffparity.parity.fuzz import Draw, Fuzzer
from pytest_ffparity.parity.judgement import Judgement, Subject
from pytest_ffparity.parity.matrix import ParityMatrix
from pytest_ffparity.parity.recorded import RecordedPath
from pytest_ffparity.parity.run import Run
from pytest_ffparity.parity.runner import judge
from pytest_ffparity.vectors.errors import VectorFileError
from pytest_ffparity.vectors.model import (
    Case,
    CasesVector,
    MatrixRow,
    MixCase,
    Phase,
    Stress,
    StressVector,
    Vector,
)

MATRIX = ParityMatrix(
    [MatrixRow(id="R-1", line=1, document="decision", fields=("/v",), rule="MUST_MATCH", why="w")]
)
ONE = Vector(id="V", title="t", line=1, world=None, request={}, expected={"v": 1})


class Fixed:
    def __init__(self, name: str, value: Any = 1) -> None:
        self.name, self._value = name, value

    async def evaluate(self, _request: Any) -> Any:
        return {"v": self._value}


def recording(tmp_path: Path, *lines: Any) -> RecordedPath:
    file = tmp_path / "go.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    file.write_text("\n".join(texts) + "\n", "utf-8")
    return RecordedPath("go", file)


def judged(vector: Any, *paths: Any, **more: Any) -> Judgement:
    run = Run("n", list(paths), MATRIX, lambda request, _world: request, **more)
    return asyncio.run(judge(run, "f.json", vector))


def line(v: Any, vector: str = "V", **more: Any) -> dict[str, Any]:
    return {"vector": vector, "decision": {"v": v}, **more}


def test_what_a_service_wrote_down_is_judged_like_any_path(tmp_path: Path) -> None:
    good = recording(tmp_path, line(1))
    assert judged(ONE, Fixed("old"), good).passed
    (found,) = judged(ONE, Fixed("old"), Fixed("new"), recording(tmp_path, line("1"))).divergences
    assert found.odd == "go"


def test_vectors_that_are_not_of_this_run_may_be_on_record(tmp_path: Path) -> None:
    path = recording(tmp_path, line(1), line(2, "gone"), line(3, "V", case="c"))
    assert judged(ONE, Fixed("old"), path).passed
    assert path.info == {"recorded": "go.jsonl, decisions: 3"}


def test_a_vector_that_is_not_on_record_is_an_error(tmp_path: Path) -> None:
    found = judged(ONE, Fixed("old"), recording(tmp_path, line(1, "W"), line(1, case="c")))
    assert not found.passed
    assert found.paths["go"].error == ("NotRecordedError: go.jsonl holds no decision for V")


def test_an_error_on_record_is_an_error_without_its_secrets(tmp_path: Path) -> None:
    path = recording(tmp_path, {"vector": "V", "error": "postgres://u:hunter2@h/d is down"})
    told = judged(ONE, Fixed("old"), path).paths["go"].error
    assert told is not None
    assert told.endswith("go.jsonl holds an error for V: postgres://u:***@h/d is down")


@pytest.mark.parametrize(
    ("lines", "number", "sentence"),
    [
        ((line(1), line(2)), 2, "found what line 1 is about again"),
        ((line(1, case="c"), "", line(2, case="c")), 3, "found what line 1 is about again"),
        ((line(1), "{not json"), 2, "expected one JSON document"),
        (('{"vector": "V", "decision": {"v": 1, "v": 2}}',), 1, "stands twice"),
        (('{"vector": "V", "decision": {"v": NaN}}',), 1, "NaN"),
        ((line(1), {"vector": "W"}), 2, ""),
        (({**line(1), "error": "x"},), 1, "expected one alone of the keys decision, error"),
        (({**line(1), "stray": 1},), 1, "stray"),
        (("[]",), 1, ""),
        (({"vector": "V", "decision": 1},), 1, ""),
    ],
)
def test_a_recording_that_is_unsound_is_refused_with_its_line(
    lines: tuple[Any, ...], number: int, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(VectorFileError) as raised:
        recording(tmp_path, *lines)
    assert raised.value.problems[0].line == number
    assert sentence in str(raised.value)
    assert str(tmp_path / "go.jsonl") in str(raised.value)


def test_cases_are_recalled_by_their_ids(tmp_path: Path) -> None:
    cases = tuple(Case(id=f"c{n}", request=n) for n in range(3))
    vector = CasesVector(id="V", title="t", line=1, world=None, cases=cases)
    path = recording(tmp_path, line(1, case="c0"), line(2, case="c1"), line(1, case="c2"))
    found = judged(vector, Fixed("old"), path, save=tmp_path / "found")
    assert [(d.field, d.case, d.count) for d in found.divergences] == [("/v", "c1", 1)]
    # What is smaller than a case, no recording knows.
    assert found.examples == ()
    assert not (tmp_path / "found").exists()


def test_a_case_that_is_not_on_record_makes_no_example(tmp_path: Path) -> None:
    cases = tuple(Case(id=f"c{n}", request=n) for n in range(2))
    vector = CasesVector(id="V", title="t", line=1, world=None, cases=cases)
    found = judged(vector, Fixed("old"), Fixed("new"), recording(tmp_path, line(1, case="c0")))
    assert found.paths["go"].error is not None
    assert found.examples == ()


def test_two_live_paths_that_part_are_shrunk_though_a_recording_takes_part(tmp_path: Path) -> None:
    cases = (Case(id="c0", request={"n": 1}),)
    vector = CasesVector(id="V", title="t", line=1, world=None, cases=cases)
    paths = [recording(tmp_path, line(1, case="c0")), Fixed("old"), Fixed("new", 2)]
    found = judged(vector, *paths, save=tmp_path / "found")
    assert [e.requests for e in found.examples] == [[{}]]
    assert found.examples[0].saved is not None


def test_a_recording_cannot_be_timed(tmp_path: Path) -> None:
    mix = (MixCase(id="a", weight=1, request=1, expected={"v": 1}),)
    phases = tuple(Phase(name=name, world=None, calls=5, mix=mix) for name in ("p", "q"))
    stress = Stress(concurrency=1, p99_ms=60_000, phases=phases)
    vector = StressVector(id="S", title="t", line=1, stress=stress)
    path = recording(tmp_path, line(1, "S", case="p/a"), line(1, "S", case="q/a"))
    found = judged(vector, Fixed("old"), path)
    assert not found.passed
    assert found.paths["go"].error == (
        "a recording can't be timed: run the stress vectors without it, and the others in a run "
        "with it"
    )
    assert found.paths["old"].error is None
    assert found.divergences == ()


def test_a_recording_knows_no_generated_cases(tmp_path: Path) -> None:
    run = Run(
        "n",
        [Fixed("old"), Fixed("new"), recording(tmp_path, line(1))],
        MATRIX,
        lambda request, _world: request,
    )
    draw = Draw(id="fuzz-1", seed=1, decisions=0)
    found = asyncio.run(Fuzzer(run).judge(Subject("m.json", "fuzz-1", "d"), draw, []))
    assert not found.passed
    assert found.paths["go"].error == (
        "a recording knows no generated cases: leave it out of the run that generates some"
    )
