"""The report file: whole at every moment, and never older than the run."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

import pytest


def replace(path: Path, text: str) -> None:
    """Write a file by replacing it, making its folder if need be; a link stays one.

    Raises:
        pytest.UsageError: It can't be written.
    """
    path = path.resolve()
    if path.exists() and not path.is_file():
        # Replaced it would be: as root, /dev/null too.
        raise pytest.UsageError(f"--ffparity-report: {path} is no regular file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
            Path(temporary).chmod(0o644)
            Path(temporary).replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
            raise
    except OSError as error:
        raise pytest.UsageError(
            f"--ffparity-report: can't write {path}: {error.strerror}"
        ) from error
