"""What vector and matrix files hold once they are read: frozen values, worlds merged."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec

JSON: TypeAlias = Any


class Vector(msgspec.Struct, frozen=True, kw_only=True):
    """One request in one world, and the decision that every path has to give.

    `world` (None where the vector names none) is shared by every vector that names it; it,
    `request` and `expected` are to be copied before they are changed.
    """

    id: str
    title: str
    line: int
    world: JSON
    request: JSON
    expected: dict[str, JSON]


class MixCase(msgspec.Struct, frozen=True, kw_only=True):
    """One request of a stress phase; its share of the phase's calls is its share of the weights."""

    id: str
    weight: int
    request: JSON
    expected: dict[str, JSON]


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """A world that every path starts afresh in, and how many calls of which mix it gets there."""

    name: str
    world: JSON
    calls: int
    mix: tuple[MixCase, ...]


class Stress(msgspec.Struct, frozen=True, kw_only=True):
    """Phases under load, and the p99 in milliseconds that each path has to stay below."""

    concurrency: int
    p99_ms: float
    phases: tuple[Phase, ...]


class StressVector(msgspec.Struct, frozen=True, kw_only=True):
    """A vector that is many calls under load."""

    id: str
    title: str
    line: int
    stress: Stress


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One of many requests in one world; without an expectation, the paths have to agree."""

    id: str
    request: JSON
    expected: dict[str, JSON] | None = None


class CasesVector(msgspec.Struct, frozen=True, kw_only=True):
    """A vector that is many requests, asked one after the other in one world.

    `captured` is true where they were read from a capture: its ids and callers are real ones.
    """

    id: str
    title: str
    line: int
    world: JSON
    cases: tuple[Case, ...]
    captured: bool = False


AnyVector: TypeAlias = Vector | StressVector | CasesVector


class VectorFile(msgspec.Struct, frozen=True, kw_only=True):
    """A vector file that was read and found sound.

    The digests are SHA-256 in hex over canonical JSON: of the whole file, with the captures that it
    names, and of its worlds.
    """

    path: Path
    digest: str
    worlds_digest: str
    vectors: tuple[AnyVector, ...]


class MatrixRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row: the fields of a document (JSON pointers, `*` for one segment) and their rule.

    `tolerance` is absolute, and set with `compare` "tolerance" alone. `values` gives the value
    that each path must show for a MUST_DIFFER row, by path name; a path that it does not name
    shows its own name.
    """

    id: str
    line: int
    document: Literal["decision", "audit"]
    fields: tuple[str, ...]
    rule: Literal["MUST_MATCH", "MUST_DIFFER", "MAY_DIFFER"]
    compare: Literal["exact", "unordered", "tolerance"] = "exact"
    tolerance: float | None = None
    values: dict[str, JSON] = {}
    why: str


class MatrixFile(msgspec.Struct, frozen=True, kw_only=True):
    """A matrix file that was read and found sound; `digest` as in a vector file."""

    path: Path
    digest: str
    rows: tuple[MatrixRow, ...]
    required: tuple[str, ...]
