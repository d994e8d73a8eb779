"""E21 to E23: fetches that break, forks, threads, and more issuers than there are places."""

from __future__ import annotations

import asyncio
import math
import os
import select
import signal
import threading
import warnings
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pytest_ffparity.auth.fetch import Fetched, HTTPFetch
from pytest_ffparity.auth.jwks import Found, JWKSCache, Missing

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
ROUNDS, STEP = 40, 10.0


class Breaking(HTTPFetch):
    """Makes the real exchange, and then breaks as it is told, once."""

    breaks: Callable[[], None] | None = None

    async def __call__(self) -> Fetched:
        fetched = await super().__call__()
        breaks, self.breaks = self.breaks, None
        if breaks is not None:
            breaks()
            await asyncio.sleep(0)
        return fetched


def raises(error: BaseException) -> Callable[[], None]:
    def broken() -> None:
        raise error

    return broken


def cancels() -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()


class Breakable:
    """A cache at the endpoint, whose leader can be broken."""

    def __init__(self, url: str) -> None:
        self.now = 1000.0
        self.fetch = Breaking(url)
        self.cache = JWKSCache(self.fetch, monotonic=lambda: self.now, jitter=lambda: 0.0)

    async def many(self) -> set[type | Missing]:
        """What comes to 20 who ask at once."""
        found = await asyncio.gather(*(self.cache.find("RS256", "k1") for _ in range(20)))
        return {one if isinstance(one, Missing) else type(one) for one in found}

    def run(self, steps: Callable[[], Awaitable[None]]) -> None:
        async def main() -> None:
            async with asyncio.timeout(30):
                await steps()
            await self.cache.aclose()

        asyncio.run(main())


@pytest.fixture
def breakable(endpoint: Any) -> Breakable:
    return Breakable(f"{endpoint.url}/keys")


@pytest.mark.parametrize(
    "breaks",
    [
        *map(raises, (RuntimeError("no"), RecursionError(), MemoryError(), TimeoutError())),
        *map(raises, (SystemExit(1), KeyboardInterrupt(), asyncio.CancelledError())),
        cancels,
    ],
)
def test_E21_a_leader_that_breaks_is_a_failure_for_all_and_the_next_fetches(
    breakable: Breakable, endpoint: Any, breaks: Callable[[], None]
) -> None:
    breakable.fetch.breaks = breaks

    async def steps() -> None:
        assert await breakable.many() == {Missing.NO_SET}
        # A failure like any other: it is backed off from, and then tried anew.
        assert await breakable.many() == {Missing.NO_SET}
        assert endpoint.requests == 1
        breakable.now += 5
        assert await breakable.many() == {Found}
        assert endpoint.requests == 2

    breakable.run(steps)


def test_E21_without_a_thread_to_be_had_all_get_an_answer(
    breakable: Breakable, endpoint: Any
) -> None:
    async def steps() -> None:
        # No system has that much room for a stack.
        before = threading.stack_size(1 << 46)
        try:
            assert await breakable.many() == {Missing.NO_SET}
        finally:
            threading.stack_size(before)
        assert endpoint.requests == 0
        assert await breakable.many() == {Found}
        assert endpoint.requests == 1

    breakable.run(steps)


def test_E21_a_caller_who_is_cancelled_takes_nobody_along(
    breakable: Breakable, endpoint: Any
) -> None:
    endpoint.let.clear()

    async def steps() -> None:
        first, *others = (asyncio.create_task(breakable.cache.find("RS256", "k1")) for _ in "abc")
        assert await asyncio.to_thread(endpoint.asked.wait, 30)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        endpoint.let.set()
        assert all(isinstance(one, Found) for one in await asyncio.gather(*others))

    breakable.run(steps)
    assert endpoint.requests == 1


def test_E21_a_caller_whose_loop_ends_takes_nobody_along(
    breakable: Breakable, endpoint: Any
) -> None:
    endpoint.let.clear()
    tasks = []

    async def gives_up() -> None:
        # asyncio.run cancels what is left, and closes its loop.
        tasks.append(asyncio.create_task(breakable.cache.find("RS256", "k1")))
        assert await asyncio.to_thread(endpoint.asked.wait, 30)

    with ThreadPoolExecutor(1) as pool:
        asyncio.run(gives_up())
        assert tasks[0].cancelled()
        other = pool.submit(lambda: asyncio.run(breakable.many()))
        endpoint.let.set()
        assert other.result(30) == {Found}
    assert endpoint.requests == 1


def test_E21_a_fetch_that_is_given_up_answers_all_and_the_next_fetches(
    breakable: Breakable, endpoint: Any
) -> None:
    endpoint.let.clear()

    async def steps() -> None:
        waiting = asyncio.create_task(breakable.many())
        assert await asyncio.to_thread(endpoint.asked.wait, 30)
        await breakable.cache.aclose()
        assert await waiting == {Missing.NO_SET}
        endpoint.let.set()
        breakable.now += 5
        assert await breakable.many() == {Found}

    breakable.run(steps)
    assert endpoint.requests == 2


