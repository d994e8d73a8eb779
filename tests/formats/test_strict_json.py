from __future__ import annotations

import json
from enum import IntEnum, StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ffparity.formats.strict_json import JSONRefusedError, canonical, loads, plain, same

REFUSED = [
    "",
    "{",
    "[1,]",
    "nul",
    "NaN",
    "[Infinity]",
    "-Infinity",
    "1e400",
    "-1e400",
    "1e-400",
    "9223372036854775808",
    "-9223372036854775809",
    "1" * 5000,
    '{"a":1,"a":1}',
    '{"a":{"b":1,"b":2}}',
    '"\\u0000"',
    '{"\\u0000":1}',
    '"\\ud800"',
    '{"\\udfff":1}',
    "[" * 101 + "]" * 101,
    "[" * 100_000,
    '{"a":' * 101 + "1" + "}" * 101,
    "\ufeff1",
]


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:20])
def test_refused(text: str) -> None:
    with pytest.raises(JSONRefusedError):
        loads(text)


@pytest.mark.parametrize("raw", [b"\xff", b"\xef\xbb\xbf1", "1".encode("utf-16")])
def test_bytes_must_be_plain_utf8(raw: bytes) -> None:
    with pytest.raises(JSONRefusedError):
        loads(raw)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("1.0", 1.0),
        ("1e0", 1.0),
        ("-0", 0),
        ("0e-999", 0.0),
        ("5e-324", 5e-324),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ('"\\ud83d\\ude00"', "😀"),
        ("[" * 100 + "]" * 100, None),
    ],
)
def test_taken(text: str, value: Any) -> None:
    found = loads(text)
    if value is not None:
        assert same(found, value)


def test_types_are_told_apart() -> None:
    values = [1, 1.0, True, "1", None, [], {}, 0, 0.0, -0.0, False, ""]
    for i, left in enumerate(values):
        for j, right in enumerate(values):
            assert same(left, right) is (i == j), (left, right)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abé李"), inner),
    max_leaves=10,
)


@given(JSON)
def test_canonical_text_comes_back_equal_in_type_and_value(value: Any) -> None:
    assert same(loads(canonical(value)), value)
    assert same(plain(value), value)


@given(JSON, JSON)
def test_canonical_text_is_equal_exactly_when_the_values_are(left: Any, right: Any) -> None:
    assert (canonical(left) == canonical(right)) is same(left, right)


def test_canonical_keys_are_sorted_by_code_point() -> None:
    assert canonical({"😀": 1, "\uffff": 2, "a": 3}) == '{"a":3,"\uffff":2,"😀":1}'


def test_plain_takes_enums_for_what_they_are_and_copies() -> None:
    class Word(StrEnum):
        A = "a"

    class Number(IntEnum):
        ONE = 1

    inner = [Word.A]
    found = plain({"x": inner, "n": Number.ONE})
    inner.append(Word.A)
    assert json.dumps(found) == '{"x": ["a"], "n": 1}'
    assert type(found["n"]) is int


@pytest.mark.parametrize(
    "value", [{1: 2}, (1,), {1}, b"x", object(), float("nan"), 2**64, "\ud800"]
)
def test_plain_refuses_what_is_no_json(value: Any) -> None:
    with pytest.raises(JSONRefusedError):
        plain(value)


def test_plain_ends_on_a_value_that_holds_itself() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(JSONRefusedError, match="nested deeper"):
        plain(loop)
