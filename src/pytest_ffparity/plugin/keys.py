"""Where the plugin keeps things on pytest's objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from datetime import date

    from pytest_ffparity.parity.matrix import ParityMatrix
    from pytest_ffparity.plugin.progress import Progress
    from pytest_ffparity.plugin.settings import Settings
    from pytest_ffparity.plugin.termination import Termination
    from pytest_ffparity.vectors.waivers import Waiver

SETTINGS: pytest.StashKey[Settings] = pytest.StashKey()
MATRIX: pytest.StashKey[ParityMatrix] = pytest.StashKey()
TERMINATION: pytest.StashKey[Termination] = pytest.StashKey()
NONCE: pytest.StashKey[str] = pytest.StashKey()
# Every judgement made of an item, by a serial of its own.
JUDGEMENTS: pytest.StashKey[dict[str, str]] = pytest.StashKey()
# Those that are in force, and the day by which they are weighed.
WAIVERS: pytest.StashKey[tuple[Waiver, ...]] = pytest.StashKey()
TODAY: pytest.StashKey[date] = pytest.StashKey()
PROGRESS: pytest.StashKey[Progress] = pytest.StashKey()
# The plugin's options as they were before any conftest was read.
TYPED: pytest.StashKey[dict[str, object]] = pytest.StashKey()
EXIT_STATUS: pytest.StashKey[int] = pytest.StashKey()
