"""Finds out where and from what a run is made, for the report's header."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_ffparity import __version__
from pytest_ffparity.formats import instant
from pytest_ffparity.report.model import Source, Surroundings

if TYPE_CHECKING:
    from pytest_ffparity.parity.declared import Inventory
    from pytest_ffparity.plugin.settings import Settings


def surroundings(
    root: Path, inventory: Inventory | None = None, settings: Settings | None = None
) -> Surroundings:
    """Describe a run; without an inventory and settings, one that has not come so far."""
    versions = {
        "pytest-ffparity": __version__,
        "pytest": pytest.__version__,
        "python": platform.python_version(),
    }
    around = Surroundings(
        versions=versions,
        platform=f"{platform.system()} {platform.machine()}",
        cpus=os.cpu_count(),
        commit=_commit(root),
        started_at=instant.text(datetime.now(UTC)),
    )
    if inventory is None or settings is None:
        return around
    matrix = inventory.matrix_file
    return Surroundings(
        versions=around.versions,
        platform=around.platform,
        cpus=around.cpus,
        commit=around.commit,
        started_at=around.started_at,
        vectors=tuple(
            Source(inventory.name(f.path), f.digest, f.worlds_digest, len(f.vectors))
            for f in inventory.files
        ),
        matrix=Source(inventory.name(matrix.path), matrix.digest),
        rows=tuple(inventory.matrix.row_ids),
        generated=settings.fuzz,
        seed=settings.seed,
        command=settings.command,
    )


def _commit(root: Path) -> str | None:
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"],  # noqa: S607 - the user's own git
            cwd=root,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found.stdout.strip() or None if found.returncode == 0 else None
