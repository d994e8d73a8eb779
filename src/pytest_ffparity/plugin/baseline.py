"""Holds a run against a git revision: what asks less since then, and who answers for it."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING, Final

from pytest_ffparity.parity.baseline import unacknowledged, weakenings
from pytest_ffparity.plugin.options import (
    DEFAULT_ACKNOWLEDGED,
    DEFAULT_EXAMPLES,
    DEFAULT_MATRIX,
    DEFAULT_VECTORS,
    DEFAULT_WAIVERS,
)
from pytest_ffparity.report.model import Baseline, Weakening
from pytest_ffparity.vectors.acknowledged import read_acknowledgements
from pytest_ffparity.vectors.configured import Configured, typed
from pytest_ffparity.vectors.revision import read_standard_at
from pytest_ffparity.vectors.standard import Standard

_DEFAULTS: Final = Configured(
    vectors=(DEFAULT_VECTORS, DEFAULT_EXAMPLES),
    matrix=DEFAULT_MATRIX,
    waivers=DEFAULT_WAIVERS,
    acknowledged=DEFAULT_ACKNOWLEDGED,
)

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ffparity.parity.declared import Inventory
    from pytest_ffparity.plugin.settings import Settings


def held_against(
    ref: str, settings: Settings, inventory: Inventory, vectors: list[Path]
) -> Baseline:
    """Compare today's files with those of a revision.

    Raises:
        FFParityError: The revision, one of its files, or the acknowledgements can't be read.
    """
    before = read_standard_at(
        ref,
        inventory.root,
        vectors,
        settings.matrix,
        settings.waivers,
        settings.acknowledged,
        ini=settings.ini,
        defaults=_DEFAULTS,
        typed=_typed(settings),
    )
    after = Standard(files=inventory.files, matrix=inventory.matrix_file, waivers=inventory.waivers)
    acknowledged = (
        ()
        if settings.acknowledged is None
        else read_acknowledgements(settings.acknowledged).acknowledged
    )
    # An acknowledgement that the baseline holds itself is spent: it was of an earlier change.
    spent = {each.change for each in before.acknowledged}
    acknowledged = tuple(each for each in acknowledged if each.change not in spent)
    answered = {each.change: each for each in acknowledged}
    changes = weakenings(before, after)
    bare = unacknowledged(changes, acknowledged)
    return Baseline(
        ref=ref,
        commit=before.commit,
        notes=before.notes,
        weakenings=tuple(
            Weakening(change.id, change.told)
            if change in bare
            else Weakening(change.id, change.told, answered[change.id].who, answered[change.id].why)
            for change in changes
        ),
    )


def _typed(settings: Settings) -> list[str]:
    """Name what the command line says itself, and not the configuration's `addopts`."""
    words = shlex.split(os.environ.get("PYTEST_ADDOPTS", ""))
    found = typed([*words, *settings.arguments])
    return [name for name in found.__struct_fields__ if getattr(found, name)]


def objections(baseline: Baseline | None) -> list[str]:
    """Say what blocks: each weakening that nobody answers for."""
    if baseline is None:
        return []
    return [
        f"weakened since {baseline.ref}: {change.told}"
        for change in baseline.weakenings
        if change.who is None
    ]
