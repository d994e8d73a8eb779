"""The cache against an endpoint whose answers and whose clock the test sets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from threading import Thread
from typing import Any

import pytest

from pytest_ffparity.auth.fetch import Fetched, HTTPFetch
from pytest_ffparity.auth.jwks import Found, Held, JWKSCache, Missing
from pytest_ffparity.paths.http_server import JSONServer
from pytest_ffparity.paths.keys import KeyRing


class Endpoint(JSONServer):
    """Answers as it is told."""

    content_type = "application/jwk-set+json"
    status = 200
    document: Any = None

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        del method, path, body
        return self.status, self.document


class Seconds:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def endpoint(ring: KeyRing) -> Iterator[Endpoint]:
    server = Endpoint()
    server.document = ring.jwks(["k1"])
    yield server
    server.close()


@pytest.fixture
def clock() -> Seconds:
    return Seconds()


def run(
    endpoint: Endpoint,
    clock: Seconds,
    steps: Callable[[JWKSCache], Awaitable[None]],
    **options: Any,
) -> None:
    async def main() -> None:
        fetch = HTTPFetch(endpoint.url)
        cache = JWKSCache(fetch, monotonic=clock, jitter=lambda: 0.0, **options)
        try:
            await steps(cache)
        finally:
            await cache.aclose()

    asyncio.run(main())


def test_unknown_kids_are_asked_for_once_in_a_cool_down(
    endpoint: Endpoint, clock: Seconds, ring: KeyRing
) -> None:
    async def steps(cache: JWKSCache) -> None:
        for kid in ("a", "b", "c"):
            assert await cache.find("RS256", kid) is Missing.NOT_PUBLISHED
        assert endpoint.requests == 1
        clock.now += 29
        assert await cache.find("RS256", "a") is Missing.NOT_PUBLISHED
        assert endpoint.requests == 1
        clock.now += 1
        endpoint.document = ring.jwks(["k1", "k2"])
        assert isinstance(await cache.find("RS256", "k2"), Found)
        assert isinstance(await cache.find("RS256", "k1"), Found)
        assert endpoint.requests == 2

    # The set it starts with is seconds old, and still opens no cool-down.
    run(endpoint, clock, steps, held=Held(ring.jwks(["k1"]), 5))


def test_failures_back_off_and_a_success_ends_it(endpoint: Endpoint, clock: Seconds) -> None:
    endpoint.status = 503

    async def steps(cache: JWKSCache) -> None:
        for fetches, delay in enumerate((5, 10, 20, 30, 30), start=1):
            for kid in ("k1", "other"):
                assert await cache.find("RS256", kid) is Missing.NO_SET
            assert endpoint.requests == fetches
            assert cache.retry_after() == delay
            clock.now += delay - 1
            assert await cache.find("RS256", "k1") is Missing.NO_SET
            assert endpoint.requests == fetches
            clock.now += 1
        endpoint.status = 200
        assert isinstance(await cache.find("RS256", "k1"), Found)
        clock.now += 300
        endpoint.status = 503
        await cache.find("RS256", "k1")
        assert cache.retry_after() == 5

    run(endpoint, clock, steps)


def test_jitter_only_lengthens_a_back_off(endpoint: Endpoint, clock: Seconds) -> None:
    endpoint.status = 503

    async def main() -> None:
        cache = JWKSCache(HTTPFetch(endpoint.url), monotonic=clock, jitter=lambda: 1.0)
        await cache.find("RS256", "k1")
        assert cache.retry_after() == 6
        await cache.aclose()

    asyncio.run(main())


def test_a_key_of_a_set_beyond_the_stale_limit_is_not_brought_back(
    endpoint: Endpoint, clock: Seconds, ring: KeyRing
) -> None:
    async def steps(cache: JWKSCache) -> None:
        assert await cache.find("RS256", "old") is Missing.NOT_PUBLISHED
        assert isinstance(await cache.find("RS256", "k1"), Found)

    run(endpoint, clock, steps, held=Held(ring.jwks(["old"]), 3600))


def test_several_keys_for_a_token_without_kid_are_not_tried(
    endpoint: Endpoint, clock: Seconds, ring: KeyRing
) -> None:
    async def steps(cache: JWKSCache) -> None:
        assert await cache.find("RS256", None) is Missing.NOT_PUBLISHED

    run(endpoint, clock, steps, held=Held(ring.jwks(["k1", "k2"])))
    assert endpoint.requests == 0


@pytest.mark.parametrize(("said", "ttl"), [(60, 60), (1, 30), (9999, 300), (None, 300)])
def test_a_shorter_max_age_is_honoured_down_to_thirty_seconds(
    clock: Seconds, ring: KeyRing, said: int | None, ttl: float
) -> None:
    class Counting:
        fetches = 0

        async def __call__(self) -> Fetched:
            self.fetches += 1
            return Fetched(ring.jwks(["k1"]), said)

    async def main() -> None:
        fetch = Counting()
        cache = JWKSCache(fetch, monotonic=clock)
        await cache.find("RS256", "k1")
        clock.now += ttl - 0.5
        await cache.find("RS256", "k1")
        assert fetch.fetches == 1
        clock.now += 0.5
        await cache.find("RS256", "k1")
        assert fetch.fetches == 2

    asyncio.run(main())


def test_a_set_that_came_while_a_caller_looked_is_not_fetched_again(endpoint: Endpoint) -> None:
    class Interrupted:
        """Has another thread fetch the set just after the first caller has seen that it lacks."""

        looks = 0

        def __call__(self) -> float:
            self.looks += 1
            if self.looks == 1:
                other = Thread(target=lambda: asyncio.run(cache.find("RS256", "k1")))
                other.start()
                other.join(30)
            return 1000.0

    cache = JWKSCache(HTTPFetch(endpoint.url), monotonic=Interrupted())
    assert isinstance(asyncio.run(cache.find("RS256", "k1")), Found)
    assert endpoint.requests == 1


def test_a_flight_that_cannot_set_out_holds_up_nobody(
    endpoint: Endpoint, clock: Seconds, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_memory(_: Thread) -> None:
        raise MemoryError

    async def steps(cache: JWKSCache) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(Thread, "start", no_memory)
            assert await cache.find("RS256", "k1") is Missing.NO_SET
        assert isinstance(await cache.find("RS256", "k1"), Found)

    run(endpoint, clock, steps)


def test_a_clock_that_raises_leaves_no_flight_behind(endpoint: Endpoint) -> None:
    class Raising:
        reads = 0

        def __call__(self) -> float:
            self.reads += 1
            if self.reads == 3:
                raise RuntimeError("no clock")
            return 1000.0

    async def main() -> None:
        cache = JWKSCache(HTTPFetch(endpoint.url), monotonic=Raising())
        with pytest.raises(RuntimeError, match="no clock"):
            await cache.find("RS256", "k1")
        assert isinstance(await cache.find("RS256", "k1"), Found)

    asyncio.run(main())


@pytest.mark.parametrize("age", [0, 400])
def test_a_set_that_cannot_be_renewed_still_tells_what_it_refuses(
    endpoint: Endpoint, clock: Seconds, ring: KeyRing, age: float
) -> None:
    endpoint.status = 500
    first, second, third = ring.jwks(["k1", "k2", "k3"])["keys"]
    document = {"keys": [first, second, {**third, "use": "enc"}]}

    async def steps(cache: JWKSCache) -> None:
        assert await cache.find("RS256", "k3") is Missing.NOT_PUBLISHED
        assert await cache.find("RS256", None) is Missing.NOT_PUBLISHED
        assert await cache.find("RS256", "unknown") is Missing.NOT_REFRESHED

    run(endpoint, clock, steps, held=Held(document, age))
