"""The one strict JSON reader, and the canonical form.

Both stores, every vector file and every HTTP answer go through this reader, so that all of them
refuse the same things with the same words: duplicate keys, NaN and infinities, numbers that a
double or a signed 64-bit integer can't hold, U+0000, lone surrogates, nesting beyond 100.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from pytest_ffparity.formats.pointer import join

MAX_DEPTH: Final = 100
INT_MIN: Final = -(2**63)
INT_MAX: Final = 2**63 - 1


class JSONRefusedError(ValueError):
    """Text or a value that the strict reader does not take.

    Attributes:
        pointer: JSON pointer to the place, or None where the text could not be followed that far.
        problem: What was found and what is taken, in one sentence without the pointer.
    """

    def __init__(self, problem: str, pointer: str | None = None) -> None:
        self.problem = problem
        self.pointer = pointer
        super().__init__(problem if pointer is None else f"{pointer or '(top level)'}: {problem}")


def loads(text: str | bytes, *, max_depth: int = MAX_DEPTH) -> Any:
    """Read one JSON document strictly.

    Args:
        text: The document; bytes must be UTF-8 without a byte-order mark.
        max_depth: How deep it may be nested; more for a document around values that are checked
            by themselves.

    Returns:
        dict, list, str, int, float, bool or None; integers and floats kept apart.

    Raises:
        JSONRefusedError: The text is not JSON, or holds something that is refused.
    """
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as error:
            raise JSONRefusedError(f"not UTF-8 at byte {error.start}") from None
    if text.startswith("\ufeff"):
        raise JSONRefusedError("starts with a byte-order mark")
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise JSONRefusedError(
            f"not JSON at line {error.lineno}, column {error.colno}: {error.msg}"
        ) from None
    except RecursionError:
        raise JSONRefusedError(f"nested deeper than {max_depth}") from None
    check(value, max_depth=max_depth)
    return value


def canonical(value: Any) -> str:
    """Give the canonical text of a JSON value: sorted keys, no blanks, `1` is not `1.0`."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def check(value: Any, *, max_depth: int = MAX_DEPTH) -> None:
    """Refuse a value that canonical JSON could not carry through both stores unchanged.

    Raises:
        JSONRefusedError: With the pointer of the first offending place.
    """
    _check(value, (), max_depth, legal_text)


def plain(value: Any, *, max_depth: int = MAX_DEPTH, stored: bool = True) -> Any:
    """Copy a value to plain JSON types, so that nobody can change it afterwards.

    Mappings become dicts and subclasses of the JSON types (enums among them) the types themselves.

    Args:
        value: What may be JSON.
        max_depth: How deep it may be nested.
        stored: Refuse U+0000 too, which is JSON, but which no store can hold.

    Raises:
        JSONRefusedError: The value holds something that is no JSON, or that the reader refuses.
    """
    copied = _plain(value, (), max_depth)
    _check(copied, (), max_depth, legal_text if stored else _encodable)
    return copied


def copied(value: Any) -> Any:
    """Copy a JSON value's objects and arrays; several times as fast as `copy.deepcopy`."""
    if isinstance(value, dict):
        return {key: copied(member) for key, member in value.items()}
    if isinstance(value, list):
        return [copied(member) for member in value]
    return value


def same(left: Any, right: Any) -> bool:
    """Tell whether two JSON values are equal in type and value.

    `1`, `1.0`, `True` and `"1"` all differ, and so do `0.0` and `-0.0`. Key order does not count.
    """
    kind = type(left)
    if kind is not type(right):
        return False
    if kind is dict:
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if kind is list:
        return len(left) == len(right) and all(map(same, left, right))
    if kind is float:
        return bool(left == right) and math.copysign(1.0, left) == math.copysign(1.0, right)
    return bool(left == right)


def legal_text(text: str) -> bool:
    """Tell whether both stores can hold the text: no U+0000 and no lone surrogate."""
    return "\x00" not in text and _encodable(text)


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build one JSON object, as the hook of a JSON parser.

    Raises:
        JSONRefusedError: A key stands twice.
    """
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise JSONRefusedError(f"the key {json.dumps(key)} stands twice in one object")
            seen.add(key)
    return members


def _no_constant(name: str) -> Any:
    raise JSONRefusedError(f"{name} is no JSON number")


def _double(literal: str) -> float:
    number = float(literal)
    if math.isinf(number):
        raise JSONRefusedError(f"the number {literal[:40]} is beyond a double")
    if number == 0.0 and any(digit in "123456789" for digit in literal.lower().split("e")[0]):
        raise JSONRefusedError(f"the number {literal[:40]} is too small for a double")
    return number


def _int64(literal: str) -> int:
    # 19 digits and a sign hold any 64-bit integer; longer ones are never converted.
    if len(literal) > 20 or not INT_MIN <= int(literal) <= INT_MAX:  # noqa: PLR2004
        raise JSONRefusedError(f"the integer {literal[:40]} is beyond signed 64 bits")
    return int(literal)


def _check(
    value: Any, path: tuple[str | int, ...], max_depth: int, legal: Callable[[str], bool]
) -> None:
    if isinstance(value, str):
        if not legal(value):
            raise JSONRefusedError("holds U+0000 or a lone surrogate", join(path))
    elif isinstance(value, bool) or value is None:
        return
    elif isinstance(value, int):
        if not INT_MIN <= value <= INT_MAX:
            raise JSONRefusedError("an integer beyond signed 64 bits", join(path))
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise JSONRefusedError("NaN and infinities are no JSON numbers", join(path))
    elif isinstance(value, dict | list):
        if len(path) >= max_depth:
            raise JSONRefusedError(f"nested deeper than {max_depth}", join(path[:8]))
        members = value.items() if isinstance(value, dict) else enumerate(value)
        for key, member in members:
            if isinstance(key, str) and not legal(key):
                raise JSONRefusedError("a key holds U+0000 or a lone surrogate", join(path))
            _check(member, (*path, key), max_depth, legal)


def _plain(value: Any, path: tuple[str | int, ...], max_depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        # str() of a str-based enum member gives its name in some Python versions.
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if len(path) >= max_depth:
        raise JSONRefusedError(f"nested deeper than {max_depth}", join(path[:8]))
    if isinstance(value, Mapping):
        copied = {}
        for key, member in value.items():
            if not isinstance(key, str):
                raise JSONRefusedError(f"a key of type {type(key).__name__}", join(path))
            copied[str.__str__(key)] = _plain(member, (*path, key), max_depth)
        return copied
    if isinstance(value, list):
        return [_plain(member, (*path, i), max_depth) for i, member in enumerate(value)]
    raise JSONRefusedError(f"a {type(value).__name__} is no JSON value", join(path))


# json.loads would make one anew for every document.
_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=unique,
    parse_constant=_no_constant,
    parse_float=_double,
    parse_int=_int64,
)
