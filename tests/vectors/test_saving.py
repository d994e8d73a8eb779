from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from pytest_ffparity.parity.declared import read_vectors
from pytest_ffparity.parity.judgement import Example, Judgement
from pytest_ffparity.parity.keeping import kept
from pytest_ffparity.parity.matrix import ParityMatrix
from pytest_ffparity.parity.run import Run
from pytest_ffparity.parity.runner import judge
from pytest_ffparity.vectors.model import CasesVector, MatrixRow, Vector
from pytest_ffparity.vectors.reader import read_vector_file
from pytest_ffparity.vectors.saving import NotSavedError, save

RULES: list[tuple[str, Any]] = [
    ("/v", "MUST_MATCH"),
    ("/meta", "MUST_MATCH"),
    ("/meta/state", "MUST_DIFFER"),
    ("/meta/ms", "MAY_DIFFER"),
]
MATRIX = ParityMatrix(
    [
        MatrixRow(id=f"R-{at}", line=1, document="decision", fields=(at,), rule=rule, why="w")
        for at, rule in RULES
    ]
)


class Echo:
    """Gives back what it is asked for, plus what the test has put into it."""

    def __init__(self, name: str, fault: Any = None) -> None:
        self.name, self.fault, self._nth = name, fault, 0

    def prepare(self, _world: Any) -> None:
        self._nth = 0

    async def evaluate(self, request: Any) -> Any:
        self._nth += 1
        value = request if self.fault is None else self.fault(request, self._nth)
        return {"v": value, "meta": {"state": self.name, "ms": self._nth, "mode": "m"}}


def run(*paths: Any, save_to: Path | None = None) -> Run:
    return Run("n", list(paths), MATRIX, lambda request, _world: request, save=save_to)


def keep(folder: Path, new: Any, *requests: Any, old: Any = None) -> Example:
    example = Example(case="c", world={"flags": []}, requests=list(requests), divergences=())
    return asyncio.run(kept(run(old or Echo("old"), new, save_to=folder), example))


def again(path: str | None, *paths: Any) -> Judgement:
    assert path is not None
    (vector,) = read_vectors(Path(path), MATRIX).vectors
    return asyncio.run(judge(run(*paths), "f.json", vector))


@pytest.mark.parametrize("requests", [[1.0], [1, "é"]], ids=["one", "several"])
def test_a_saved_divergence_fails_until_it_is_mended(requests: list[Any], tmp_path: Path) -> None:
    def fault(request: Any, nth: int) -> Any:
        return [request] if nth == len(requests) else request

    example = keep(tmp_path, Echo("new", fault), *requests)
    red = again(example.saved, Echo("old"), Echo("new", fault))
    assert [d.field for d in red.divergences] == ["/v"]
    assert again(example.saved, Echo("old"), Echo("new")).passed


def test_several_requests_become_cases_in_their_order(tmp_path: Path) -> None:
    saved = keep(tmp_path, Echo("new"), "a", "b").saved
    assert saved is not None
    (vector,) = read_vector_file(Path(saved)).vectors
    assert isinstance(vector, CasesVector)
    assert [(c.id, c.request) for c in vector.cases] == [("c1", "a"), ("c2", "b")]
    assert not vector.captured


def test_what_may_or_has_to_differ_is_not_expected(tmp_path: Path) -> None:
    saved = keep(tmp_path, Echo("new"), 1).saved
    assert saved is not None
    (vector,) = read_vector_file(Path(saved)).vectors
    assert isinstance(vector, Vector)
    assert vector.expected == {"v": 1, "meta": {"mode": "m"}}


def test_a_run_that_saves_nothing_leaves_the_example_as_it_was() -> None:
    example = Example(case="c", world=None, requests=[1], divergences=())
    assert asyncio.run(kept(run(Echo("old"), Echo("new")), example)) == example


def test_what_the_first_path_does_not_answer_is_not_saved(tmp_path: Path) -> None:
    def raising(_request: Any, _nth: int) -> Any:
        raise ValueError("no")

    told = keep(tmp_path, Echo("new"), 1, old=Echo("old", raising)).saved
    assert told == "nowhere: old gave no decision that could be expected"


