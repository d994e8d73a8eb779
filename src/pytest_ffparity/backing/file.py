"""The file backing: two JSON documents, read again when they change."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Generic, TypeAlias, TypeVar

from pytest_ffparity.backing.documents import (
    DocumentError,
    Overrides,
    Registry,
    read_overrides,
    read_registry,
)
from pytest_ffparity.evaluator.model import BackingState, Failed, Records
from pytest_ffparity.evaluator.names import FailSafe

_Content = TypeVar("_Content", Registry, Overrides)
_Signature: TypeAlias = tuple[int, int, int]

# A file system's clock ticks every few ms: a file written just now may be written again without
# a change of its time, and is trusted only once it is older than this.
_SETTLED_NS: Final = 50_000_000
_ATTEMPTS: Final = 3
_UNAVAILABLE: Final = Failed(FailSafe.BACKING_UNAVAILABLE)


class FileBacking:
    """Reads flags and overrides from two JSON documents.

    A document that can't be read leaves its last good state in force, with an alarm.

    Args:
        registry: Path of `registry.json`.
        overrides: Path of `override_examples.json`.
    """

    state: BackingState = "file"

    def __init__(self, registry: Path, overrides: Path) -> None:
        self._registry = _Watched(registry, read_registry)
        self._overrides = _Watched(overrides, read_overrides)

    @property
    def alarms(self) -> tuple[str, ...]:
        """What is wrong with the documents, as of the last read; empty when all is well."""
        return (*self._registry.alarms, *self._overrides.alarms)

    async def read(
        self, flag_key: str, tenant_id: str | None, user_id: str | None
    ) -> Records | Failed:
        """Give the flag's record and the caller's overrides from the documents in force."""
        registry = self._registry.current()
        overrides = self._overrides.current()
        if registry is None or overrides is None:
            return _UNAVAILABLE
        tenant = user = None
        if tenant_id is not None:
            tenant = overrides.tenant.get((flag_key, tenant_id))
            if user_id is not None:
                user = overrides.user.get((flag_key, tenant_id, user_id))
        return Records(registry.flags.get(flag_key), user, tenant)


class _Watched(Generic[_Content]):
    """One document: its last good content, and what is wrong with it now."""

    def __init__(self, path: Path, parse: Callable[[bytes], _Content]) -> None:
        self._path = path
        self._parse: Callable[[bytes], _Content] = parse
        self._seen: _Signature | None = None
        self._text: bytes | None = None
        self._good: _Content | None = None
        self._problem: str | None = None

    @property
    def alarms(self) -> tuple[str, ...]:
        alarms = [] if self._problem is None else [self._problem]
        if self._good is not None:
            alarms += [f"{self._path}: {alarm}" for alarm in self._good.alarms]
        return tuple(alarms)

    def current(self) -> _Content | None:
        """Give the content in force; None when there has been no good one yet."""
        try:
            if self._seen is None or self._seen != _signature(os.stat(self._path)):  # noqa: PTH116 - half the time of Path.stat, at every read
                self._reload()
        except OSError as error:
            self._seen = self._text = None
            self._fail(f"{error.strerror or error}; restore the file")
        return self._good

    def _reload(self) -> None:
        for _ in range(_ATTEMPTS):
            with self._path.open("rb") as stream:
                before = os.fstat(stream.fileno())
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
            self._good = self._parse(text)
        except DocumentError as error:
            self._fail(str(error))
        else:
            self._problem = None

    def _fail(self, problem: str) -> None:
        force = "nothing is" if self._good is None else "the last good state stays"
        self._problem = f"{self._path}: {problem} ({force} in force)"


def _signature(status: os.stat_result) -> _Signature:
    return (status.st_mtime_ns, status.st_size, status.st_ino)
