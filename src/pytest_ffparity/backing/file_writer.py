"""Writes to the file store: a change and its envelope, durable together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from filelock import FileLock, Timeout

from pytest_ffparity.audit.envelope import TrailError
from pytest_ffparity.audit.outbox import Backlog
from pytest_ffparity.backing.changes import Change, check_ids
from pytest_ffparity.backing.documents import DocumentError
from pytest_ffparity.backing.held_store import HeldStore, said
from pytest_ffparity.backing.store_lock import locked
from pytest_ffparity.backing.writes import WriteUnavailableError, Written
from pytest_ffparity.evaluator.model import JSON, Identity
from pytest_ffparity.evaluator.permits import require_verified

_DELIVERY_LOCK: Final = "delivery.lock"
_T = TypeVar("_T")


class FileWriter:
    """Changes flags and overrides in the two documents; their trail is `audit.jsonl` beside them.

    Readers see a change at their next read. Writers, of all processes, come one after the other.
    A folder holds the registry of one store only: it has one trail. It is the outbox too.

    Args:
        registry: Path of `registry.json`; trail and lock stand beside the file it leads to.
        overrides: Path of `override_examples.json`.
        timeout: Seconds to wait for other writers.
    """

    def __init__(self, registry: Path, overrides: Path, *, timeout: float = 2.0) -> None:
        self._paths = (registry, overrides)
        self._timeout = timeout
        self._turn = asyncio.Lock()

    async def write(self, change: Change, *, actor: Identity, at: datetime) -> Written:
        """Make one write; see `Writer.write`."""
        require_verified(actor)
        check_ids(change)
        try:
            return await self._alone(lambda store: store.write(change, actor, at))
        except TrailError as error:
            raise WriteUnavailableError(str(error)) from error

    async def trail(self) -> list[dict[str, JSON]]:
        """Give the whole trail in its order, for `audit.chain.verify`.

        Raises:
            TrailError: It can't be read, now or at all; so for all that follow.
        """
        return await self._alone(HeldStore.documents)

    async def pending(self, limit: int) -> list[dict[str, JSON]]:
        """Give the oldest documents that wait, in their order, so many at most."""
        return await self._alone(lambda store: store.waiting(limit))

    async def delivered(self, document: dict[str, JSON]) -> None:
        """Note that the sink has taken the oldest of the waiting documents."""
        await self._alone(lambda store: store.delivered(document))

    async def backlog(self) -> Backlog:
        """Tell how much waits."""
        return await self._alone(HeldStore.backlog)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[bool]:
        """Take the turn to deliver, for as long as the context lasts; False: somebody has it."""
        lock = FileLock(self._registry().with_name(_DELIVERY_LOCK), thread_local=False)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            yield False
            return
        except OSError as error:
            raise TrailError(said(error)) from error
        try:
            yield True
        finally:
            lock.release()

    async def _alone(self, work: Callable[[HeldStore], _T]) -> _T:
        async with self._turn:
            # Not to be cut in two: a caller who gives up leaves a write that is made, or is not.
            return await asyncio.shield(asyncio.to_thread(self._locked, work))

    def _locked(self, work: Callable[[HeldStore], Any]) -> Any:
        # Links are followed anew each time: the lock and the trail belong to the file.
        registry = self._registry()
        try:
            with locked(registry, self._timeout):
                return work(HeldStore(registry, self._paths[1]))
        except Timeout:
            raise TrailError("another writer holds the store's lock") from None
        except DocumentError as error:
            raise TrailError(str(error)) from error
        except OSError as error:
            raise TrailError(said(error)) from error

    def _registry(self) -> Path:
        return self._paths[0].resolve()
