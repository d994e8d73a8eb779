"""What both writers say to their callers."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Protocol

import msgspec

from pytest_ffparity.backing.changes import Change
from pytest_ffparity.errors import FFParityError
from pytest_ffparity.evaluator.model import JSON, Identity


class Written(msgspec.Struct, frozen=True):
    """A write that is made and durable.

    `version` is the record's now, None after a delete; `document` is the envelope as it is kept.
    """

    version: int | None
    document: dict[str, JSON]


class WriteUnavailableError(FFParityError):
    """A write that the store could not take.

    Attributes:
        http_status: What a front answers, 503.
        unknown: Whether it may have been made all the same. A repeat is safe in either case: it
            expects the old version, and is a conflict if the write was made.
    """

    http_status: Final = 503

    def __init__(self, why: str, *, unknown: bool = False) -> None:
        self.unknown = unknown
        made = "it may have been made: read the record again" if unknown else "nothing was written"
        super().__init__(f"the store could not take the write ({why}); {made}")


class Writer(Protocol):
    """Changes flags and overrides; every write leaves one envelope in the same step."""

    async def write(self, change: Change, *, actor: Identity, at: datetime) -> Written:
        """Make one write.

        Args:
            change: What is to be done.
            actor: Who does it.
            at: The present.

        Raises:
            NotVerifiedError: The actor is not a verified caller.
            ConflictError: The stored version is not the expected one; nothing was written.
            RecordError: The record may not be written; nothing was.
            WriteUnavailableError: The store could not take it.
        """
        ...
