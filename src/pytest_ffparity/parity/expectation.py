"""Checks expectations against the matrix: whatever must match has to be expected."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pytest_ffparity.formats.pointer import join
from pytest_ffparity.parity.matrix import FieldRule, ParityMatrix, Segments
from pytest_ffparity.vectors.errors import FileProblem
from pytest_ffparity.vectors.model import CasesVector, StressVector, VectorFile


def lacking(file: VectorFile, matrix: ParityMatrix) -> Iterator[FileProblem]:
    """Find MUST_MATCH fields that an expectation does not name, and fields that no row names."""
    for line, at, expected in _expectations(file):
        for path in unnamed(expected, matrix):
            rule = matrix.covering(path).id
            sentence = f"found nothing, expected the field, because {rule} says MUST_MATCH"
            yield FileProblem(line, at + join(path), sentence)
        for path in _leaves(expected, (), matrix):
            if matrix.covering(path).rule is FieldRule.UNLISTED:
                sentence = "found a field that no row of the matrix names, expected none"
                yield FileProblem(line, at + join(path), sentence)


def nothing_to_compare(decision: Any, matrix: ParityMatrix) -> str | None:
    """Say which fields that must match a decision lacks, where nothing else demands them."""
    lacking = [join(path) for path in unnamed(decision, matrix)]
    if not lacking:
        return None
    return f"there is no {', '.join(lacking)} in the first path's decision, so nothing is compared"


def unnamed(expected: Any, matrix: ParityMatrix) -> list[Segments]:
    """Find the MUST_MATCH fields that an expectation does not name."""
    wanted = matrix.pointers(FieldRule.MUST_MATCH)
    return [path for path in wanted if not _names(expected, path)]


def _expectations(file: VectorFile) -> Iterator[tuple[int, str, Any]]:
    for index, vector in enumerate(file.vectors):
        if isinstance(vector, CasesVector):
            for number, each in enumerate(vector.cases):
                if each.expected is not None:
                    place = join(["vectors", index, "cases", number, "expected"])
                    yield vector.line, place, each.expected
            continue
        if not isinstance(vector, StressVector):
            yield vector.line, join(["vectors", index, "expected"]), vector.expected
            continue
        for p, phase in enumerate(vector.stress.phases):
            for m, case in enumerate(phase.mix):
                at = join(["vectors", index, "stress", "phases", p, "mix", m, "expected"])
                yield vector.line, at, case.expected


def _names(expected: Any, path: Segments) -> bool:
    for segment in path:
        if isinstance(expected, list) and segment.isdecimal() and int(segment) < len(expected):
            expected = expected[int(segment)]
        elif isinstance(expected, dict) and segment in expected:
            expected = expected[segment]
        else:
            return False
    return True


def _leaves(node: Any, path: Segments, matrix: ParityMatrix) -> Iterator[Segments]:
    if not matrix.finer(path) or not isinstance(node, dict | list) or not node:
        yield path
        return
    members = node.items() if isinstance(node, dict) else enumerate(node)
    for key, member in members:
        yield from _leaves(member, (*path, str(key)), matrix)
