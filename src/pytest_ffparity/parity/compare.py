"""Compares what the paths answered, field by field, with each other and with the expectation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import combinations
from typing import Any, Final, TypeAlias

import msgspec

from pytest_ffparity.formats.pointer import join
from pytest_ffparity.formats.strict_json import canonical, same
from pytest_ffparity.parity.matrix import FieldRule, ParityMatrix, Row, Segments

Document: TypeAlias = Mapping[str, Any]


class Seen(msgspec.Struct, frozen=True):
    """What one side has at a field; missing is not null."""

    present: bool
    value: Any = None


MISSING: Final = Seen(False)


class Breach(msgspec.Struct, frozen=True):
    """What one path did to a field's rule; `against` is the path that it was held against."""

    path: str
    what: str
    against: str | None = None

    def __str__(self) -> str:
        """Give the breach in one sentence."""
        return f"{self.path} {self.what}"


class Divergence(msgspec.Struct, frozen=True, kw_only=True):
    """A field that breaks its rule.

    `expected` is None where nothing is expected but that the paths agree. `field` is a JSON pointer, `rule` the id of the matrix row (`unlisted` where none names the
    field), `must` that row's rule, `broken` what each path at fault did.
    """

    field: str
    rule: str
    must: str
    why: str
    expected: Seen | None
    paths: dict[str, Seen]
    broken: tuple[Breach, ...]
    odd: str | None = None
    explanation: tuple[str, ...] = ()
    count: int = 1
    case: str | None = None


def compare(
    expected: Document | None, answers: Mapping[str, Document], matrix: ParityMatrix
) -> list[Divergence]:
    """Find every field that breaks its rule.

    Args:
        expected: The vector's expectation, or None where there is none to meet.
        answers: Each path's decision as plain JSON; the first is the one the others must match.
        matrix: The rules.

    Returns:
        One divergence a field, in document order; empty when all is well.
    """
    documents = list(answers.values())
    if expected is not None:
        documents.append(expected)
    # What every path must show is not vindicated by being nowhere.
    nowhere = (p for p in matrix.must_differ if not any(at(d, p).present for d in documents))
    found = []
    for path in (*_fields((), documents, matrix), *nowhere):
        sides = {name: at(document, path) for name, document in answers.items()}
        wanted = None if expected is None else at(expected, path)
        row = matrix.covering(path)
        broken = _breaches(row, sides, wanted)
        if broken:
            found.append(
                Divergence(
                    field=join(path),
                    rule=row.id,
                    must=row.rule,
                    why=row.why,
                    expected=wanted,
                    paths=sides,
                    broken=tuple(broken),
                    odd=_odd_one_out(row, sides),
                )
            )
    return found


def _fields(
    path: Segments, documents: list[Any], matrix: ParityMatrix, *, top: bool = True
) -> Iterator[Segments]:
    """Give the fields to compare as wholes: those below which no row makes a difference."""
    containers = [d for d in documents if isinstance(d, dict | list)]
    if not matrix.finer(path) or not containers:
        yield path
        return
    if not top and (
        len({type(d) for d in containers}) > 1
        or len(containers) < len(documents)
        or not any(containers)
    ):
        # Another kind of thing on one side, or nothing inside: the node itself is the field.
        yield path
    keys = dict.fromkeys(key for d in containers for key in _keys(d))
    for key in keys:
        below = [at(d, (key,)) for d in containers]
        yield from _fields(
            (*path, key), [seen.value for seen in below if seen.present], matrix, top=False
        )


def _keys(node: dict[str, Any] | list[Any]) -> list[str]:
    return list(node) if isinstance(node, dict) else [str(i) for i in range(len(node))]


def at(document: Any, path: Segments) -> Seen:
    """Give what a document has at a field."""
    node = document
    for segment in path:
        if isinstance(node, Mapping):
            if segment not in node:
                return MISSING
            node = node[segment]
        elif isinstance(node, list):
            if not segment.isdecimal() or int(segment) >= len(node):
                return MISSING
            node = node[int(segment)]
        else:
            return MISSING
    return Seen(True, node)


def _breaches(row: Row, sides: Mapping[str, Seen], wanted: Seen | None) -> list[Breach]:
    names = list(sides)
    first = names[0]
    match row.rule:
        case FieldRule.UNLISTED:
            return [
                Breach(name, "has a field that no row names")
                for name in names
                if sides[name].present
            ]
        case FieldRule.MUST_DIFFER:
            return [
                Breach(name, f"must say {canonical(row.values.get(name, name))}")
                for name in names
                if not (sides[name].present and same(sides[name].value, row.values.get(name, name)))
            ] or [
                Breach(name, f"says the same as {other}", other)
                for other, name in combinations(names, 2)
                if same(sides[other].value, sides[name].value)
            ]
        case FieldRule.MAY_DIFFER:
            present = (wanted is not None and wanted.present) or sides[first].present
            return [
                Breach(name, "lacks the field" if present else "alone has the field")
                for name in names
                if sides[name].present is not present
            ]
        case _:
            equal = _EQUAL[row.compare]
            misses = [
                Breach(name, "misses the expectation")
                for name in names
                if wanted is not None and not _equal(wanted, sides[name], row, equal)
            ]
            parts = [
                Breach(name, f"differs from {first}", first)
                for name in names[1:]
                if not _equal(sides[first], sides[name], row, equal)
            ]
            return misses + parts


def _odd_one_out(row: Row, sides: Mapping[str, Seen]) -> str | None:
    if row.rule is not FieldRule.MUST_MATCH or len(sides) < 3:  # noqa: PLR2004 - one and the rest
        return None
    equal = _EQUAL[row.compare]
    for name, seen in sides.items():
        rest = [other for other_name, other in sides.items() if other_name != name]
        # Within a tolerance, two that differ may each be equal to a third: then nobody is odd.
        if all(_equal(one, other, row, equal) for one, other in combinations(rest, 2)) and not any(
            _equal(other, seen, row, equal) for other in rest
        ):
            return name
    return None


Equality: TypeAlias = Callable[[Any, Any, Row], bool]


def _equal(left: Seen, right: Seen, row: Row, equal: Equality) -> bool:
    if not (left.present and right.present):
        return left.present is right.present
    return equal(left.value, right.value, row)


def _exact(left: Any, right: Any, _row: Row) -> bool:
    return same(left, right)


def _unordered(left: Any, right: Any, _row: Row) -> bool:
    return same(_sorted(left), _sorted(right))


def _sorted(value: Any) -> Any:
    """Sort arrays at every depth by their members' canonical text."""
    if isinstance(value, list):
        return sorted((_sorted(member) for member in value), key=canonical)
    if isinstance(value, dict):
        return {key: _sorted(member) for key, member in value.items()}
    return value


def _within(left: Any, right: Any, row: Row) -> bool:
    """Compare numbers, integers and floats alike, within the row's absolute tolerance."""
    if _is_number(left) and _is_number(right):
        return bool(abs(left - right) <= row.tolerance)
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_within(left[k], right[k], row) for k in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(
            _within(a, b, row) for a, b in zip(left, right, strict=True)
        )
    return same(left, right)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_EQUAL: Final[dict[str, Equality]] = {
    "exact": _exact,
    "unordered": _unordered,
    "tolerance": _within,
}
