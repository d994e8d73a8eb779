"""The mark of a path under a row of the matrix."""

from __future__ import annotations

from enum import StrEnum

from pytest_ffparity.parity.judgement import Judgement


class Mark(StrEnum):
    """What a path did with a row's rules; the value is the mark in plain text."""

    KEPT = "."
    BROKEN = "x"
    RAISED = "!"
    UNSTABLE = "~"
    ABSENT = "-"


def mark(judgement: Judgement, row: str, name: str) -> Mark:
    """Find out what the path of that name did with the row."""
    path = judgement.paths.get(name)
    if path is None:
        return Mark.ABSENT
    if path.error is not None:
        return Mark.RAISED
    if any(u.path == name and u.rule in (row, "unstable") for u in judgement.unstable):
        return Mark.UNSTABLE
    broken = any(
        breach.path == name
        for divergence in judgement.divergences
        if divergence.rule == row
        for breach in divergence.broken
    )
    return Mark.BROKEN if broken else Mark.KEPT
