"""Where things stand in a JSON text: the line and column of a pointer, and of what is refused.

Reading keeps no positions. They are looked up afterwards, when there is something to tell, by
skipping over members with the standard library's decoder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeAlias

import msgspec

from pytest_ffparity.formats import strict_json
from pytest_ffparity.formats.pointer import join, split

_BLANK: Final = re.compile(r"[ \t\r\n]*")
# Numbers stay text: skipping must not fail on what the strict reader refuses.
_SKIPPER: Final = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)
_Path: TypeAlias = tuple[str | int, ...]


class Place(msgspec.Struct, frozen=True):
    """A place in a text; line and column count from 1, columns in characters."""

    line: int
    column: int


class Refusal(msgspec.Struct, frozen=True):
    """Something that the strict reader does not take, and where it stands."""

    pointer: str | None
    place: Place
    problem: str


def places(text: str, pointers: Iterable[str]) -> dict[str, Place]:
    """Give the place of each pointer in a JSON text.

    A member stands where its key stands. A pointer to nothing stands where the deepest part of it
    that is there stands.

    Raises:
        ValueError: The text is not JSON.
    """
    wanted = {pointer: split(pointer) for pointer in pointers}
    start = _skip_blank(text, 0)
    offsets = dict.fromkeys(wanted, start)
    _seek(text, start, wanted, offsets)
    return dict(zip(offsets, _places(text, offsets.values()), strict=True))


def item_lines(text: str, pointer: str) -> list[int]:
    """Give the line of each item of the array, or member of the object, at the pointer.

    Raises:
        ValueError: The text is not JSON, or has nothing at the pointer.
    """
    at = _skip_blank(text, 0)
    for segment in split(pointer):
        at = next((value for key, _, value in _members(text, at) if str(key) == segment), -1)
        if at < 0:
            raise ValueError(f"there is nothing at {pointer}")
    starts = [key_at for _, key_at, _ in _members(text, at)]
    return [place.line for place in _places(text, starts)]


def refusals(text: str) -> list[Refusal]:
    """Find everything that the strict reader does not take; `[]` for a text that it reads.

    Where the text is not JSON at all, there is one refusal, without a pointer.
    """
    if text.startswith("\ufeff"):
        return [Refusal(None, Place(1, 1), "starts with a byte-order mark")]
    try:
        _SKIPPER.decode(text)
        found = list(_refused(text, _skip_blank(text, 0), ()))
    except json.JSONDecodeError as error:
        return [Refusal(None, Place(error.lineno, error.colno), f"not JSON: {error.msg}")]
    except RecursionError:
        problem = f"nested deeper than {strict_json.MAX_DEPTH}"
        return [Refusal(None, Place(1, 1), problem)]
    spots = _places(text, [at for _, at, _ in found])
    return [
        Refusal(join(path), place, problem)
        for (path, _, problem), place in zip(found, spots, strict=True)
    ]


def _refused(text: str, at: int, path: _Path) -> Iterator[tuple[_Path, int, str]]:
    if text[at] not in "{[":
        try:
            strict_json.loads(text[at : _end(text, at)])
        except strict_json.JSONRefusedError as error:
            yield path, at, error.problem
        return
    if len(path) >= strict_json.MAX_DEPTH:
        yield path[:8], at, f"nested deeper than {strict_json.MAX_DEPTH}"
        return
    seen: set[str | int] = set()
    for key, key_at, value_at in _members(text, at):
        if key in seen:
            yield (*path, key), key_at, f"the key {json.dumps(key)} stands twice in one object"
        elif isinstance(key, str) and not strict_json.legal_text(key):
            yield path, key_at, "a key holds U+0000 or a lone surrogate"
        seen.add(key)
        yield from _refused(text, value_at, (*path, key))


def _seek(text: str, at: int, wanted: dict[str, tuple[str, ...]], offsets: dict[str, int]) -> None:
    """Descend towards the wanted pointers only; `wanted` holds what is left of each."""
    below: dict[str, dict[str, tuple[str, ...]]] = {}
    for pointer, segments in wanted.items():
        if segments:
            below.setdefault(segments[0], {})[pointer] = segments[1:]
    if not below or text[at] not in "{[":
        return
    for key, key_at, value_at in _members(text, at):
        deeper = below.get(str(key))
        if deeper is not None:
            offsets.update(dict.fromkeys(deeper, key_at))
            _seek(text, value_at, deeper, offsets)


def _members(text: str, at: int) -> Iterator[tuple[str | int, int, int]]:
    """Walk an object or array: key or index, where the member starts, where its value starts."""
    if text[at] not in "{[":
        return
    keyed = text[at] == "{"
    at = _skip_blank(text, at + 1)
    index = 0
    while text[at] not in "]}":
        start, key = at, index
        if keyed:
            key, at = _decode(text, at)
            at = _skip_blank(text, _skip_blank(text, at) + 1)
        yield key, start, at
        at = _skip_blank(text, _end(text, at))
        if text[at] == ",":
            at = _skip_blank(text, at + 1)
        index += 1


def _decode(text: str, at: int) -> tuple[Any, int]:
    return _SKIPPER.raw_decode(text, at)


def _end(text: str, at: int) -> int:
    return _decode(text, at)[1]


def _skip_blank(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return at if found is None else found.end()


def _places(text: str, offsets: Iterable[int]) -> list[Place]:
    """Turn offsets, in any order, into places; the text is gone through once."""
    result: dict[int, Place] = {}
    line, line_start, done = 1, 0, 0
    asked = list(offsets)
    for offset in sorted(set(asked)):
        breaks = text.count("\n", done, offset)
        if breaks:
            line += breaks
            line_start = text.rfind("\n", done, offset) + 1
        result[offset] = Place(line, offset - line_start + 1)
        done = offset
    return [result[offset] for offset in asked]
