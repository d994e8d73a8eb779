from __future__ import annotations

from typing import Any

import pytest

from pytest_ffparity.parity.compare import Divergence, compare
from pytest_ffparity.parity.explain import explained
from pytest_ffparity.parity.matrix import ParityMatrix
from pytest_ffparity.vectors.model import MatrixRow


def row(id_: str, *fields: str, rule: Any = "MUST_MATCH", **more: Any) -> MatrixRow:
    return MatrixRow(
        id=id_, line=1, document="decision", fields=fields, rule=rule, why=f"why {id_}", **more
    )


MATRIX = ParityMatrix(
    [
        row("R-1", "/value"),
        row("R-2", "/chain"),
        row("R-3", "/meta/mode"),
        row("R-4", "/meta/state", rule="MUST_DIFFER"),
        row("R-5", "/meta/ms", rule="MAY_DIFFER"),
    ]
)


def decision(state: str, **changes: Any) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "value": True,
        "chain": ["a", "b"],
        "meta": {"mode": "x", "state": state, "ms": 1.5},
    }
    meta = {**whole["meta"], **changes.pop("meta", {})}
    return {**whole, **changes, "meta": meta}


def told(divergence: Divergence) -> tuple[str, ...]:
    return tuple(map(str, divergence.broken))


EXPECTED = {"value": True, "chain": ["a", "b"], "meta": {"mode": "x"}}


def against(second: dict[str, Any], matrix: ParityMatrix = MATRIX) -> list[Divergence]:
    return compare(EXPECTED, {"file": decision("file"), "db": second}, matrix)


def test_decisions_that_keep_every_rule_do_not_diverge() -> None:
    assert against(decision("db", meta={"ms": 99.0})) == []


@pytest.mark.parametrize(
    ("second", "field", "row_id"),
    [
        (decision("db", value=1), "/value", "R-1"),
        (decision("db", value=1.0), "/value", "R-1"),
        (decision("db", value="true"), "/value", "R-1"),
        (decision("db", value=None), "/value", "R-1"),
        (decision("db", chain=["b", "a"]), "/chain", "R-2"),
        (decision("db", chain=["a"]), "/chain", "R-2"),
        (decision("db", meta={"mode": "X"}), "/meta/mode", "R-3"),
        (decision("file"), "/meta/state", "R-4"),
        (decision("db", extra=1), "/extra", "unlisted"),
        (decision("db", meta={"extra": None}), "/meta/extra", "unlisted"),
    ],
)
def test_one_changed_thing_is_one_divergence(
    second: dict[str, Any], field: str, row_id: str
) -> None:
    (found,) = against(second)
    assert (found.field, found.rule) == (field, row_id)
    assert any(b.path == "db" for b in found.broken)
    assert not any(b.path == "file" for b in found.broken)


def test_missing_is_not_null() -> None:
    second = decision("db")
    del second["meta"]["mode"]
    (found,) = against(second)
    assert found.field == "/meta/mode"
    assert not found.paths["db"].present
    null = compare(
        {**EXPECTED, "value": None},
        {"file": decision("file", value=None), "db": {**decision("db", value=None)}},
        MATRIX,
    )
    assert null == []


def test_a_field_that_may_differ_must_still_be_there() -> None:
    second = decision("db")
    del second["meta"]["ms"]
    (found,) = against(second)
    assert (found.field, found.rule, told(found)) == ("/meta/ms", "R-5", ("db lacks the field",))


def test_a_container_replaced_by_something_else_is_a_divergence_of_its_fields() -> None:
    fields = {d.field for d in against({**decision("db"), "meta": "gone"})}
    assert fields >= {"/meta", "/meta/mode", "/meta/state", "/meta/ms"}


def test_an_empty_container_in_place_of_a_missing_one_is_seen() -> None:
    matrix = ParityMatrix([row("R-1", "/a/b")])
    assert [d.field for d in compare({}, {"x": {}, "y": {"a": {}}}, matrix)] == ["/a"]


def test_agreeing_on_a_wrong_answer_is_a_failure_of_both() -> None:
    both = {"file": decision("file", value=False), "db": decision("db", value=False)}
    (found,) = compare(EXPECTED, both, MATRIX)
    assert told(found) == ("file misses the expectation", "db misses the expectation")


def test_every_diverging_field_is_listed_at_once() -> None:
    second = decision("file", value=1, chain=[], extra=0)
    assert [d.field for d in against(second)] == ["/value", "/chain", "/meta/state", "/extra"]


def test_a_third_path_is_compared_with_the_first() -> None:
    answers = {"file": decision("file"), "db": decision("db"), "http": decision("http", value=0)}
    (found,) = compare(EXPECTED, answers, MATRIX)
    assert told(found) == ("http misses the expectation", "http differs from file")


def test_without_an_expectation_the_paths_must_agree() -> None:
    answers = {"file": decision("file", value=3), "db": decision("db", value=3)}
    assert compare(None, answers, MATRIX) == []


def test_the_longest_pointer_wins_and_a_name_beats_a_star() -> None:
    matrix = ParityMatrix(
        [
            row("ALL", "/meta"),
            row("STAR", "/meta/*", rule="MAY_DIFFER"),
            row("NAME", "/meta/mode"),
        ]
    )
    assert matrix.covering(("meta",)).id == "ALL"
    assert matrix.covering(("meta", "ms")).id == "STAR"
    assert matrix.covering(("meta", "mode")).id == "NAME"
    assert matrix.covering(("meta", "mode", "deep")).id == "NAME"
    assert matrix.covering(("other",)).id == "unlisted"


