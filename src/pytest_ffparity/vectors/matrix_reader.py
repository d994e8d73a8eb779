"""Reads a parity matrix file: which field of a decision follows which rule."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pytest_ffparity.formats.located import item_lines
from pytest_ffparity.formats.pointer import join
from pytest_ffparity.formats.schema import Problem
from pytest_ffparity.vectors.document import digest, load
from pytest_ffparity.vectors.model import MatrixFile, MatrixRow

SCHEMA: Final = "cutover_parity_matrix.v1"
_STARTER: Final = (
    '{"schema_version": "1", "required": [], "rows": [{"id": "R-01", "document": "decision", '
    '"fields": ["/value"], "rule": "MUST_MATCH", "why": "..."}]}'
)


def read_matrix(path: Path) -> MatrixFile:
    """Read and check a matrix file.

    Raises:
        VectorFileError: The file is missing, not strict JSON, or unsound; tells every problem.
    """
    document = load(path, SCHEMA, starter=_STARTER)
    data = document.data
    problems = list(_named_twice(data["rows"]))
    if problems:
        raise document.error(problems)
    lines = item_lines(document.text, "/rows")
    return MatrixFile(
        path=path,
        digest=digest(data),
        rows=tuple(_row(raw, line) for raw, line in zip(data["rows"], lines, strict=True)),
        required=tuple(data["required"]),
    )


def _named_twice(rows: list[dict[str, Any]]) -> Iterator[Problem]:
    first: dict[tuple[str, str], str] = {}
    for index, row in enumerate(rows):
        for number, field in enumerate(row["fields"]):
            here = join(["rows", index, "fields", number])
            before = first.setdefault((row["document"], field), here)
            if before != here:
                sentence = (
                    f'found the field "{field}" of "{row["document"]}" again, expected it in one '
                    f"row (first at {before})"
                )
                yield Problem(here, sentence)


def _row(raw: dict[str, Any], line: int) -> MatrixRow:
    return MatrixRow(
        id=raw["id"],
        line=line,
        document=raw["document"],
        fields=tuple(raw["fields"]),
        rule=raw["rule"],
        compare=raw.get("compare", "exact"),
        tolerance=None if "tolerance" not in raw else float(raw["tolerance"]),
        values=raw.get("values", {}),
        why=raw["why"],
    )
