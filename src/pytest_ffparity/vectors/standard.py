"""What the paths are held to: vectors, the matrix, and what is waived."""

from __future__ import annotations

import msgspec

from pytest_ffparity.vectors.acknowledged import Acknowledgement
from pytest_ffparity.vectors.model import MatrixFile, VectorFile
from pytest_ffparity.vectors.waivers import Waiver


class Standard(msgspec.Struct, frozen=True, kw_only=True):
    """All that decides what counts as parity.

    `matrix` is None where there was none yet. `commit` and `notes` are of a standard that was read
    from a git revision: the commit's full name, and what people should know about the reading, a
    sentence each.
    """

    files: tuple[VectorFile, ...]
    matrix: MatrixFile | None
    waivers: tuple[Waiver, ...] = ()
    acknowledged: tuple[Acknowledgement, ...] = ()
    commit: str | None = None
    notes: tuple[str, ...] = ()
