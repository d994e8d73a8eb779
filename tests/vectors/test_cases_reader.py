from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_ffparity.parity.declared import read_vectors
from pytest_ffparity.parity.judgement import digest
from pytest_ffparity.parity.matrix import ParityMatrix
from pytest_ffparity.vectors.errors import VectorFileError
from pytest_ffparity.vectors.model import CasesVector, MatrixRow
from pytest_ffparity.vectors.reader import read_vector_file

MATRIX = ParityMatrix(
    [MatrixRow(id="R-1", line=1, document="decision", fields=("/v",), rule="MUST_MATCH", why="w")]
)


def written(folder: Path, **vector: Any) -> Path:
    path = folder / "v.json"
    document = {
        "schema_version": "1",
        "worlds": {"w": {"flags": []}},
        "vectors": [{"id": "V", "title": "t", **vector}],
    }
    path.write_text(json.dumps(document), "utf-8")
    return path


def captured(folder: Path, *lines: Any) -> Path:
    (folder / "c.jsonl").write_text("\n".join(map(json.dumps, lines)), "utf-8")
    return written(folder, cases_file="c.jsonl", world="w")


def the_one(path: Path) -> CasesVector:
    (vector,) = read_vector_file(path).vectors
    assert isinstance(vector, CasesVector)
    return vector


def refused(path: Path) -> str:
    with pytest.raises(VectorFileError) as raised:
        read_vector_file(path)
    return str(raised.value)


def test_cases_of_the_file_and_of_a_capture(tmp_path: Path) -> None:
    listed = [{"id": "a", "request": 1}, {"id": "b", "request": None, "expected": {"v": 1}}]
    own = the_one(written(tmp_path, cases=listed, world="w"))
    assert [(c.id, c.request, c.expected) for c in own.cases] == [
        ("a", 1, None),
        ("b", None, {"v": 1}),
    ]
    assert (own.world, own.captured) == ({"flags": []}, False)
    taken = the_one(captured(tmp_path, *listed))
    assert taken.cases == own.cases
    assert taken.captured


@pytest.mark.parametrize(
    ("vector", "told"),
    [
        ({"cases": []}, "/vectors/0/cases"),
        ({"cases": [{"id": "a"}]}, "/vectors/0/cases/0/request"),
        ({"cases": [{"id": "a b", "request": 1}]}, "/vectors/0/cases/0/id"),
        (
            {"cases": [{"id": "a", "request": 1}] * 2},
            '/vectors/0/cases/1/id: found the id "a" again',
        ),
        ({"cases": [{"id": "a", "request": 1, "world": "w"}]}, "/vectors/0/cases/0/world"),
        ({"cases": [{"id": "a", "request": 1, "expected": 1}]}, "/vectors/0/cases/0/expected"),
        ({"cases": [{"id": "a", "request": 1}], "request": 1}, "/vectors/0/request"),
        ({"cases": [{"id": "a", "request": 1}], "world": "no"}, "/vectors/0/world"),
        (
            {"cases": [{"id": "a", "request": 1}], "cases_file": "c.jsonl"},
            "expected one alone of the keys cases, cases_file",
        ),
        ({"cases_file": ""}, "/vectors/0/cases_file"),
        ({"cases_file": "c.jsonl", "expected": {"v": 1}}, "/vectors/0/expected"),
        ({"cases_file": "gone.jsonl"}, "gone.jsonl: can't be read: No such file or directory"),
        ({"cases_file": "."}, "can't be read: Is a directory"),
    ],
)
def test_what_is_unsound_is_told_with_its_place(
    vector: dict[str, Any], told: str, tmp_path: Path
) -> None:
    assert told in refused(written(tmp_path, **vector))


def test_expectations_of_cases_have_to_name_what_must_match(tmp_path: Path) -> None:
    path = written(tmp_path, cases=[{"id": "a", "request": 1, "expected": {"w": 1}}])
    with pytest.raises(VectorFileError) as raised:
        read_vectors(path, MATRIX)
    assert [p.pointer for p in raised.value.problems] == [
        "/vectors/0/cases/0/expected/v",
        "/vectors/0/cases/0/expected/w",
    ]


def test_a_capture_that_changes_is_another_vector_and_another_file(tmp_path: Path) -> None:
    path = captured(tmp_path, {"id": "a", "request": 1})
    before = read_vector_file(path)
    captured(tmp_path, {"id": "a", "request": 2})
    after = read_vector_file(path)
    assert digest(before.vectors[0]) != digest(after.vectors[0])
    assert before.digest != after.digest
    assert before.worlds_digest == after.worlds_digest
