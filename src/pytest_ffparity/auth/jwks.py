"""The key set of one endpoint: when it is asked for anew, and what is said while it can't be."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from enum import Enum, auto
from typing import Any, Final

import msgspec

from pytest_ffparity.auth.fetch import BOUNDS, FetchError, JWKSFetch
from pytest_ffparity.auth.flight import Flight
from pytest_ffparity.auth.held_keys import HeldKeys
from pytest_ffparity.auth.keys import PublicKey
from pytest_ffparity.auth.keyset import KeySetError, read_key_set
from pytest_ffparity.auth.pace import Pace
from pytest_ffparity.evaluator.health import Health, Pulse
from pytest_ffparity.evaluator.protocols import Clock, wall_clock
from pytest_ffparity.logs import logger

# A fetch ends by itself within its total; this is for one that breaks its word.
_LONGEST: Final = BOUNDS.total + 0.2
# Who has a key that is still good waits no longer than this for a set that is over its time.
_PATIENCE: Final = 0.5
_ONLY: Final = "flight"

_log = logger(__name__)


class Held(msgspec.Struct, frozen=True):
    """The key set that a cache starts with, and how many seconds ago it was fetched."""

    document: Any
    age: float = 0.0


class Found(msgspec.Struct, frozen=True, gc=False):
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

    Callers may come from several event loops and threads, and go on in a forked process. Times are
    seconds of the monotonic clock.

    Args:
        fetch: Gets the published set.
        held: The set it starts with; it opens no cool-down.
        overlap: For how long a key that left the published set is still taken.
        monotonic: The clock of TTL, cool-down, back-off and overlap.
        clock: The wall clock, for its health.
        jitter: Gives 0..1; it lengthens a back-off, and never shortens one.

    Raises:
        KeySetError: `held` is no key set.
    """

    def __init__(  # noqa: PLR0913 - all but one have a default
        self,
        fetch: JWKSFetch,
        *,
        held: Held | None = None,
        overlap: float = 300.0,
        monotonic: Callable[[], float] = time.monotonic,
        clock: Clock = wall_clock,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._fetch = fetch
        self._overlap = overlap
        self._monotonic = monotonic
        self._held = HeldKeys()
        if held is not None:
            age = max(0.0, held.age)
            self._held = HeldKeys(read_key_set(held.document), monotonic() - age)
        self._pace = Pace(jitter)
        self._pulse = Pulse("jwks", clock)
        # Taken and left by single operations on a dict, which no other thread can cut in two.
        self._under_way: dict[str, Flight] = {}

    @property
    def health(self) -> Health:
        """How the endpoint is doing, as the last fetch tells."""
        return self._pulse.health

    def peek(self, alg: str, kid: str | None) -> PublicKey | None:
        """Give a token's key if a fresh set holds it; never fetches."""
        now = self._monotonic()
        return self._held.look_up(alg, kid, now)[0] if self._held.fresh(now) else None

    async def find(self, alg: str, kid: str | None) -> Found | Missing:
        """Look for a token's key, with at most one fetch; `kid` None takes an only fitting key."""
        held, now = self._held, self._monotonic()
        fresh = held.fresh(now)
        if fresh:
            key, settled = held.look_up(alg, kid, now)
            if key is not None:
                return Found(key)
            if settled:
                return Missing.NOT_PUBLISHED
        known = held.usable(now) and held.look_up(alg, kid, now)[0] is not None
        renewed = await self._renew(held, may_cool=fresh, wait=_PATIENCE if known else _LONGEST)
        held, now = self._held, self._monotonic()
        if not held.usable(now):
            return Missing.NO_SET
        key, settled = held.look_up(alg, kid, now)
        if key is not None:
            return Found(key, stale=not held.fresh(now))
        # A set that could not be renewed still tells what it holds and refuses under this name.
        settled = settled or held.names(kid)
        return Missing.NOT_PUBLISHED if renewed or settled else Missing.NOT_REFRESHED

    def retry_after(self) -> int:
        """Give the whole seconds until the endpoint will be asked again; 1 at least."""
        return self._pace.retry_after(self._monotonic())

    def at_rest(self) -> bool:
        """Tell whether no fetch is under way, and none is held back."""
        flight, now = self._under_way.get(_ONLY), self._monotonic()
        free = flight is None or flight.lost
        return free and self._pace.at_rest(now)

    def indispensable(self) -> bool:
        """Tell whether its keys are in use and could not be had again: the last fetch failed."""
        return self._pace.failing and self._held.usable(self._monotonic())

    def forget(self) -> None:
        """Give up the keys; what is known about the endpoint stays."""
        self._held = HeldKeys()

    async def aclose(self) -> None:
        """Give up a fetch that is under way."""
        flight = self._under_way.get(_ONLY)
        if flight is not None and not flight.lost:
            flight.call_off()
            await flight.wait(_LONGEST)

    async def _renew(self, seen: HeldKeys, *, may_cool: bool, wait: float) -> bool:
        """Fetch the set unless that is held back now; tell whether the latest attempt succeeded."""
        held_back = self._held_back(seen, may_cool=may_cool)
        if held_back is not None:
            return held_back
        mine = Flight(self._fetch_once, lambda: self._leave(mine))
        flight = self._under_way.setdefault(_ONLY, mine)
        if flight.lost:
            self._leave(flight)
            flight = self._under_way.setdefault(_ONLY, mine)
        if flight is mine:
            self._set_out(mine, seen, may_cool=may_cool)
        return await flight.wait(wait)

    def _set_out(self, mine: Flight, seen: HeldKeys, *, may_cool: bool) -> None:
        try:
            # Asked again: whoever was faster has left its mark before it left.
            held_back = self._held_back(seen, may_cool=may_cool)
        except BaseException:
            # A flight that nobody starts would be waited for by everybody.
            mine.end(succeeded=False)
            raise
        if held_back is None:
            mine.start()
        else:
            mine.end(succeeded=held_back)

    def _held_back(self, seen: HeldKeys, *, may_cool: bool) -> bool | None:
        # A set that came since the caller looked is as good as one fetched for it.
        if self._held is not seen:
            return True
        return self._pace.held_back(self._monotonic(), may_cool=may_cool)

    def _leave(self, flight: Flight) -> None:
        if self._under_way.get(_ONLY) is flight:
            self._under_way.pop(_ONLY, None)

    async def _fetch_once(self) -> bool:
        try:
            fetched = await self._fetch()
            keys = read_key_set(fetched.document)
        except (FetchError, KeySetError) as error:
            self._failed(str(error))
            return False
        except BaseException as error:
            # A defect in between, or a fetch called off, is a failed fetch too.
            self._failed(type(error).__name__)
            raise
        now = self._monotonic()
        self._held = self._held.renewed(
            keys, max_age=fetched.max_age, overlap=self._overlap, now=now
        )
        self._pace.succeeded(now)
        self._pulse.up()
        _log.info("jwks.renewed", keys=len(keys.by_kid) + len(keys.unnamed))
        return True

    def _failed(self, why: str) -> None:
        self._pace.failed(self._monotonic())
        self._pulse.down(why)
        _log.warning("jwks.not_renewed", why=why)
