"""Puts a report in its file: whole at every moment."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from pytest_ffparity.errors import FFParityError


class NotWrittenError(FFParityError):
    """A report could not be put in its file; says which and why."""


def replace(path: Path, text: str) -> None:
    """Write a file by replacing it, making its folder if need be; a link stays one.

    Raises:
        NotWrittenError: It can't be written.
    """
    path = path.resolve()
    if path.exists() and not path.is_file():
        # Replaced it would be: as root, /dev/null too.
        raise NotWrittenError(f"{path} is no regular file")
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
        raise NotWrittenError(f"can't write {path}: {error.strerror}") from error
