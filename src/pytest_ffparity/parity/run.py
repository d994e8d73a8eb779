"""What all vectors of a run share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path as FolderPath
from typing import Any, Final

import msgspec

from pytest_ffparity.errors import FFParityError
from pytest_ffparity.parity.matrix import ParityMatrix
from pytest_ffparity.parity.path import Path, Question
from pytest_ffparity.parity.pseudonyms import Pseudonyms

DEADLINE_S: Final = 30.0


def _unheard(_text: str) -> None:
    """Take no notice."""


class Run(msgspec.Struct, frozen=True):
    """The paths, the rules, and the run's nonce.

    `materialise(request, world)` gives the request as a path gets it, tokens minted; a call of a
    path that takes longer than `deadline_s` counts as raised. `progress(text)` is told what a long
    vector is doing. `save` is the folder that shrunk examples are written to, `pseudonyms` what
    user ids of captured requests are shown as; None writes nothing, and shows them. `command` runs
    pytest on the same files.
    """

    nonce: str
    paths: list[Path]
    matrix: ParityMatrix
    materialise: Callable[[Any, Any], Any]
    deadline_s: float = DEADLINE_S
    progress: Callable[[str], None] = _unheard
    save: FolderPath | None = None
    pseudonyms: Pseudonyms | None = None
    command: str = "pytest"

    def question(
        self, vector: str, case: str | None, request: Any, world: Any, told: str | None = None
    ) -> Question:
        """Put a request to a path.

        Raises:
            FFParityError: It can't be made, as with a token that nobody can mint; names the case,
                or what is `told` in its place: an id may hide a user.
        """
        try:
            made = self.materialise(request, world)
        except FFParityError as error:
            if case is None:
                raise
            raise FFParityError(f"{told or f'case {case}'}: {error}") from None
        return Question(vector, case, made)
