"""Compares two matrices field by field: which fields follow a looser rule than they did. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from pytest_ffparity.formats.pointer import join, split
from pytest_ffparity.formats.strict_json import canonical
from pytest_ffparity.parity.change import Change, Kind, changed
from pytest_ffparity.parity.matrix import FieldRule, ParityMatrix, Row, Segments
from pytest_ffparity.vectors.model import MatrixRow

# Stands for any segment that no pointer names: only a pointer's own `*` covers it.
_OTHER: Final = "*"
_Content: TypeAlias = tuple[str, str, float, str]


def loosened_rules(before: Sequence[MatrixRow], after: Sequence[MatrixRow]) -> Iterator[Change]:
    """Find the fields, of decisions and of audit envelopes, whose rule was loosened.

    A field that stands below another with the same loosening is not listed again. Of a document
    that had no rows nothing was compared, and nothing is loosened.
    """
    for document in dict.fromkeys(row.document for row in before):
        yield from _Comparison(before, after, document).loosened()


class _Comparison:
    """Two matrices for one kind of document."""

    def __init__(
        self, before: Sequence[MatrixRow], after: Sequence[MatrixRow], document: str
    ) -> None:
        self._document = document
        self._was = ParityMatrix(before, document)
        self._now = ParityMatrix(after, document)
        self._named = [_pointers(rows, document) for rows in (before, after)]

    def loosened(self) -> Iterator[Change]:
        """Walk every kind of field that some pointer of either matrix tells from its siblings."""
        pointers = list(dict.fromkeys(pointer for side in self._named for pointer in side))
        yield from self._at((), pointers, None)

    def _at(
        self, path: Segments, pointers: list[Segments], above: tuple[_Content, _Content] | None
    ) -> Iterator[Change]:
        was, now = self._was.covering(path), self._now.covering(path)
        here = (_content(was), _content(now))
        told = _loosening(was, now)
        if told is not None and here != above:
            yield self._change(path, told)
        depth = len(path)
        deeper = [pointer for pointer in pointers if len(pointer) > depth]
        for segment in sorted({pointer[depth] for pointer in deeper}):
            below = [pointer for pointer in deeper if pointer[depth] in (_OTHER, segment)]
            yield from self._at((*path, segment), below, here if told is not None else None)

    def _change(self, path: Segments, told: str) -> Change:
        place = join(path) or "(top level)"
        subject = place if self._document == "decision" else f"{self._document} {place}"
        # All that is ruled below belongs to the change: what is loosened there later is another.
        was, now = (
            sorted(
                [join(pointer), *map(str, _content(matrix.covering(pointer)))]
                for pointer in named
                if _meet(pointer, path)
            )
            for matrix, named in zip((self._was, self._now), self._named, strict=True)
        )
        return changed(Kind.RULE_LOOSENED, subject, told, was, now)


def _loosening(was: Row, now: Row) -> str | None:
    """Say how a field's rule was loosened; None where it was not."""
    if was.rule is now.rule:
        return _within_a_rule(was, now)
    match (was.rule, now.rule):
        case (FieldRule.MUST_MATCH, FieldRule.UNLISTED):
            # What no row names is a divergence by being there.
            return None
        case (FieldRule.MUST_MATCH | FieldRule.MUST_DIFFER, _):
            pass
        case (FieldRule.UNLISTED, FieldRule.MAY_DIFFER):
            pass
        case _:
            return None
    return f"rule loosened: {_named(was)} → {_named(now)}"


def _within_a_rule(was: Row, now: Row) -> str | None:
    if was.rule is FieldRule.MUST_DIFFER and canonical(was.values) != canonical(now.values):
        return f"values of {_named(was)} changed: {canonical(was.values)} → {canonical(now.values)}"
    if was.rule is not FieldRule.MUST_MATCH or now.compare == "exact":
        return None
    if now.compare != was.compare or now.tolerance > was.tolerance:
        return f"comparison of {_named(was)} loosened: {_comparison(was)} → {_comparison(now)}"
    return None


def _named(row: Row) -> str:
    return "UNLISTED" if row.rule is FieldRule.UNLISTED else f"{row.rule} ({row.id})"


def _comparison(row: Row) -> str:
    return f"tolerance {row.tolerance}" if row.compare == "tolerance" else row.compare


def _content(row: Row) -> _Content:
    return row.rule.value, row.compare, row.tolerance, canonical(row.values)


def _pointers(rows: Iterable[MatrixRow], document: str) -> list[Segments]:
    return [split(field) for row in rows if row.document == document for field in row.fields]


def _meet(pointer: Segments, path: Segments) -> bool:
    """Tell whether the pointer covers the field, or something below it."""
    return all(_OTHER in (p, s) or p == s for p, s in zip(pointer, path, strict=False))
