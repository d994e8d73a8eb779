"""What a standard asks less than an earlier one did, and what of it nobody stands for. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pytest_ffparity.parity.change import Change, Kind, changed
from pytest_ffparity.parity.loosened_rules import loosened_rules
from pytest_ffparity.parity.matrix import ParityMatrix
from pytest_ffparity.parity.weakened_vectors import weakened_vectors
from pytest_ffparity.vectors.acknowledged import Acknowledgement
from pytest_ffparity.vectors.model import MatrixFile
from pytest_ffparity.vectors.standard import Standard
from pytest_ffparity.vectors.waivers import Waiver


def weakenings(before: Standard, after: Standard) -> tuple[Change, ...]:
    """List what asks less, or something else, than it did; what is new or stricter is not listed.

    Without a matrix before, its rules and required vectors are all new.
    """
    known = before.matrix or after.matrix
    matrix = ParityMatrix(known.rows) if known is not None else None
    found = list(weakened_vectors(before.files, after.files, matrix))
    if before.matrix is not None:
        found += _no_longer_required(before.matrix, after.matrix)
        found += loosened_rules(before.matrix.rows, after.matrix.rows if after.matrix else ())
    found += _waived(before.waivers, after.waivers)
    return tuple({change.id: change for change in found}.values())


def unacknowledged(
    changes: Iterable[Change], acknowledgements: Iterable[Acknowledgement]
) -> tuple[Change, ...]:
    """Give the changes that no acknowledgement names by its exact id."""
    seen = {acknowledgement.change for acknowledgement in acknowledgements}
    return tuple(change for change in changes if change.id not in seen)


def _no_longer_required(before: MatrixFile, after: MatrixFile | None) -> Iterator[Change]:
    now = after.required if after is not None else ()
    for name in before.required:
        if name not in now:
            told = "no longer required: a run without it would be complete"
            yield changed(Kind.NO_LONGER_REQUIRED, name, told, was=True, now=False)


def _waived(before: Iterable[Waiver], after: Iterable[Waiver]) -> Iterator[Change]:
    known = {(waiver.vector, waiver.field): waiver.expires for waiver in before}
    for waiver in after:
        subject = f"{waiver.vector} {waiver.field}"
        until = waiver.expires.isoformat()
        was = known.get((waiver.vector, waiver.field))
        if was is None:
            told = f"waiver added, until {until} (owner: {waiver.owner}): {waiver.reason}"
            yield changed(
                Kind.WAIVER_ADDED, subject, told, None, [until, waiver.owner, waiver.reason]
            )
        elif waiver.expires > was:
            told = f"waiver extended: {was.isoformat()} → {until} (owner: {waiver.owner})"
            yield changed(Kind.WAIVER_EXTENDED, subject, told, was.isoformat(), until)
