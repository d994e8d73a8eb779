"""Whose keys a token is checked against: each issuer has the key set of its own URL."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import msgspec

from pytest_ffparity.auth.fetch import HTTPFetch
from pytest_ffparity.auth.jwks import Found, Held, JWKSCache, Missing
from pytest_ffparity.auth.keys import PublicKey
from pytest_ffparity.auth.pace import COOL_DOWN
from pytest_ffparity.auth.settings import AuthSettings
from pytest_ffparity.evaluator.health import Health
from pytest_ffparity.evaluator.protocols import Clock
from pytest_ffparity.net.environment import ConfigurationError

MAX_SETS: Final = 16


class IssuerKeys:
    """The key sets of all issuers, of which 16 are held at a time, the latest used ones.

    A set gives way to another only when its endpoint may be asked again, so that more issuers than
    places never make more fetches than the cool-down allows; and never while its endpoint is down,
    for then it could not come back. Until then the issuer that finds no place is answered as if its
    endpoint could not be reached.

    Args:
        settings: Checked settings.
        clock: The wall clock, for the health of the endpoints.
        monotonic: The clock of TTLs, cool-downs and back-offs.
        held: The set that an only endpoint's cache starts with.

    Raises:
        ConfigurationError: `held` is given for several endpoints.
        KeySetError: `held` is no key set.
    """

    def __init__(
        self,
        settings: AuthSettings,
        *,
        clock: Clock,
        monotonic: Callable[[], float],
        held: Held | None,
    ) -> None:
        urls = dict.fromkeys(settings.issuers.values())
        if held is not None and len(urls) > 1:
            raise ConfigurationError("a key set to start with goes with one JWKS URL, not several")
        caches = {
            url: JWKSCache(
                HTTPFetch(url, ca_file=settings.ca_file),
                held=held,
                overlap=settings.overlap,
                monotonic=monotonic,
                clock=clock,
            )
            for url in urls
        }
        self._caches = {issuer: caches[url] for issuer, url in settings.issuers.items()}
        self._crowded = len(caches) > MAX_SETS
        self._places: OrderedDict[JWKSCache, None] = OrderedDict()

    @property
    def health(self) -> tuple[Health, ...]:
        """How each endpoint is doing; one that is not alone is named by its issuers."""
        by_cache: dict[JWKSCache, list[str]] = {}
        for issuer, cache in self._caches.items():
            by_cache.setdefault(cache, []).append(issuer)
        if len(by_cache) == 1:
            return tuple(cache.health for cache in by_cache)
        return tuple(
            msgspec.structs.replace(cache.health, part=f"jwks {' '.join(issuers)}")
            for cache, issuers in by_cache.items()
        )

    @property
    def only(self) -> JWKSCache | None:
        """The one key set, where all issuers share it: no claim has to be read to choose it."""
        caches = set(self._caches.values())
        return caches.pop() if len(caches) == 1 else None

    def of(self, issuer: str) -> JWKSCache:
        """Give the key set of a configured issuer."""
        return self._caches[issuer]

    def peek(self, cache: JWKSCache, alg: str, kid: str | None) -> PublicKey | None:
        """Give a token's key if a fresh set holds it; never fetches."""
        key = cache.peek(alg, kid)
        if self._crowded and key is not None:
            self._has_place(cache)
        return key

    async def find(self, cache: JWKSCache, alg: str, kid: str | None) -> Found | Missing:
        """Look for a token's key in its issuer's set, which takes a place for it."""
        return await cache.find(alg, kid) if self._has_place(cache) else Missing.NO_SET

    def retry_after(self, cache: JWKSCache) -> int:
        """Give the whole seconds after which asking again may help."""
        return cache.retry_after() if cache in self._places else int(COOL_DOWN)

    async def aclose(self) -> None:
        """Give up every fetch that is under way."""
        await asyncio.gather(*(cache.aclose() for cache in set(self._caches.values())))

    def _has_place(self, cache: JWKSCache) -> bool:
        # Single operations on a dict: threads may come between two of them, and do no harm there.
        if cache not in self._places:
            if len(self._places) >= MAX_SETS and not self._gave_way():
                return False
            self._places[cache] = None
        with suppress(KeyError):
            self._places.move_to_end(cache)
        while len(self._places) > MAX_SETS:
            # Several came in at once, each after having made room for itself alone.
            with suppress(KeyError):
                self._places.popitem(last=False)[0].forget()
        return True

    def _gave_way(self) -> bool:
        for cache in list(self._places):
            if cache.at_rest() and not cache.indispensable():
                self._places.pop(cache, None)
                cache.forget()
                return True
        return False
