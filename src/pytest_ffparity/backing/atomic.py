"""Replacing a file as a whole, durably."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


class NotSyncedError(OSError):
    """The file is replaced, but a crash of the machine could bring the old one back."""


def write_atomic(path: Path, text: str) -> None:
    """Replace a file as a whole, durably; a link stays one, and what it leads to is replaced.

    Raises:
        NotSyncedError: The new file is there, and may not last.
        OSError: Any other leaves the old file and nothing else.
    """
    # Replacing a link would leave its readers and those of the file itself with two files.
    path = path.resolve()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(text.encode("utf-8"))
            stream.flush()
            # mkstemp's 0600 would lock out a service under another user.
            os.chmod(name, _mode(path))  # noqa: PTH101 - a name, as mkstemp gives it
            os.fsync(stream.fileno())
        os.replace(name, path)  # noqa: PTH105 - a name, as mkstemp gives it
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    try:
        sync_folder(path.parent)
    except OSError as error:
        raise NotSyncedError(error.errno, error.strerror) from error


def sync_folder(folder: Path) -> None:
    """Make what was created or replaced in a folder last."""
    if os.name == "nt":  # a folder can't be opened there
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode & 0o777
    except FileNotFoundError:
        return 0o644
