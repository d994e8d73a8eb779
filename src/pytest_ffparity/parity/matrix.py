"""The parity matrix, compiled: which row covers which field of a document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final, Literal, TypeAlias

import msgspec

from pytest_ffparity.formats.pointer import split
from pytest_ffparity.vectors.model import MatrixRow

Segments: TypeAlias = tuple[str, ...]

# Documents repeat their few fields; only indexes of long arrays could make the memo grow.
_MEMO_LIMIT: Final = 4096


class FieldRule(StrEnum):
    """What must hold of a field; `UNLISTED` is the rule of a field that no row names."""

    MUST_MATCH = "MUST_MATCH"
    MUST_DIFFER = "MUST_DIFFER"
    MAY_DIFFER = "MAY_DIFFER"
    UNLISTED = "UNLISTED"


class Row(msgspec.Struct, frozen=True):
    """One row of the matrix, ready for comparing."""

    id: str
    rule: FieldRule
    compare: Literal["exact", "unordered", "tolerance"]
    tolerance: float
    values: Mapping[str, Any]
    why: str


UNLISTED: Final = Row(
    "unlisted", FieldRule.UNLISTED, "exact", 0.0, {}, "no row of the matrix names this field"
)


class ParityMatrix:
    """Answers which row covers a field: the longest pointer wins, a name before a `*`."""

    def __init__(self, rows: Iterable[MatrixRow], document: str = "decision") -> None:
        self._rows = tuple(rows)
        self._document = document
        self._patterns: list[tuple[Segments, Row]] = []
        self.row_ids: list[str] = []
        for row in self._rows:
            if row.document != document:
                continue
            compiled = Row(
                row.id, FieldRule(row.rule), row.compare, row.tolerance or 0.0, row.values, row.why
            )
            if row.id not in self.row_ids:
                self.row_ids.append(row.id)
            self._patterns += [(split(field), compiled) for field in row.fields]
        self._patterns.sort(key=lambda p: _precedence(p[0]), reverse=True)
        self._covering: dict[Segments, Row] = {}
        self._finer: dict[Segments, bool] = {}
        self.must_differ = self.pointers(FieldRule.MUST_DIFFER)

    @property
    def demands(self) -> bool:
        """True when at least one row says that something must match."""
        return any(row.rule is FieldRule.MUST_MATCH for _, row in self._patterns)

    @property
    def words(self) -> set[str]:
        """Every name that the rows' pointers spell out."""
        return {segment for pattern, _ in self._patterns for segment in pattern} - {"*"}

    def of_one_path(self) -> ParityMatrix:
        """Give the rules for a path against itself: what has to differ between paths stays."""
        rows = [
            msgspec.structs.replace(row, rule="MUST_MATCH") if row.rule == "MUST_DIFFER" else row
            for row in self._rows
        ]
        return ParityMatrix(rows, self._document)

    def covering(self, path: Segments) -> Row:
        """Give the row whose pointer covers this field best, or `UNLISTED`."""
        found = self._covering.get(path)
        if found is None:
            found = next((row for p, row in self._patterns if _covers(p, path)), UNLISTED)
            if len(self._covering) < _MEMO_LIMIT:
                self._covering[path] = found
        return found

    def finer(self, path: Segments) -> bool:
        """Tell whether some row names a field below this one."""
        found = self._finer.get(path)
        if found is None:
            depth = len(path)
            found = any(len(p) > depth and _covers(p[:depth], path) for p, _ in self._patterns)
            if len(self._finer) < _MEMO_LIMIT:
                self._finer[path] = found
        return found

    def pointers(self, rule: FieldRule) -> list[Segments]:
        """Give the pointers without `*` whose own best row has this rule."""
        return [
            p
            for p, row in self._patterns
            if "*" not in p and row.rule is rule and self.covering(p) is row
        ]


def _covers(pattern: Segments, path: Segments) -> bool:
    return len(pattern) <= len(path) and all(
        p in ("*", s) for p, s in zip(pattern, path, strict=False)
    )


def _precedence(pattern: Segments) -> tuple[int, tuple[bool, ...]]:
    return len(pattern), tuple(segment != "*" for segment in pattern)
