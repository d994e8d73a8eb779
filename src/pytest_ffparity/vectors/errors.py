"""A vector or matrix file that can't be used: every problem at once, each with its place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from pytest_ffparity.errors import FFParityError


class FileProblem(msgspec.Struct, frozen=True):
    """One problem of a file; the pointer is None where there is no JSON to point into."""

    line: int | None
    pointer: str | None
    sentence: str


class VectorFileError(FFParityError):
    """A vector or matrix file that is missing, unreadable or unsound.

    Attributes:
        path: The file.
        problems: All that is wrong with it.
        remedy: What to do about it.
    """

    def __init__(self, path: Path, problems: Sequence[FileProblem], remedy: str) -> None:
        self.path = path
        self.problems = tuple(problems)
        self.remedy = remedy
        super().__init__("\n".join([*map(self._told, self.problems), remedy]))

    def _told(self, problem: FileProblem) -> str:
        place = f"{self.path}" if problem.line is None else f"{self.path}:{problem.line}"
        if problem.pointer is None:
            return f"{place}: {problem.sentence}"
        return f"{place}: {problem.pointer or '(top level)'}: {problem.sentence}"
