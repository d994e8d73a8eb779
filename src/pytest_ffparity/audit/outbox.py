"""What delivery asks of a trail; both backings implement it."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

import msgspec

from pytest_ffparity.evaluator.model import JSON


class Backlog(msgspec.Struct, frozen=True):
    """What waits to be delivered: how many envelopes, and when the oldest was written."""

    depth: int
    oldest: datetime | None

    def to_dict(self, now: datetime) -> dict[str, JSON]:
        """Give it as plain JSON, with the age of the oldest in seconds."""
        age = None if self.oldest is None else (now - self.oldest).total_seconds()
        return {"depth": self.depth, "oldest_age_seconds": age}


class Outbox(Protocol):
    """The end of a trail that Admin's sink has not taken yet.

    All raise TrailError where the trail can't be read.
    """

    async def pending(self, limit: int) -> list[dict[str, JSON]]:
        """Give the oldest documents that wait, in their order, so many at most."""
        ...

    async def delivered(self, document: dict[str, JSON]) -> None:
        """Note that the sink has taken the oldest of the waiting documents."""
        ...

    async def backlog(self) -> Backlog:
        """Tell how much waits."""
        ...

    def turn(self) -> AbstractAsyncContextManager[bool]:
        """Take the turn to deliver, for as long as the context lasts; False: somebody has it.

        Whoever dies has lost it.
        """
        ...
