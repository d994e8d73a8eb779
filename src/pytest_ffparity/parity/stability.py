"""A path against itself: what differs between two runs of one path is nobody else's divergence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

import msgspec

from pytest_ffparity.formats.pointer import split
from pytest_ffparity.parity.compare import MISSING, Divergence, Document, Seen, at, compare
from pytest_ffparity.parity.matrix import FieldRule, ParityMatrix

_FIRST, _SECOND = "the first run", "the second run"


class Unstable(msgspec.Struct, frozen=True, kw_only=True):
    """A field in which a path disagrees with itself.

    `field` is a JSON pointer; `first` and `second` are what two runs of the same request gave, in
    worlds made afresh. Where one of them raised, `error` says so and `field` is empty. `count` is
    the number of cases or calls that differ.
    """

    path: str
    field: str
    rule: str
    first: Seen = MISSING
    second: Seen = MISSING
    error: str | None = None
    case: str | None = None
    count: int = 1

    def __str__(self) -> str:
        """Give the finding in one sentence."""
        if self.error is not None:
            return f"{self.path} is unstable: {self.error}"
        return f"{self.path} is unstable at {self.field or 'the whole decision'} ({self.rule})"


@lru_cache(maxsize=8)
def _own(matrix: ParityMatrix) -> ParityMatrix:
    return matrix.of_one_path()


def unstable(
    path: str, first: Document, second: Document, matrix: ParityMatrix
) -> tuple[Unstable, ...]:
    """Compare two answers of one path to one request under the matrix."""
    found = compare(None, {_FIRST: first, _SECOND: second}, _own(matrix))
    return tuple(
        Unstable(
            path=path, field=d.field, rule=d.rule, first=d.paths[_FIRST], second=d.paths[_SECOND]
        )
        for d in found
        # An unlisted field is the comparison's to tell, unless it comes and goes.
        if d.must != FieldRule.UNLISTED or d.paths[_FIRST].present != d.paths[_SECOND].present
    )


def drifted(
    expected: Document | None,
    first: Mapping[str, Document],
    second: Mapping[str, Document],
    matrix: ParityMatrix,
) -> list[Unstable]:
    """Find the fields that keep their rule in the first run of all paths, and not in the second.

    Each path may be the same as itself within a tolerance, and still drift out of what is expected.
    """
    before = {d.field for d in compare(expected, first, matrix)}
    return [
        Unstable(
            path=breach.path,
            field=d.field,
            rule=d.rule,
            first=at(first[breach.path], split(d.field)),
            second=d.paths[breach.path],
        )
        for d in compare(expected, second, matrix)
        if d.field not in before
        for breach in {b.path: b for b in d.broken}.values()
    ]


def set_apart(divergences: Iterable[Divergence], shaky: Iterable[Unstable]) -> list[Divergence]:
    """Take out of divergences what rests on a field in which a path disagrees with itself."""
    places: dict[str, list[str]] = {}
    for each in shaky:
        places.setdefault(each.path, []).append(each.field)
    kept = []
    for divergence in divergences:
        here = {name for name, fields in places.items() if _touches(divergence.field, fields)}
        broken = tuple(b for b in divergence.broken if not here & {b.path, b.against})
        if broken:
            odd = None if divergence.odd in here else divergence.odd
            kept.append(msgspec.structs.replace(divergence, broken=broken, odd=odd))
    return kept


def _touches(field: str, fields: Iterable[str]) -> bool:
    return any(
        field == other or field.startswith(f"{other}/") or other.startswith(f"{field}/")
        for other in fields
    )