def test_what_no_expectation_may_leave_out_is_told(tmp_path: Path) -> None:
    class Lacking(Echo):
        async def evaluate(self, request: Any) -> Any:
            return {"meta": (await super().evaluate(request))["meta"]}

    told = keep(tmp_path, Echo("new"), 1, old=Lacking("old")).saved
    assert told == "nowhere: old lacks /v, which every expectation has to name"
    assert list(tmp_path.iterdir()) == []


def test_the_same_divergence_has_the_same_name_and_another_another(tmp_path: Path) -> None:
    first = save(tmp_path, "t", {"a": 1}, [1], [{"v": 1}])
    assert save(tmp_path, "another title", {"a": 1}, [1], [{"v": 2}]) == first
    others = [save(tmp_path, "t", w, r, [{}] * len(r)) for w, r in (({}, [1]), ({"a": 1}, [1, 1]))]
    assert len({first, *others}) == 3
    assert {p.name for p in tmp_path.iterdir()} == {p.name for p in (first, *others)}


def test_what_somebody_has_mended_in_a_saved_file_stands(tmp_path: Path) -> None:
    path = save(tmp_path, "t", {}, [1], [{"v": 1}])
    document = json.loads(path.read_text("utf-8"))
    document["vectors"][0]["expected"] = {"v": 2}
    path.write_text(json.dumps(document), "utf-8")
    before = path.read_bytes()
    assert save(tmp_path, "t", {}, [1], [{"v": 1}]) == path
    assert path.read_bytes() == before


def test_a_file_that_is_there_and_broken_is_told_and_left_alone(tmp_path: Path) -> None:
    path = save(tmp_path, "t", {}, [1], [{"v": 1}])
    path.write_text("{", "utf-8")
    with pytest.raises(NotSavedError, match="is there and can't be used"):
        save(tmp_path, "t", {}, [1], [{"v": 1}])
    assert path.read_text("utf-8") == "{"


@pytest.mark.parametrize(
    "title", ["x" * 900, "a\nb\x00\x7f\u2028c", "\ud800"], ids=["long", "odd", "lone"]
)
def test_any_title_will_do(title: str, tmp_path: Path) -> None:
    path = save(tmp_path, title, None, [1], [{"v": 1}])
    assert read_vector_file(path).vectors[0].title


@pytest.mark.parametrize(
    ("world", "request_", "told"),
    [
        ({"flags": "\x00"}, 1, "U+0000"),
        ({}, {"\x00": 1}, "U+0000"),
        ({"flags": "\ud800"}, 1, "no Unicode"),
        ({}, "\udfff", "no Unicode"),
        ({"$odd": 1}, 1, "\\$odd"),
        ([], 1, "an object"),
        ({}, 2**64, "64 bits"),
    ],
    ids=["nul", "nul-key", "high", "low", "key", "list", "big"],
)
def test_what_no_vector_file_may_hold_is_told_and_leaves_nothing(
    world: Any, request_: Any, told: str, tmp_path: Path
) -> None:
    with pytest.raises(NotSavedError, match=told.replace("+", "\\+")):
        save(tmp_path, "t", world, [request_], [{"v": 1}])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", "utf-8")
    with pytest.raises(NotSavedError, match=r"can't write to .*file"):
        save(tmp_path / "file", "t", {}, [1], [{"v": 1}])


@pytest.mark.parametrize(
    "value", [1, 1.0, 1e22, -0.0, True, None, "\u2028", "é", {"a": []}], ids=repr
)
def test_values_come_back_as_they_were(value: Any, tmp_path: Path) -> None:
    path = save(tmp_path, "t", {"x": value}, [value], [{"v": value}])
    (vector,) = read_vector_file(path).vectors
    assert isinstance(vector, Vector)
    assert repr((vector.world, vector.request, vector.expected)) == repr(
        ({"x": value}, value, {"v": value})
    )