def in_a_fork(work: Callable[[], str]) -> str:
    """Give what a forked process says, which is ended after 30 s."""
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        # Python 3.12 warns that there are threads; that there are is the case that is shown.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        # Nothing of the test run may go on in the child, whatever happens.
        try:
            said = work()
        except BaseException as error:  # noqa: BLE001 - told to the parent
            said = repr(error)
        os.write(writer, said.encode())
        os._exit(0)
    os.close(writer)
    try:
        told = select.select([reader], [], [], 30)[0]
        return os.read(reader, 1000).decode() if told else "nothing for 30 s"
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(reader)


@forks
def test_E22_a_fork_goes_on_with_the_keys_and_fetches_for_itself(
    start: Any, endpoint: Any, issuer: Any
) -> None:
    service = start()
    endpoint.document = issuer.jwks("k1", "k2")
    assert service(issuer.token()) == "verified"
    # The threads of the endpoint live: it is the parent's.
    endpoint.document = issuer.jwks("k1", "k3")
    tokens = [issuer.token(), issuer.token(key="k2"), issuer.token(key="k3")]

    def child() -> str:
        with asyncio.Runner() as runner:
            held = [runner.run(service.ask(token)) for token in tokens[:2]]
            service.now += 30
            fetched = [runner.run(service.ask(token)) for token in tokens]
        return " ".join(held + fetched)

    assert in_a_fork(child) == " ".join(["verified"] * 5)
    assert endpoint.requests == 2
    service.now += 30
    assert service.at_once(tokens) == ["verified"] * 3
    assert endpoint.requests == 3


@forks
def test_E22_a_fork_while_a_fetch_is_under_way_makes_its_own(
    start: Any, endpoint: Any, issuer: Any
) -> None:
    service, token = start(), issuer.token()
    endpoint.let.clear()

    def child() -> str:
        return ", ".join(asyncio.run(both()))

    async def both() -> list[str]:
        return list(await asyncio.gather(service.ask(token), service.ask(token)))

    def let_when_both_have_asked() -> None:
        pause = threading.Event()
        any(endpoint.requests == 2 or pause.wait(0.01) for _ in range(250))
        endpoint.let.set()

    with ThreadPoolExecutor(2) as pool:
        waiting = pool.submit(service, token)
        assert endpoint.asked.wait(30)
        pool.submit(let_when_both_have_asked)
        assert in_a_fork(child) == "verified, verified"
        assert waiting.result(30) == "verified"
    assert endpoint.requests == 2


def test_E22_eight_threads_with_a_loop_each_share_one_fetch(
    start: Any, endpoint: Any, issuer: Any
) -> None:
    service = start()
    endpoint.let.clear()
    together = threading.Barrier(8)
    tokens = [issuer.token(key=key) for key in ("k1", "k2") for _ in range(10)]

    async def ask_all() -> list[str]:
        return list(await asyncio.gather(*map(service.ask, tokens)))

    def one_thread() -> list[str]:
        together.wait(30)
        return asyncio.run(ask_all())

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(one_thread) for _ in range(8)]
        assert endpoint.asked.wait(30)
        endpoint.let.set()
        answers = [one.result(30) for one in asked]
    assert answers == [["verified"] * 10 + ["kid_not_found"] * 10] * 8
    assert endpoint.requests == 1


@pytest.fixture
def endpoints(endpoint: Any) -> Iterator[list[Any]]:
    """17 endpoints, all of which publish `k1`."""
    made = [endpoint, *(type(endpoint)(endpoint.document) for _ in range(16))]
    yield made
    for one in made[1:]:
        one.close()


def holding(service: Any) -> int:
    return sum(
        cache._held.keys is not None for cache in service.authenticator._keys._caches.values()
    )


def test_E23_one_issuer_more_than_places_costs_one_fetch_a_cool_down(
    start: Any, endpoints: list[Any], issuer: Any
) -> None:
    issuers = {f"https://issuer-{n}.example": one.url for n, one in enumerate(endpoints)}
    service = start(issuers=issuers)
    tokens = [issuer.token(claims={"iss": name}) for name in issuers]
    verified = [0] * 17
    for turn in range(ROUNDS):
        for n, token in enumerate(tokens):
            answer = service(token)
            verified[n] += answer == "verified"
            assert answer in {"verified", "jwks_unreachable"}
            assert holding(service) <= 16
        # One at first, and one more in each cool-down at most.
        assert max(one.requests for one in endpoints) <= 1 + turn * STEP / 30
        service.now += STEP
    # Nobody is shut out for good, and most are not for a moment.
    assert min(verified) > ROUNDS / 2
    assert sum(verified) >= ROUNDS * 16


def test_E23_seventeen_at_once_find_sixteen_places(
    start: Any, endpoints: list[Any], issuer: Any
) -> None:
    issuers = {f"https://issuer-{n}.example": one.url for n, one in enumerate(endpoints)}
    service = start(issuers=issuers)
    tokens = [issuer.token(claims={"iss": name}) for name in issuers]
    assert service.at_once(tokens * 3) == (["verified"] * 16 + ["jwks_unreachable"]) * 3
    for turn in range(30):
        # Up for the first half of the time, down for the second.
        for one in endpoints:
            one.status = 200 if turn < 15 else 500
        service.at_once(tokens)
        assert holding(service) <= 16
        assert all(one.requests <= 4 + math.ceil(turn * STEP / 30) for one in endpoints)
        service.now += STEP
