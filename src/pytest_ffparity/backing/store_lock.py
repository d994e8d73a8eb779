"""The one lock of the file store: its writers, of all processes, come one after the other."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from filelock import FileLock

_LOCK: Final = "store.lock"
# Short beside a write: who has just let go must not always be the first to take it again.
_POLL: Final = 0.002


def locked(registry: Path, timeout: float) -> AbstractContextManager[object]:
    """Take the lock of a store; the context lets it go.

    Raises:
        filelock.Timeout: Somebody else holds it for so many seconds.
        OSError: It can't be taken.
    """
    # A new object for each use: a shared one lets its second user in.
    return FileLock(registry.with_name(_LOCK)).acquire(timeout=timeout, poll_interval=_POLL)
