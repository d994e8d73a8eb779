"""The file store in the hands of the one who holds its lock."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from pytest_ffparity.audit.envelope import document_of, envelope_of
from pytest_ffparity.audit.outbox import Backlog
from pytest_ffparity.backing.atomic import NotSyncedError
from pytest_ffparity.backing.changes import Change, planned
from pytest_ffparity.backing.file_trail import TRAIL, FileTrail
from pytest_ffparity.backing.stored_documents import StoredDocuments
from pytest_ffparity.backing.writes import WriteUnavailableError, Written
from pytest_ffparity.evaluator.model import JSON, Identity


class HeldStore:
    """Both documents and the trail beside the registry.

    All raise OSError, DocumentError or TrailError where a file can't be used.

    Args:
        registry: Path of the registry, links followed.
        overrides: Path of the overrides.
    """

    def __init__(self, registry: Path, overrides: Path) -> None:
        self._paths = (registry, overrides)
        self._trail = FileTrail(registry.with_name(TRAIL))

    def write(self, change: Change, actor: Identity, at: datetime) -> Written:
        """Make one write; see `Writer.write`."""
        head = self._caught_up().end().head
        documents = StoredDocuments(*self._paths)
        effect, after = planned(change, documents.about(change, head.version))
        envelope = envelope_of(effect, actor=actor, at=at, head=head)
        document = document_of(envelope, number=envelope["seq"])
        first, *others = documents.apply(envelope)
        length = self._trail.length
        try:
            self._trail.append(document)
            documents.save(first)
        except NotSyncedError as error:
            # The change is there: so is its envelope to be.
            raise WriteUnavailableError(said(error), unknown=True) from error
        except OSError as error:
            self._take_back(length, error)
            raise
        try:
            for path in others:
                documents.save(path)
        except OSError as error:
            # Half of it is there, and the trail will make up for the rest.
            raise WriteUnavailableError(said(error), unknown=True) from error
        self._trail.applied(envelope)
        return Written(None if after is None else after.version, document)

    def documents(self) -> list[dict[str, JSON]]:
        """Give the whole trail in its order."""
        return self._caught_up().documents()

    def waiting(self, limit: int) -> list[dict[str, JSON]]:
        """Give the oldest documents that are not delivered, so many at most."""
        return self._caught_up().waiting(limit)

    def delivered(self, document: dict[str, Any]) -> None:
        """Note that the oldest of them is delivered."""
        self._trail.delivered(document)

    def backlog(self) -> Backlog:
        """Tell how much waits."""
        return self._caught_up().backlog()

    def _take_back(self, length: int, cause: OSError) -> None:
        try:
            self._trail.take_back(length)
        except FileNotFoundError:
            return  # it never came to be
        except OSError:
            raise WriteUnavailableError(said(cause), unknown=True) from cause

    def _caught_up(self) -> FileTrail:
        """Give the trail, with the change made of which a crash left only the envelope."""
        # Else the envelope could still be taken back: it is not shown to anybody.
        envelope = self._trail.end().to_apply
        if envelope is not None:
            documents = StoredDocuments(*self._paths)
            for path in documents.apply(envelope):
                documents.save(path)
            self._trail.applied(envelope)
        return self._trail


def said(error: OSError) -> str:
    """Say what went wrong, without the paths."""
    return error.strerror or type(error).__name__
