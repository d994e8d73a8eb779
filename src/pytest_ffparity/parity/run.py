"""What all vectors of a run share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from pytest_ffparity.parity.matrix import ParityMatrix
from pytest_ffparity.parity.path import Path

DEADLINE_S: Final = 30.0


def _unheard(_text: str) -> None:
    """Take no notice."""


class Run(msgspec.Struct, frozen=True):
    """The paths, the rules, and the run's nonce.

    `materialise(request, world)` gives the request as a path gets it, tokens minted; a call of a
    path that takes longer than `deadline_s` counts as raised. `progress(text)` is told what a long
    vector is doing.
    """

    nonce: str
    paths: list[Path]
    matrix: ParityMatrix
    materialise: Callable[[Any, Any], Any]
    deadline_s: float = DEADLINE_S
    progress: Callable[[str], None] = _unheard
