from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_ffparity.vectors.errors import VectorFileError
from pytest_ffparity.vectors.matrix_reader import read_matrix

ROW = {"id": "R-1", "document": "decision", "fields": ["/a"], "rule": "MUST_MATCH", "why": "so"}


def written(folder: Path, rows: list[Any], **changes: Any) -> Path:
    path = folder / "matrix.json"
    document = {"schema_version": "1", "rows": rows, "required": ["V-1"], **changes}
    path.write_text(json.dumps(document, indent=2))
    return path


def refused(path: Path) -> VectorFileError:
    with pytest.raises(VectorFileError) as caught:
        read_matrix(path)
    return caught.value


def test_rows_are_read_with_their_defaults(tmp_path: Path) -> None:
    found = read_matrix(written(tmp_path, [ROW]))
    (row,) = found.rows
    assert (row.compare, row.tolerance, row.values) == ("exact", None, {})
    assert (row.document, row.fields, row.rule) == ("decision", ("/a",), "MUST_MATCH")
    assert found.required == ("V-1",)
    assert found.path.read_text().split("\n")[row.line].strip() == '"id": "R-1",'


def test_what_a_rule_needs_is_read(tmp_path: Path) -> None:
    near = {**ROW, "fields": ["/t"], "compare": "tolerance", "tolerance": 1}
    apart = {**ROW, "fields": ["/b"], "rule": "MUST_DIFFER", "values": {"old": 1, "new": None}}
    read_near, read_apart = read_matrix(written(tmp_path, [near, apart])).rows
    assert (read_near.compare, read_near.tolerance) == ("tolerance", 1.0)
    assert read_apart.values == {"old": 1, "new": None}


def test_rows_may_share_an_id_and_documents_a_pointer(tmp_path: Path) -> None:
    rows = read_matrix(written(tmp_path, [ROW, {**ROW, "document": "audit"}])).rows
    assert [row.id for row in rows] == ["R-1", "R-1"]


def test_a_field_that_two_rows_name_is_told_with_both_places(tmp_path: Path) -> None:
    path = written(tmp_path, [ROW, {**ROW, "id": "R-2", "fields": ["/b", "/a"]}])
    (problem,) = refused(path).problems
    assert problem.pointer == "/rows/1/fields/1"
    assert "first at /rows/0/fields/0" in problem.sentence
    assert problem.line is not None
    assert path.read_text().split("\n")[problem.line - 1].strip() == '"/a"'


@pytest.mark.parametrize(
    ("rows", "changes", "pointer"),
    [
        ([], {}, "/rows"),
        ([ROW], {"requierd": []}, "/requierd"),
        ([ROW], {"required": ["V-1", "V-1"]}, "/required"),
        ([ROW], {"required": [" "]}, "/required/0"),
        ([{**ROW, "id": "a b"}], {}, "/rows/0/id"),
        ([{**ROW, "fields": ["/~2"]}], {}, "/rows/0/fields/0"),
        ([{**ROW, "document": "log"}], {}, "/rows/0/document"),
        ([{**ROW, "rule": "MUST_DIFFER", "values": {}}], {}, "/rows/0/values"),
        ([{**ROW, "compare": "tolerance", "tolerance": -1}], {}, "/rows/0/tolerance"),
    ],
)
def test_a_fault_is_told_with_its_pointer(
    tmp_path: Path, rows: list[Any], changes: dict[str, Any], pointer: str
) -> None:
    (problem,) = refused(written(tmp_path, rows, **changes)).problems
    assert problem.pointer == pointer
    assert "found" in problem.sentence
    assert "expected" in problem.sentence


def test_a_missing_matrix_is_told_with_what_to_put_there(tmp_path: Path) -> None:
    error = refused(tmp_path / "none.json")
    starter = error.remedy[error.remedy.index("{") : error.remedy.rindex("}") + 1]
    (tmp_path / "none.json").write_text(starter)
    assert read_matrix(tmp_path / "none.json").rows[0].id == "R-01"
