"""The key set that is held: when it is asked for anew, and what is said while it can't be."""

from __future__ import annotations

import asyncio
import logging
import math
import random
import time
from collections.abc import Callable
from enum import Enum, auto
from typing import Any, Final

import msgspec

from pytest_ffparity.auth.fetch import FetchError, JWKSFetch
from pytest_ffparity.auth.keys import PublicKey
from pytest_ffparity.auth.keyset import KeySet, KeySetError, read_key_set

TTL: Final = 300.0
MIN_TTL: Final = 30.0
STALE_LIMIT: Final = 3600.0
COOL_DOWN: Final = 30.0
BACK_OFF: Final = (5.0, 10.0, 20.0, 30.0)
JITTER: Final = 0.1

_log = logging.getLogger(__name__)


class Held(msgspec.Struct, frozen=True):
    """The key set that a cache starts with, and how many seconds ago it was fetched."""

    document: Any
    age: float = 0.0


class Found(msgspec.Struct, frozen=True):
    """The key of a token; `stale` if the set is over its time and could not be renewed."""

    key: PublicKey
    stale: bool = False


class Missing(Enum):
    """Why there is no key for a token."""

    NOT_PUBLISHED = auto()
    """The set is up to date and does not hold it."""
    NOT_REFRESHED = auto()
    """A set is held without it, and could not be renewed."""
    NO_SET = auto()
    """No usable set is held, and none could be had."""


class JWKSCache:
    """Holds one endpoint's key set; at most one fetch is under way, and nobody waits for a lock.

    It belongs to the event loop that uses it first. Times are seconds of the monotonic clock.

    Args:
        fetch: Gets the published set.
        held: The set it starts with; it opens no cool-down.
        overlap: For how long a key that left the published set is still taken.
        monotonic: The clock of TTL, cool-down, back-off and overlap.
        jitter: Gives 0..1; it lengthens a back-off, and never shortens one.

    Raises:
        KeySetError: `held` is no key set.
    """

    def __init__(
        self,
        fetch: JWKSFetch,
        *,
        held: Held | None = None,
        overlap: float = 300.0,
        monotonic: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._fetch = fetch
        self._overlap = overlap
        self._monotonic = monotonic
        self._jitter = jitter
        self._keys = None if held is None else read_key_set(held.document)
        self._fetched_at = -math.inf if held is None else monotonic() - held.age
        self._ttl = TTL
        self._retired: dict[str, tuple[PublicKey, float]] = {}
        self._flight: asyncio.Task[bool] | None = None
        self._failures = 0
        self._retry_at = -math.inf
        self._cool_until = -math.inf

    async def find(self, alg: str, kid: str | None) -> Found | Missing:
        """Look for a token's key, with at most one fetch; `kid` None takes an only fitting key."""
        fresh = self._age() < self._ttl
        if fresh:
            key, settled = self._look_up(alg, kid)
            if key is not None:
                return Found(key)
            if settled:
                return Missing.NOT_PUBLISHED
        renewed = await self._renew(may_cool=fresh)
        if self._age() >= STALE_LIMIT:
            return Missing.NO_SET
        key, _ = self._look_up(alg, kid)
        if key is not None:
            return Found(key, stale=self._age() >= self._ttl)
        return Missing.NOT_PUBLISHED if renewed else Missing.NOT_REFRESHED

    def retry_after(self) -> int:
        """Give the whole seconds until the endpoint will be asked again; 1 at least."""
        wait = self._retry_at - self._monotonic()
        return max(1, math.ceil(wait)) if math.isfinite(wait) else 1

    async def aclose(self) -> None:
        """Give up a fetch that is under way, and close the connections."""
        if self._flight is not None:
            self._flight.cancel()
            await asyncio.wait({self._flight})
        await self._fetch.aclose()

    def _age(self) -> float:
        return self._monotonic() - self._fetched_at

    def _look_up(self, alg: str, kid: str | None) -> tuple[PublicKey | None, bool]:
        if self._keys is None:
            return None, False
        if kid is None:
            return self._keys.only_key(alg)
        key = self._keys.by_kid.get(kid)
        if key is None and kid in self._retired:
            retired, until = self._retired[kid]
            key = retired if self._monotonic() < until else None
        return key, False

    async def _renew(self, *, may_cool: bool) -> bool:
        """Fetch the set unless that is held back now; tell whether the latest attempt succeeded."""
        if self._flight is None or self._flight.done():
            now = self._monotonic()
            if now < self._retry_at:
                return False
            if may_cool and now < self._cool_until:
                return True
            # A task of its own: a caller that is cancelled takes nobody else's answer along.
            self._flight = asyncio.create_task(self._fetch_once())
        flight = self._flight
        await asyncio.wait({flight})
        return not flight.cancelled() and flight.result()

    async def _fetch_once(self) -> bool:
        try:
            fetched = await self._fetch()
            keys = read_key_set(fetched.document)
        except (FetchError, KeySetError) as error:
            self._failed(str(error))
            return False
        except Exception as error:  # noqa: BLE001 - a defect in between is a failed fetch too
            self._failed(type(error).__name__)
            return False
        self._take(keys, fetched.max_age)
        return True

    def _failed(self, why: str) -> None:
        delay = BACK_OFF[min(self._failures, len(BACK_OFF) - 1)]
        self._failures += 1
        self._retry_at = self._monotonic() + delay * (1 + JITTER * self._jitter())
        _log.warning("the JWKS could not be renewed: %s", why)

    def _take(self, keys: KeySet, max_age: int | None) -> None:
        now = self._monotonic()
        # Nobody knows when a key left the set while a path was idle: past the limit none comes back.
        gone = self._keys.by_kid if self._keys is not None and self._age() < STALE_LIMIT else {}
        retired = {kid: (key, now + self._overlap) for kid, key in gone.items()}
        # What was retired before keeps its own end.
        retired.update(self._retired)
        self._retired = {
            kid: (key, until)
            for kid, (key, until) in retired.items()
            if kid not in keys.named and now < until
        }
        self._keys = keys
        self._fetched_at = now
        self._ttl = TTL if max_age is None else min(TTL, max(MIN_TTL, max_age))
        self._failures = 0
        self._retry_at = -math.inf
        self._cool_until = now + COOL_DOWN
