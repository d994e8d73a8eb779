"""What is told of rules that became looser, for any two matrices."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pytest_ffparity.formats.pointer import split
from pytest_ffparity.parity.loosened_rules import _loosening, loosened_rules
from pytest_ffparity.parity.matrix import ParityMatrix
from pytest_ffparity.vectors.model import MatrixRow

SEGMENTS = st.sampled_from(["a", "b", "*"])
RULES: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {"rule": "MUST_MATCH"},
        {"rule": "MUST_MATCH", "compare": "unordered"},
        {"rule": "MUST_DIFFER"},
        {"rule": "MAY_DIFFER"},
    ]
)
MATRICES = st.dictionaries(
    st.lists(SEGMENTS, max_size=3).map(lambda s: "".join(f"/{x}" for x in s)), RULES, max_size=6
).map(
    lambda rules: [
        MatrixRow(id="R", line=1, document="decision", fields=(field,), why=".", **rule)
        for field, rule in rules.items()
    ]
)
PATHS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=4).map(tuple)


@given(MATRICES)
def test_no_matrix_is_looser_than_itself(matrix: list[MatrixRow]) -> None:
    assert list(loosened_rules(matrix, matrix)) == []


@given(MATRICES, MATRICES, PATHS)
def test_a_field_is_let_go_only_by_a_change_that_names_it_or_what_it_is_in(
    before: list[MatrixRow], after: list[MatrixRow], path: tuple[str, ...]
) -> None:
    was, now = (ParityMatrix(side).covering(path) for side in (before, after))
    listed = [
        () if change.subject == "(top level)" else split(change.subject)
        for change in loosened_rules(before, after)
    ]
    # Of a document that had no rows at all nothing was compared yet.
    if before and _loosening(was, now):
        assert any(
            len(place) <= len(path)
            and all(p in ("*", s) for p, s in zip(place, path, strict=False))
            for place in listed
        )


@given(MATRICES, MATRICES)
def test_the_order_of_rows_changes_no_id(before: list[MatrixRow], after: list[MatrixRow]) -> None:
    found = {change.id for change in loosened_rules(before, after)}
    assert {change.id for change in loosened_rules(before[::-1], after[::-1])} == found
