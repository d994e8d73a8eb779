"""A file that is read again when it changes; a broken one leaves its last good content in force."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Generic, TypeAlias, TypeVar

from pytest_ffparity.backing.documents import DocumentError

_Content = TypeVar("_Content")
_Signature: TypeAlias = tuple[int, int, int]

# A file system's clock ticks every few ms: a file written just now may be written again without
# a change of its time, and is trusted only once it is older than this.
_SETTLED_NS: Final = 50_000_000
_ATTEMPTS: Final = 3


class WatchedFile(Generic[_Content]):
    """One file that is read again when it changes: its last good content, and what is wrong now.

    Args:
        path: The file.
        parse: Gives its content, or raises DocumentError.
    """

    def __init__(self, path: Path, parse: Callable[[bytes], _Content]) -> None:
        self.path = path
        self._parse: Callable[[bytes], _Content] = parse
        self._seen: _Signature | None = None
        self._text: bytes | None = None
        self.good: _Content | None = None
        self.problem: str | None = None

    def current(self) -> _Content | None:
        """Give the content in force; None when there has been no good one yet."""
        try:
            if self._seen is None or self._seen != _signature(os.stat(self.path)):  # noqa: PTH116 - half the time of Path.stat, at every read
                self._reload()
        except OSError as error:
            self._seen = self._text = None
            self._fail(f"{error.strerror or error}; restore the file")
        return self.good

    def forget(self) -> None:
        """Begin anew, as if the file had never been read."""
        self._seen = self._text = self.good = self.problem = None

    def _reload(self) -> None:
        for _ in range(_ATTEMPTS):
            with open(self.path, "rb", opener=_opened) as stream:
                before = os.fstat(stream.fileno())
                if not stat.S_ISREG(before.st_mode):
                    raise OSError("it is no regular file")
                text = stream.read()
                after = os.fstat(stream.fileno())
            if _signature(before) == _signature(after) and len(text) == after.st_size:
                break
        else:
            self._seen = self._text = None
            self._fail("it is being written to all the time; write it by atomic replace")
            return
        settled = abs(time.time_ns() - after.st_mtime_ns) > _SETTLED_NS
        self._seen = _signature(after) if settled else None
        if text != self._text:
            self._text = text
            self._take(text)

    def _take(self, text: bytes) -> None:
        try:
            self.good = self._parse(text)
        except DocumentError as error:
            self._fail(str(error))
        else:
            self.problem = None

    def _fail(self, problem: str) -> None:
        force = "nothing is" if self.good is None else "the last good state stays"
        self.problem = f"{self.path}: {problem} ({force} in force)"


def _signature(status: os.stat_result) -> _Signature:
    return (status.st_mtime_ns, status.st_size, status.st_ino)


def _opened(path: str, flags: int) -> int:
    # Opening a pipe that nobody writes to would wait, and all callers with it.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
