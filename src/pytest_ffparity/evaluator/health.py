"""How a part of the service is doing: up or down, since when, and why."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec

from pytest_ffparity.evaluator.protocols import Clock
from pytest_ffparity.formats import instant

_NOT_ASKED: Final = "not asked yet"


class Health(msgspec.Struct, frozen=True):
    """One part's health; `up` is None until it has been asked for the first time."""

    part: str
    up: bool | None
    since: datetime
    why: str | None

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain JSON."""
        return {
            "part": self.part,
            "up": self.up,
            "since": instant.text(self.since),
            "why": self.why,
        }


class Pulse:
    """Remembers how a part's last exchange ended, and since when they end so.

    Args:
        part: The part's name.
        clock: The wall clock.
    """

    def __init__(self, part: str, clock: Clock) -> None:
        self._clock = clock
        self.health = Health(part, None, clock(), _NOT_ASKED)

    def up(self) -> None:
        """Note an exchange that ended well."""
        # The common case costs a comparison: no clock is read, nothing is made.
        if self.health.up is not True:
            self.health = Health(self.health.part, True, self._clock(), None)

    def down(self, why: str) -> None:
        """Note one that did not; `why` holds no secret."""
        now = self.health.since if self.health.up is False else self._clock()
        self.health = Health(self.health.part, False, now, why)
