"""Reads a vector file: strictly, against its schema, and for what no schema can say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pytest_ffparity.formats.located import item_lines
from pytest_ffparity.formats.pointer import join
from pytest_ffparity.formats.schema import Problem
from pytest_ffparity.vectors import worlds
from pytest_ffparity.vectors.captured import read_capture
from pytest_ffparity.vectors.document import digest, load
from pytest_ffparity.vectors.model import (
    AnyVector,
    Case,
    CasesVector,
    MixCase,
    Phase,
    Stress,
    StressVector,
    Vector,
    VectorFile,
)

SCHEMA: Final = "parity_test_matrix.v1"
_STARTER: Final = (
    '{"schema_version": "1", "vectors": [{"id": "V-01", "title": "...", "request": {}, '
    '"expected": {}}]}'
)


def read_vector_file(path: Path) -> VectorFile:
    """Read and check a vector file.

    Raises:
        VectorFileError: The file is missing, not strict JSON, or unsound; tells every problem.
    """
    document = load(path, SCHEMA, starter=_STARTER)
    data = document.data
    named: dict[str, dict[str, Any]] = data.get("worlds", {})
    merged, problems = worlds.merged(named)
    problems += _repeated(data["vectors"], ("vectors",), "id")
    for index, raw in enumerate(data["vectors"]):
        problems += _vector_problems(raw, ("vectors", index), named)
    if problems:
        raise document.error(problems)
    lines = item_lines(document.text, "/vectors")
    captures = {
        name: read_capture(path.parent / name)
        for name in dict.fromkeys(raw.get("cases_file") for raw in data["vectors"])
        if name is not None
    }
    return VectorFile(
        path=path,
        digest=digest([data, captures] if captures else data),
        worlds_digest=digest(named),
        vectors=tuple(
            _vector(raw, line, merged, captures)
            for raw, line in zip(data["vectors"], lines, strict=True)
        ),
    )


def _vector_problems(
    raw: dict[str, Any], at: tuple[str | int, ...], named: Mapping[str, Any]
) -> Iterator[Problem]:
    if "stress" not in raw:
        yield from _unknown_world(raw, at, named)
        yield from _repeated(raw.get("cases", []), (*at, "cases"), "id")
        return
    phases = raw["stress"]["phases"]
    at = (*at, "stress", "phases")
    yield from _repeated(phases, at, "name")
    for index, phase in enumerate(phases):
        yield from _unknown_world(phase, (*at, index), named)
        yield from _repeated(phase["mix"], (*at, index, "mix"), "id")
        total = sum(case["weight"] for case in phase["mix"])
        if phase["calls"] < total:
            sentence = (
                f"found {phase['calls']} calls for weights that add up to {total}, "
                f"expected at least {total}, so that every case has its turn"
            )
            yield Problem(join([*at, index, "calls"]), sentence)


def _unknown_world(
    raw: Mapping[str, Any], at: tuple[str | int, ...], named: Mapping[str, Any]
) -> Iterator[Problem]:
    name = raw.get("world")
    if name is not None and name not in named:
        yield Problem(join([*at, "world"]), worlds.unknown(name, named))


def _repeated(
    items: list[dict[str, Any]], at: tuple[str | int, ...], key: str
) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, item in enumerate(items):
        before = first.setdefault(item[key], index)
        if before != index:
            sentence = (
                f'found the {key} "{item[key]}" again, expected each once '
                f"(first at {join([*at, before])})"
            )
            yield Problem(join([*at, index, key]), sentence)


def _vector(
    raw: dict[str, Any],
    line: int,
    merged: Mapping[str, dict[str, Any]],
    captures: Mapping[str, list[dict[str, Any]]],
) -> AnyVector:
    if "cases" in raw or "cases_file" in raw:
        captured = "cases_file" in raw
        listed = captures[raw["cases_file"]] if captured else raw["cases"]
        return CasesVector(
            id=raw["id"],
            title=raw["title"],
            line=line,
            world=merged.get(raw.get("world", "")),
            cases=tuple(
                Case(id=case["id"], request=case["request"], expected=case.get("expected"))
                for case in listed
            ),
            captured=captured,
        )
    if "stress" in raw:
        stress = raw["stress"]
        return StressVector(
            id=raw["id"],
            title=raw["title"],
            line=line,
            stress=Stress(
                concurrency=int(stress["concurrency"]),
                p99_ms=float(stress["p99_ms"]),
                phases=tuple(_phase(phase, merged) for phase in stress["phases"]),
            ),
        )
    return Vector(
        id=raw["id"],
        title=raw["title"],
        line=line,
        world=merged.get(raw.get("world", "")),
        request=raw["request"],
        expected=raw["expected"],
    )


def _phase(raw: dict[str, Any], merged: Mapping[str, dict[str, Any]]) -> Phase:
    return Phase(
        name=raw["name"],
        world=merged.get(raw.get("world", "")),
        calls=int(raw["calls"]),
        mix=tuple(
            MixCase(
                id=case["id"],
                weight=int(case["weight"]),
                request=case["request"],
                expected=case["expected"],
            )
            for case in raw["mix"]
        ),
    )
