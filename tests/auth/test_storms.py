"""Many requests at once, or one after the other: what they cost the endpoint, and what they leave."""

from __future__ import annotations

import asyncio
import tracemalloc
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from threading import Event
from typing import Any

import pytest

from pytest_ffparity.auth.authenticator import TokenAuthenticator
from pytest_ffparity.auth.jwks import Held
from pytest_ffparity.auth.settings import AuthSettings
from pytest_ffparity.evaluator.model import Identity, Rejection
from pytest_ffparity.paths.http_server import JSONServer
from pytest_ffparity.paths.keys import ISSUER, KeyRing

NOW = datetime(2026, 4, 19, tzinfo=UTC)

Bearer = Callable[..., tuple[tuple[str, str], ...]]


class Endpoint(JSONServer):
    """Publishes a key set while it is up, and holds its answers back until it is let."""

    def __init__(self, document: Any) -> None:
        self.document = document
        self.status = 200
        self.asked, self.let = Event(), Event()
        super().__init__()

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        del method, path, body
        self.asked.set()
        self.let.wait(30)
        return self.status, self.document


@pytest.fixture
def endpoint(ring: KeyRing) -> Iterator[Endpoint]:
    server = Endpoint(ring.jwks(["k1"]))
    yield server
    server.let.set()
    server.close()


@contextmanager
def authenticator(endpoint: Endpoint, held: Any = None) -> Iterator[TokenAuthenticator]:
    settings = AuthSettings(issuers={ISSUER: f"{endpoint.url}/keys"})
    made = TokenAuthenticator(
        settings,
        clock=lambda: NOW,
        # It stands still: no cool-down ends because the machine is busy.
        monotonic=lambda: 1000.0,
        held=None if held is None else Held(held),
    )
    try:
        yield made
    finally:
        asyncio.run(made.aclose())


def told(answer: Identity | Rejection) -> str:
    return answer.code if isinstance(answer, Rejection) else str(answer.mode)


def unknown(good: str, kid: str) -> tuple[tuple[str, str], ...]:
    """A good token but for its kid; whether it is signed is not looked at without a key."""
    header = f'{{"alg":"RS256","typ":"JWT","kid":"{kid}"}}'.encode()
    head = urlsafe_b64encode(header).rstrip(b"=").decode()
    return (("Authorization", f"Bearer {head}.{good.split('.', 1)[1]}"),)


def test_a_thousand_cold_requests_by_good_and_unknown_keys_cost_one_fetch(
    endpoint: Endpoint, bearer: Bearer
) -> None:
    good = bearer()

    async def main(auth: TokenAuthenticator) -> list[str]:
        requests = [good, *(unknown(good[0][1], f"random-{n}") for n in range(499))] + [good] * 500
        asked = [asyncio.create_task(auth.authenticate(request)) for request in requests]
        assert await asyncio.to_thread(endpoint.asked.wait, 30)
        assert not any(one.done() for one in asked)
        endpoint.let.set()
        return [told(one) for one in await asyncio.gather(*asked)]

    with authenticator(endpoint) as auth:
        answers = asyncio.run(main(auth))
    assert answers == ["verified"] + ["kid_not_found"] * 499 + ["verified"] * 500
    assert endpoint.requests == 1


@pytest.mark.parametrize("status", [200, 500])
def test_a_thousand_random_kids_one_after_the_other_cost_one_fetch(
    endpoint: Endpoint, ring: KeyRing, bearer: Bearer, status: int
) -> None:
    endpoint.status = status
    endpoint.let.set()
    good = bearer()

    async def main(auth: TokenAuthenticator) -> set[str]:
        answers = set()
        for n in range(1000):
            request = unknown(good[0][1], f"random-{n}")
            answers.add(told(await auth.authenticate(request)))
            assert told(await auth.authenticate(good)) == "verified"
        return answers

    with authenticator(endpoint, held=ring.jwks(["k1"])) as auth:
        code = "kid_not_found" if status == 200 else "jwks_unreachable"
        assert asyncio.run(main(auth)) == {code}
    assert endpoint.requests == 1


def test_a_known_kid_is_answered_in_every_loop_while_a_refresh_hangs(
    endpoint: Endpoint, ring: KeyRing, bearer: Bearer
) -> None:
    good = bearer()

    async def ask(auth: TokenAuthenticator, request: tuple[tuple[str, str], ...]) -> str:
        return told(await auth.authenticate(request))

    with (
        authenticator(endpoint, held=ring.jwks(["k1"])) as auth,
        ThreadPoolExecutor(5) as pool,
    ):
        waiting = pool.submit(lambda: asyncio.run(ask(auth, unknown(good[0][1], "random"))))
        assert endpoint.asked.wait(30)
        known = [pool.submit(lambda: asyncio.run(ask(auth, good))) for _ in range(4)]
        assert [one.result(30) for one in known] == ["verified"] * 4
        assert not waiting.done()
        endpoint.let.set()
        assert waiting.result(30) == "kid_not_found"


def test_memory_is_flat_over_a_hundred_thousand_bad_tokens(
    endpoint: Endpoint, ring: KeyRing, bearer: Bearer
) -> None:
    endpoint.let.set()
    head, body, tail = bearer()[0][1].removeprefix("Bearer ").split(".")
    expired = bearer("expired")[0][1].removeprefix("Bearer ").split(".")
    numbers = count()

    def bad() -> tuple[str, ...]:
        """One of each kind, none of which was there before."""
        n = next(numbers)
        mark = f"{n:08}"
        kid = unknown(f"{head}.{body}.{tail}", mark)[0][1].removeprefix("Bearer ")
        return (
            kid,
            f"{mark}.{body}.{tail}",
            f"{head}.{body}.{mark}",
            f"{head}.{mark}.{tail}",
            f"{mark}{head}.{body}.{tail}=",
            f"{expired[0]}.{expired[1]}.{mark}",
            mark * 2000,
            f"{mark}..",
            ".".join(expired),
            f"{head}.{body}.{tail}.{mark}",
        )

    async def ask(auth: TokenAuthenticator, times: int) -> set[str]:
        answers = set()
        for _ in range(times):
            for token in bad():
                answers.add(told(await auth.authenticate((("Authorization", f"Bearer {token}"),))))
        return answers

    with authenticator(endpoint, held=ring.jwks(["k1"])) as auth, asyncio.Runner() as runner:
        first = runner.run(ask(auth, 4500))
        tracemalloc.start()
        try:
            # What is of a fixed size turns over once: from here on it gives for what it takes.
            runner.run(ask(auth, 500))
            between, _ = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            second = runner.run(ask(auth, 5000))
            after, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert len(auth._verified) == 0
    codes = {"token_malformed", "signature_invalid", "kid_not_found", "token_expired"}
    assert first == second == codes
    assert after - between < 20_000
    assert peak - between < 200_000
    assert endpoint.requests == 1
