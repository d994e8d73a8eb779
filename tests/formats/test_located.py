from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_ffparity.formats import located, strict_json
from pytest_ffparity.formats.located import Place
from pytest_ffparity.formats.pointer import join

KEYS = st.text(st.sampled_from('ab"\\/~ {}[]:,\n0é\u2028'), max_size=4)
SCALARS = st.none() | st.booleans() | st.integers(-9, 99) | st.floats(allow_nan=False) | KEYS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4)
)
INDENTS = st.sampled_from([None, 0, 1, 3, "\t"])

TEXT = """
{
  "a": [1, 2,
    {"b/c": true}],
  "~": {}
}
"""


def members(
    value: Any, path: tuple[str | int, ...] = ()
) -> list[tuple[tuple[str | int, ...], Any]]:
    found = [(path, value)] if path else []
    below: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        below = list(value.items())
    elif isinstance(value, list):
        below = list(enumerate(value))
    return found + [pair for key, member in below for pair in members(member, (*path, key))]


@given(VALUES, INDENTS)
def test_every_pointer_stands_where_its_key_or_item_is_written(value: Any, indent: Any) -> None:
    text = json.dumps(value, indent=indent)
    every = members(value)
    found = located.places(text, [join(path) for path, _ in every])
    lines = text.split("\n")
    for path, member in every:
        place = found[join(path)]
        rest = "\n".join([lines[place.line - 1][place.column - 1 :], *lines[place.line :]])
        written = member if isinstance(path[-1], int) else path[-1]
        assert strict_json.same(json.JSONDecoder().raw_decode(rest)[0], written)


@given(VALUES, INDENTS)
def test_items_are_on_the_lines_of_their_pointers(value: Any, indent: Any) -> None:
    text = json.dumps({"items": [value, [], value]}, indent=indent)
    found = located.places(text, ["/items/0", "/items/1", "/items/2"])
    assert located.item_lines(text, "/items") == [place.line for place in found.values()]


def test_a_pointer_to_nothing_stands_where_the_deepest_part_of_it_stands() -> None:
    found = located.places(TEXT, ["", "/a/2/b~1c", "/a/2/x/y", "/~0", "/~0/z", "/a/9", "/q"])
    assert found == {
        "": Place(2, 1),
        "/a/2/b~1c": Place(4, 6),
        "/a/2/x/y": Place(4, 5),
        "/~0": Place(5, 3),
        "/~0/z": Place(5, 3),
        "/a/9": Place(3, 3),
        "/q": Place(2, 1),
    }


def test_items_of_nothing_are_an_error() -> None:
    with pytest.raises(ValueError, match="nothing at /q"):
        located.item_lines(TEXT, "/q")


@pytest.mark.parametrize(
    ("text", "pointer", "place", "problem"),
    [
        ('{"a": 1,\n "a": 2}', "/a", Place(2, 2), "stands twice"),
        ('{"a": [0,\n  {"b": 1, "\\u0062": 2}]}', "/a/1/b", Place(2, 12), "stands twice"),
        ("[1,\n\n NaN]", "/1", Place(3, 2), "NaN is no JSON number"),
        ("[1e999]", "/0", Place(1, 2), "beyond a double"),
        ("[1e-999]", "/0", Place(1, 2), "too small for a double"),
        ('{"n": 9223372036854775808}', "/n", Place(1, 7), "beyond signed 64 bits"),
        ("-Infinity", "", Place(1, 1), "no JSON number"),
        ('["\\u0000"]', "/0", Place(1, 2), "U+0000"),
        ('["\\ud800"]', "/0", Place(1, 2), "surrogate"),
        ('{"\\ud800": 1}', "", Place(1, 2), "surrogate"),
        ("[\n" * 101 + "]" * 101, "/0" * 8, Place(101, 1), "deeper than 100"),
        ("[" * 100_000, None, Place(1, 1), "deeper than 100"),
        ('{"a": 1,\n b}', None, Place(2, 2), "not JSON"),
        ("", None, Place(1, 1), "not JSON"),
        ("\ufeff{}", None, Place(1, 1), "byte-order mark"),
    ],
)
def test_what_is_refused_is_found_in_its_place(
    text: str, pointer: str | None, place: Place, problem: str
) -> None:
    (found,) = located.refusals(text)
    assert (found.pointer, found.place) == (pointer, place)
    assert problem in found.problem


def test_everything_that_is_refused_is_told_at_once() -> None:
    text = '{"a": NaN,\n"b": [1e999, 1],\n"b": "\\u0000"}'
    assert [(r.pointer, r.place.line) for r in located.refusals(text)] == [
        ("/a", 1),
        ("/b/0", 2),
        ("/b", 3),
        ("/b", 3),
    ]


@given(st.text(st.sampled_from('{}[]",:01e9.-\\u0d8N antrufls\n'), max_size=24))
@example('{"":0,"":0}')
@example("1e999")
@example('["\\u0000"]')
def test_a_text_has_refusals_exactly_if_the_strict_reader_refuses_it(text: str) -> None:
    try:
        strict_json.loads(text)
    except strict_json.JSONRefusedError:
        assert located.refusals(text)
    else:
        assert not located.refusals(text)
