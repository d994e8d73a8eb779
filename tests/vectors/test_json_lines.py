from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_ffparity.vectors.errors import FileProblem, VectorFileError
from pytest_ffparity.vectors.json_lines import MAX_PROBLEMS, read_lines


def read(folder: Path, raw: bytes) -> list[dict[str, Any]]:
    path = folder / "x.jsonl"
    path.write_bytes(raw)
    return read_lines(path, "captured_request.v1", lambda line: line["id"])


def problems(folder: Path, raw: bytes) -> list[FileProblem]:
    with pytest.raises(VectorFileError) as raised:
        read(folder, raw)
    return list(raised.value.problems)


A, B = b'{"id": "a", "request": 1}', b'{"id": "b", "request": "\\u2028"}'


@pytest.mark.parametrize(
    "raw",
    [
        A + b"\n" + B,
        A + b"\r\n" + B + b"\r\n",
        b"\n\n" + A + b"\n  \n\t\n" + B + b"\n\n",
        A + b"\n" + '{"id": "b", "request": "\u2028"}'.encode(),
    ],
    ids=["plain", "crlf", "blank-lines", "line-separator"],
)
def test_one_document_a_line_whatever_the_line_ends(raw: bytes, tmp_path: Path) -> None:
    assert read(tmp_path, raw) == [{"id": "a", "request": 1}, {"id": "b", "request": "\u2028"}]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"{", "not JSON"),
        (b'{"id": "b", "request": 1} {}', "not JSON"),
        (b'\xef\xbb\xbf{"id": "b", "request": 1}', "byte-order mark"),
        (b'{"id": "\xff", "request": 1}', "utf-8"),
        (b'{"id": "b", "request": NaN}', "NaN"),
        (b'{"id": "b", "request": 1e999}', "beyond a double"),
        (b'{"id": "b", "request": 9223372036854775808}', "64 bits"),
        (b'{"id": "b", "request": "\\u0000"}', "U+0000"),
        (b'{"id": "b", "request": "\\ud800"}', "lone surrogate"),
        (b'{"id": "b", "id": "b", "request": 1}', "twice"),
        (b'{"id": "b", "request": ' + b"[" * 200 + b"]" * 200 + b"}", "nested deeper"),
        (b"[1]", "an object"),
        (b'{"id": "a", "request": 1}', "found what line 1 is about again, expected each once"),
    ],
)
def test_a_line_that_is_unsound_is_told_by_its_number(
    line: bytes, told: str, tmp_path: Path
) -> None:
    (problem,) = problems(tmp_path, A + b"\n\n" + line + b"\n" + B.replace(b'"b"', b'"c"'))
    assert problem.line == 3
    assert told in problem.sentence


@pytest.mark.parametrize("raw", [b"", b"\n \n"], ids=["empty", "blank"])
def test_a_file_without_a_line_is_refused(raw: bytes, tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, raw)
    assert problem.sentence == "found no line, expected one at least"


def test_a_file_that_is_broken_throughout_is_told_by_its_first_lines(tmp_path: Path) -> None:
    found = problems(tmp_path, b"{\n" * (MAX_PROBLEMS + 7))
    assert [p.line for p in found] == [*range(1, MAX_PROBLEMS + 1), None]
    assert found[-1].sentence == "and 7 problems more"


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(VectorFileError, match="can't be read: Is a directory"):
        read_lines(tmp_path, "captured_request.v1", lambda line: line["id"])