def test_a_star_covers_members_of_arrays() -> None:
    matrix = ParityMatrix([row("R-1", "/list/*/id"), row("R-2", "/list/*/at", rule="MAY_DIFFER")])
    one = {"list": [{"id": 1, "at": 1}, {"id": 2, "at": 1}]}
    two = {"list": [{"id": 1, "at": 9}, {"id": 3, "at": 9}]}
    assert [d.field for d in compare(None, {"a": one, "b": two}, matrix)] == ["/list/1/id"]


def test_unordered_arrays_are_compared_as_bags() -> None:
    matrix = ParityMatrix([row("R-1", "/chain", compare="unordered"), row("R", "/value", "/meta")])
    one, two = {"chain": [[1, 2], 1.0, 1]}, {"chain": [1, [2, 1], 1.0]}
    assert compare(None, {"a": one, "b": two}, matrix) == []
    assert compare(None, {"a": one, "b": {"chain": [1, [2, 1], 1]}}, matrix)


def test_tolerance_is_absolute_and_for_numbers_only() -> None:
    matrix = ParityMatrix([row("R-1", "/v", compare="tolerance", tolerance=0.5)])

    def diverge(one: Any, two: Any) -> bool:
        return bool(compare(None, {"a": {"v": one}, "b": {"v": two}}, matrix))

    assert not diverge(1, 1.5)
    assert diverge(1, 1.6)
    assert diverge(True, 1)
    assert not diverge({"x": [1.0]}, {"x": [1.4]})
    assert diverge({"x": [1.0]}, {"x": ["1.0"]})


def test_must_differ_takes_the_values_that_the_row_names() -> None:
    matrix = ParityMatrix([row("R", "/s", rule="MUST_DIFFER", values={"a": 1, "b": 2})])
    assert compare(None, {"a": {"s": 1}, "b": {"s": 2}}, matrix) == []
    (found,) = compare(None, {"a": {"s": 1}, "b": {"s": 1}}, matrix)
    assert told(found) == ("b must say 2",)
    assert compare(None, {"a": {"s": 1}, "b": {}}, matrix)


def test_a_difference_inside_a_value_is_explained() -> None:
    (found,) = against(decision("db", chain=["a", "c"]))
    assert explained(found).explanation == ('[1]: expected "b", db "c"',)


def test_types_are_told_apart_in_an_explanation() -> None:
    matrix = ParityMatrix([row("R-1", "/v")])
    (found,) = compare(None, {"a": {"v": {"n": 1}}, "b": {"v": {"n": 1.0}}}, matrix)
    assert explained(found).explanation == ("['n']: a 1, b 1.0",)


def test_what_must_differ_is_missed_where_no_path_has_it() -> None:
    answers = {name: decision(name) for name in ("file", "db")}
    for answer in answers.values():
        del answer["meta"]["state"]
    (found,) = compare(EXPECTED, answers, MATRIX)
    assert (found.field, found.rule) == ("/meta/state", "R-4")
    assert told(found) == ('file must say "file"', 'db must say "db"')


def test_what_must_differ_may_not_be_given_the_same_value_by_its_row() -> None:
    matrix = ParityMatrix([row("R-1", "/by", rule="MUST_DIFFER", values={"a": 1, "b": 1, "c": 2})])
    (found,) = compare({}, {"a": {"by": 1}, "b": {"by": 1}, "c": {"by": 2}}, matrix)
    assert told(found) == ("b says the same as a",)


def _odd(*values: Any, **how: Any) -> str | None:
    matrix = ParityMatrix([row("R-1", "/v", **how)])
    answers = {f"p{n}": {"v": value} for n, value in enumerate(values)}
    found = compare(None, answers, matrix)
    return found[0].odd if found else None


@pytest.mark.parametrize(
    ("values", "odd"),
    [
        ((1, 2), None),
        ((1, 1, 1), None),
        ((2, 1, 1), "p0"),
        ((1, 2, 1), "p1"),
        ((1, 1, 1.0), "p2"),
        ((1, 2, 3), None),
        ((1, 1, 2, 1), "p2"),
        ((1, 1, 2, 2), None),
        ((1, 1, 2, 3), None),
    ],
)
def test_the_odd_one_out_is_named_where_all_others_agree(
    values: tuple[Any, ...], odd: str | None
) -> None:
    assert _odd(*values) == odd


@pytest.mark.parametrize(
    ("values", "odd"),
    [((0, 1, 2.5), "p2"), ((2.5, 0, 1), "p0"), ((0, 1, 2), None), ((0, 1, -1, 9), None)],
)
def test_within_a_tolerance_nobody_is_odd_who_agrees_with_somebody(
    values: tuple[float, ...], odd: str | None
) -> None:
    assert _odd(*values, compare="tolerance", tolerance=1.0) == odd


def test_a_path_that_lacks_what_the_others_have_is_the_odd_one() -> None:
    answers = {"a": {"v": None}, "b": {}, "c": {"v": None}}
    (found,) = compare(None, answers, ParityMatrix([row("R-1", "/v")]))
    assert found.odd == "b"


def test_without_an_expectation_the_paths_only_have_to_agree() -> None:
    assert (
        compare(None, {"file": decision("file", value=7), "db": decision("db", value=7)}, MATRIX)
        == []
    )
    (found,) = compare(None, {"file": decision("file"), "db": decision("db", value=7)}, MATRIX)
    assert found.expected is None
    assert told(found) == ("db differs from file",)
