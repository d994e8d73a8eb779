"""When a JWKS endpoint may be asked again: a cool-down, a back-off, and a ceiling over both."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

COOL_DOWN: Final = 30.0
BACK_OFF: Final = (5.0, 10.0, 20.0, 30.0)
JITTER: Final = 0.1
BURST: Final = 3


class Pace:
    """Counts attempts, failed ones too; times are seconds of the monotonic clock.

    However an endpoint behaves, it is asked at most 4 times and once more for every 30 s: an
    endpoint that is up and down in turns would otherwise start its back-off anew each time.

    Args:
        jitter: Gives 0..1; it lengthens a back-off, and never shortens one.
    """

    def __init__(self, jitter: Callable[[], float]) -> None:
        self._jitter = jitter
        self._failures = 0
        self._retry_at = -math.inf
        self._cool_until = -math.inf
        self._paid_until = -math.inf

    def held_back(self, now: float, *, may_cool: bool) -> bool | None:
        """Tell how the last attempt ended if it holds back another one, None if nothing does.

        Args:
            now: The present.
            may_cool: Whether a success holds back too: it does while the set is fresh.
        """
        if now < self._retry_at:
            return False
        return True if may_cool and now < self._cool_until else None

    @property
    def failing(self) -> bool:
        """Whether the last attempt failed."""
        return self._failures > 0

    def at_rest(self, now: float) -> bool:
        """Tell whether nothing would hold back an attempt."""
        return now >= max(self._retry_at, self._cool_until)

    def retry_after(self, now: float) -> int:
        """Give the whole seconds until an attempt is let through; 1 at least."""
        wait = self._retry_at - now
        return max(1, math.ceil(wait)) if math.isfinite(wait) else 1

    def succeeded(self, now: float) -> None:
        """Note an attempt that brought a set."""
        self._pay(now)
        self._failures = 0
        self._retry_at = -math.inf
        self._cool_until = now + COOL_DOWN

    def failed(self, now: float) -> None:
        """Note an attempt that brought none."""
        self._pay(now)
        delay = BACK_OFF[min(self._failures, len(BACK_OFF) - 1)]
        self._failures += 1
        paid = self._paid_until - BURST * COOL_DOWN
        self._retry_at = max(now + delay * (1 + JITTER * self._jitter()), paid)

    def _pay(self, now: float) -> None:
        # The generic cell rate algorithm: each attempt costs 30 s, of which some may be owed.
        self._paid_until = max(self._paid_until, now) + COOL_DOWN
