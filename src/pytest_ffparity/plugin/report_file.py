"""The report file of a run: whole at every moment, and never older than the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ffparity.report import writing


def replace(path: Path, text: str) -> None:
    """Write the file that `--ffparity-report` names.

    Raises:
        pytest.UsageError: It can't be written.
    """
    try:
        writing.replace(path, text)
    except writing.NotWrittenError as error:
        raise pytest.UsageError(f"--ffparity-report: {error}") from error
