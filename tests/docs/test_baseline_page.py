from __future__ import annotations

from pathlib import Path

import msgspec

from pytest_ffparity.parity.baseline import weakenings
from pytest_ffparity.parity.change import Kind
from pytest_ffparity.vectors.matrix_reader import read_matrix
from pytest_ffparity.vectors.model import MatrixRow, StressVector, Vector
from pytest_ffparity.vectors.reader import read_vector_file
from pytest_ffparity.vectors.standard import Standard

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "baseline.md").read_text("utf-8")
FLAG_VERSION = "/meta/flag_version"


def weaker(vector: object) -> object:
    if isinstance(vector, Vector) and vector.id == "PT-03":
        expected = {**vector.expected, "reason": "tenant_override"}
        return msgspec.structs.replace(vector, expected=expected)
    if isinstance(vector, StressVector):
        stress = msgspec.structs.replace(vector.stress, p99_ms=150.0)
        return msgspec.structs.replace(vector, stress=stress)
    return vector


def looser(row: MatrixRow) -> MatrixRow:
    kept = tuple(field for field in row.fields if field != FLAG_VERSION)
    added = (FLAG_VERSION,) if row.rule == "MAY_DIFFER" and row.document == "decision" else ()
    return msgspec.structs.replace(row, fields=kept + added)


def test_the_page_shows_what_is_really_listed() -> None:
    file = read_vector_file(ROOT / "vectors" / "parity_test_matrix.json")
    matrix = read_matrix(ROOT / "vectors" / "cutover_parity_matrix.json")
    before = Standard(files=(file,), matrix=matrix)
    after = Standard(
        files=(msgspec.structs.replace(file, vectors=tuple(map(weaker, file.vectors))),),
        matrix=msgspec.structs.replace(
            matrix,
            rows=tuple(map(looser, matrix.rows)),
            required=tuple(name for name in matrix.required if name != "PT-17"),
        ),
    )
    listed = "".join(f"{c.told}\n    {c.id}\n" for c in weakenings(before, after))
    assert f"```text\n{listed}```" in PAGE


def test_the_page_names_every_kind() -> None:
    assert [kind for kind in Kind if f"`{kind.value}`" not in PAGE] == []
