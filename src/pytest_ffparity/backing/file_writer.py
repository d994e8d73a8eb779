"""Writes to the file store: a change and its envelope, durable together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from filelock import FileLock, Timeout

from pytest_ffparity.audit.envelope import PENDING, document_of, envelope_of
from pytest_ffparity.audit.outbox import Backlog
from pytest_ffparity.backing.changes import Change, check_ids, planned
from pytest_ffparity.backing.documents import DocumentError
from pytest_ffparity.backing.file_trail import TRAIL, FileTrail, TrailError
from pytest_ffparity.backing.stored_documents import StoredDocuments
from pytest_ffparity.backing.writes import WriteUnavailableError, Written
from pytest_ffparity.evaluator.model import JSON, Identity
from pytest_ffparity.evaluator.permits import require_verified
from pytest_ffparity.formats import instant

_LOCK: Final = "store.lock"
_T = TypeVar("_T")


class FileWriter:
    """Changes flags and overrides in the two documents; their trail is `audit.jsonl` beside them.

    Readers see a change at their next read. Writers, of all processes, come one after the other.

    Args:
        registry: Path of `registry.json`.
        overrides: Path of `override_examples.json`.
        timeout: Seconds to wait for other writers.
    """

    def __init__(self, registry: Path, overrides: Path, *, timeout: float = 2.0) -> None:
        self._paths = (registry, overrides)
        self._trail = FileTrail(registry.with_name(TRAIL))
        self._lock = registry.with_name(_LOCK)
        self._timeout = timeout
        self._turn = asyncio.Lock()

    async def write(self, change: Change, *, actor: Identity, at: datetime) -> Written:
        """Make one write; see `Writer.write`."""
        require_verified(actor)
        check_ids(change)
        return await self._alone(lambda: self._write(change, actor, at))

    async def trail(self) -> list[dict[str, JSON]]:
        """Give the whole trail in its order, for `audit.chain.verify`."""
        return await self._alone(self._documents)

    async def pending(self, limit: int) -> list[dict[str, JSON]]:
        """Give the oldest documents that wait, in their order, so many at most."""
        return [one for one in await self.trail() if one["sink_status"] == PENDING][:limit]

    async def delivered(self, document: dict[str, JSON]) -> None:
        """Note that the sink has taken the oldest of the waiting documents."""
        await self._alone(lambda: self._trail.mark_delivered(document["envelope"]["seq"]))

    async def backlog(self) -> Backlog:
        """Tell how much waits."""
        waiting = [one for one in await self.trail() if one["sink_status"] == PENDING]
        oldest = instant.parse(waiting[0]["recorded_at"]) if waiting else None
        return Backlog(len(waiting), oldest)

    async def _alone(self, work: Callable[[], _T]) -> _T:
        async with self._turn:
            # Not to be cut in two: a caller who gives up leaves a write that is made, or is not.
            return await asyncio.shield(asyncio.to_thread(self._locked, work))

    def _locked(self, work: Callable[[], _T]) -> _T:
        try:
            # One lock object each: a shared one lets its second user in.
            with FileLock(self._lock, timeout=self._timeout):
                return work()
        except Timeout:
            raise WriteUnavailableError("another writer holds the store's lock") from None
        except (DocumentError, TrailError) as error:
            raise WriteUnavailableError(str(error)) from error
        except OSError as error:
            raise WriteUnavailableError(_said(error)) from error

    def _documents(self) -> list[dict[str, JSON]]:
        # An envelope without its change is not shown to anybody: it could still be taken back.
        self._caught_up()
        return self._trail.documents()

    def _write(self, change: Change, actor: Identity, at: datetime) -> Written:
        documents = self._caught_up()
        head = self._trail.end().head
        effect, after = planned(change, documents.about(change, head.version))
        envelope = envelope_of(effect, actor=actor, at=at, head=head)
        document = document_of(envelope, number=envelope["seq"])
        length = self._trail.append(document)
        self._apply(documents, envelope, length)
        return Written(None if after is None else after.version, document)

    def _apply(self, documents: StoredDocuments, envelope: dict[str, Any], length: int) -> None:
        first, *others = documents.apply(envelope)
        try:
            documents.save(first)
        except OSError as error:
            try:
                self._trail.take_back(length)
            except OSError:
                raise WriteUnavailableError(_said(error), unknown=True) from error
            raise
        try:
            for path in others:
                documents.save(path)
        except OSError as error:
            # Half of it is there, and the trail will make up for the rest.
            raise WriteUnavailableError(_said(error), unknown=True) from error
        self._trail.applied(envelope)

    def _caught_up(self) -> StoredDocuments:
        """Give the documents, with the change made of which a crash left only the envelope."""
        documents = StoredDocuments(*self._paths)
        envelope = self._trail.end().to_apply
        if envelope is not None:
            for path in documents.apply(envelope):
                documents.save(path)
            self._trail.applied(envelope)
            documents = StoredDocuments(*self._paths)
        return documents


def _said(error: OSError) -> str:
    return error.strerror or type(error).__name__
