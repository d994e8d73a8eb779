"""A circuit breaker: after several failures in a row, nobody waits for a dependency that is down."""

from __future__ import annotations

import math
from collections.abc import Callable


class Breaker:
    """Closed, open, or half open with one probe under way.

    Args:
        failures_to_open: Failures in a row that open it.
        open_seconds: For how long it then lets nothing through.
        monotonic: Its clock.
    """

    def __init__(
        self, failures_to_open: int, open_seconds: float, monotonic: Callable[[], float]
    ) -> None:
        self._limit = failures_to_open
        self._open_seconds = open_seconds
        self._monotonic = monotonic
        self._failures = 0
        self._open_until = -math.inf

    def lets_through(self) -> bool:
        """Tell whether a call may be made; its outcome must be told by one of the next two."""
        if self._failures < self._limit:
            return True
        now = self._monotonic()
        if now < self._open_until:
            return False
        # Half open: this call is the probe. Others wait as long for its outcome as they would for
        # an open breaker, so that a probe that never comes back shuts nobody out for ever.
        self._open_until = now + self._open_seconds
        return True

    def succeeded(self) -> None:
        """Close the breaker."""
        self._failures = 0

    def failed(self) -> None:
        """Count a failure; the breaker opens, or opens again."""
        self._failures += 1
        if self._failures >= self._limit:
            self._open_until = self._monotonic() + self._open_seconds
