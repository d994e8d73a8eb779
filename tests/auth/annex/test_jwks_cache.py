"""E09 to E20, E24: when the endpoint is asked, and what is said while it can't be.

The endpoint is real; only the clock of what is kept is moved by the test.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

STALE = "verified jwks_stale"
DOWN = "decode-only auth_not_verified jwks_unreachable"
NOT_HELD = "decode-only auth_not_verified kid_not_found"


@pytest.fixture(scope="module")
def thousand(issuer: Any) -> list[str]:
    """Different tokens, soundly signed by `ed`."""
    return [issuer.token(key="ed", claims={"jti": str(n)}) for n in range(1000)]


@pytest.fixture(scope="module")
def random_kids(issuer: Any) -> list[str]:
    return [issuer.token(key="ed", header={"kid": f"random-{n}"}) for n in range(2000)]


def test_E09_a_thousand_first_requests_cost_one_fetch(
    start: Any, endpoint: Any, issuer: Any, thousand: list[str]
) -> None:
    endpoint.document = issuer.jwks("ed")
    endpoint.let.clear()
    service = start()

    async def main() -> list[str]:
        asked = [asyncio.create_task(service.ask(token)) for token in thousand]
        assert await asyncio.to_thread(endpoint.asked.wait, 30)
        # All of them wait by now, and the endpoint takes longer than any of them.
        assert not any(one.done() for one in asked)
        endpoint.let.set()
        return list(await asyncio.gather(*asked))

    assert service.runner.run(main()) == ["verified"] * 1000
    assert endpoint.requests == 1


@pytest.mark.parametrize(("dev", "shared"), [(False, "jwks_unreachable"), (True, DOWN)])
def test_E10_a_thousand_requests_share_one_failure(
    start: Any, endpoint: Any, thousand: list[str], *, dev: bool, shared: str
) -> None:
    endpoint.status = 500
    assert start(dev=dev).at_once(thousand) == [shared] * 1000
    assert endpoint.requests == 1


def test_E11_a_thousand_random_kids_cost_one_fetch(
    start: Any, endpoint: Any, issuer: Any, random_kids: list[str]
) -> None:
    service = start("k1", dev=True)
    assert service.at_once(random_kids[:1000]) == ["kid_not_found"] * 1000
    assert endpoint.requests == 1
    assert service.at_once(random_kids[1000:]) == ["kid_not_found"] * 1000
    assert endpoint.requests == 1
    assert service(issuer.token()) == "verified"


def by_chance(seed: int) -> Callable[[int, float], bool]:
    draw = Random(seed)  # noqa: S311 - a test's choice
    return lambda _fetches, _now: draw.random() < 0.5


# Whether the endpoint is up, by how often it has been asked, and by the time.
WEATHER: dict[str, Callable[[int, float], bool]] = {
    "up": lambda _fetches, _now: True,
    "down": lambda _fetches, _now: False,
    "in turns": lambda fetches, _now: fetches % 2 == 0,
    "in turns, down first": lambda fetches, _now: fetches % 2 == 1,
    # An attempt that succeeds ends the back-off, each time as soon as it has grown.
    "up each third time": lambda fetches, _now: fetches % 3 == 2,
    "up each fourth time": lambda fetches, _now: fetches % 4 == 3,
    "down each fourth time": lambda fetches, _now: fetches % 4 != 3,
    "up for 7 s, down for 7 s": lambda _fetches, now: now % 14 < 7,
    "by chance": by_chance(1),
}


@pytest.fixture(params=[(), ("k1",)], ids=["cold", "warm"])
def service(request: pytest.FixtureRequest, start: Any) -> Any:
    return start(*request.param)


@pytest.mark.parametrize("weather", WEATHER)
def test_E12_random_kids_cost_four_fetches_and_one_in_thirty_seconds(
    service: Any, endpoint: Any, issuer: Any, random_kids: list[str], weather: str
) -> None:
    up, answers = WEATHER[weather], set()

    async def main() -> None:
        for since, token in enumerate(random_kids[:1000]):
            service.now = 1000.0 + since
            endpoint.status = 200 if up(endpoint.requests, since) else 503
            answers.add(await service.ask(token))
            assert endpoint.requests <= 4 + math.ceil(since / 30)

    service.runner.run(main())
    assert answers <= {"kid_not_found", "jwks_unreachable"}
    # It does not give up either.
    assert endpoint.requests >= 1000 / 33
    endpoint.status = 200
    service.now += 33
    assert service(issuer.token()) == "verified"


def test_E13_a_known_kid_is_answered_while_a_refresh_hangs(
    start: Any, endpoint: Any, issuer: Any
) -> None:
    service = start("k1")
    endpoint.let.clear()
    unknown = issuer.token(header={"kid": "k9"})

    async def main() -> None:
        waiting = asyncio.create_task(service.ask(unknown))
        assert await asyncio.to_thread(endpoint.asked.wait, 30)
        for n in range(100):
            assert await service.ask(issuer.token(claims={"jti": str(n)})) == "verified"
        assert not waiting.done()
        endpoint.let.set()
        assert await waiting == "kid_not_found"

    service.runner.run(main())
    assert endpoint.requests == 1


def test_E14_a_set_over_its_time_serves_with_one_fetch_a_back_off(
    start: Any, endpoint: Any, issuer: Any
) -> None:
    endpoint.status = 500
    service = start("k1", age=299)
    assert service(issuer.token()) == "verified"
    assert endpoint.requests == 0
    service.now += 1
    # Four failures, each back-off over when its jitter is at the most: 5, 10, 20, 30 s and a tenth.
    for fetches, back_off in enumerate([5, 10, 20, 30, 30], start=1):
        for later in (0, 2, back_off - 2.5):
            service.now += later
            assert service(issuer.token()) == STALE
            assert service.at_once([issuer.token()] * 50) == [STALE] * 50
            assert endpoint.requests == fetches
        service.now += back_off / 10 + 1


def test_E14_an_unknown_kid_is_not_said_to_be_unpublished(
    start: Any, endpoint: Any, issuer: Any
) -> None:
    endpoint.status = 500
    unknown = issuer.token(header={"kid": "k9"})
    assert start("k1", age=400, dev=True)(unknown) == NOT_HELD
    assert start("k1", age=400)(unknown) == "jwks_unreachable"


@pytest.mark.parametrize(("dev", "expected"), [(False, "jwks_unreachable"), (True, DOWN)])
def test_E15_past_the_stale_limit_no_key_counts(
    start: Any, endpoint: Any, issuer: Any, *, dev: bool, expected: str
) -> None:
    endpoint.status = 500
    service = start("k1", age=3599, dev=dev)
    assert service(issuer.token()) == STALE
    service.now += 1
    assert service(issuer.token()) == expected
    assert endpoint.requests == 1


def test_E16_a_rotation_costs_one_fetch(start: Any, endpoint: Any, issuer: Any) -> None:
    service = start("k1")
    assert service(issuer.token()) == "verified"
    endpoint.document = issuer.jwks("k1", "k2")
    assert service(issuer.token(key="k2")) == "verified"
    assert service(issuer.token()) == "verified"
    assert service(issuer.token(claims={"jti": "another"})) == "verified"
    assert endpoint.requests == 1


def test_E17_a_key_that_left_the_set_is_taken_for_the_overlap(
    start: Any, endpoint: Any, issuer: Any
) -> None:
    service = start("k1")
    endpoint.document = issuer.jwks("k2")
    assert service(issuer.token(key="k2")) == "verified"
    assert service(issuer.token()) == "verified"
    service.now += 299
    assert service(issuer.token(claims={"jti": "another"})) == "verified"
    assert service(issuer.token()) == "verified"
    service.now += 1
    assert service(issuer.token()) == "kid_not_found"
    # Refreshes in between don't prolong it, and it is the same over a longer one.
    service = start("k1", overlap=700)
    for passed in range(0, 700, 100):
        service.now = 1000.0 + passed
        assert service(issuer.token()) == "verified", passed
    service.now = 1000.0 + 300 + 700
    assert service(issuer.token()) == "kid_not_found"


def test_E18_without_an_overlap_a_removed_key_is_gone_with_the_next_refresh(
    start: Any, endpoint: Any, issuer: Any
) -> None:
    service = start("k1", overlap=0)
    assert service(issuer.token()) == "verified"
    endpoint.document = issuer.jwks("k2")
    # Nobody knows yet, and the token is among the verified ones.
    assert service(issuer.token()) == "verified"
    assert len(service.authenticator._verified) == 1
    assert service(issuer.token(key="k2")) == "verified"
    assert service(issuer.token()) == "kid_not_found"
    assert service(issuer.token(claims={"jti": "another"})) == "kid_not_found"
    assert len(service.authenticator._verified) == 1
    assert endpoint.requests == 1


@pytest.mark.parametrize("overlap", [0, 300])
def test_E19_new_material_under_a_kid_counts_at_once(
    start: Any, endpoint: Any, issuer: Any, overlap: int
) -> None:
    service = start("k1", overlap=overlap)
    old, new = issuer.token(), issuer.token(key="k2", header={"kid": "k1"})
    assert service(old) == "verified"
    assert service(new) == "signature_invalid"
    endpoint.document = {"keys": [issuer.jwk("k2", kid="k1")]}
    assert service(issuer.token(header={"kid": "k9"})) == "kid_not_found"
    assert service(new) == "verified"
    assert service(old) == "signature_invalid"
    assert endpoint.requests == 1


def test_E19_a_kid_that_is_published_in_another_form_has_no_overlap(
    start: Any, endpoint: Any, issuer: Any
) -> None:
    service = start("k1")
    assert service(issuer.token()) == "verified"
    # A member that may not be used says all the same that the key of before is not meant.
    endpoint.document = {"keys": [issuer.jwk("k2"), issuer.jwk("k3", kid="k1", use="enc")]}
    assert service(issuer.token(key="k2")) == "verified"
    assert service(issuer.token()) == "kid_not_found"


@pytest.mark.parametrize("trouble", ["status", "document"])
def test_E20_an_endpoint_that_recovers_is_asked_after_the_back_off(
    start: Any, endpoint: Any, issuer: Any, trouble: str
) -> None:
    good = endpoint.document
    endpoint.status, endpoint.document = (500, good) if trouble == "status" else (200, [])
    service = start()
    for fetches, back_off in enumerate((5.5, 11, 22), start=1):
        assert service(issuer.token()) == "jwks_unreachable"
        assert endpoint.requests == fetches
        service.now += back_off
    endpoint.status, endpoint.document = 200, good
    assert service(issuer.token()) == "verified"
    assert endpoint.requests == 4


def test_E24_many_cold_starts_with_the_endpoint_down_start(
    start: Any, endpoint: Any, issuer: Any
) -> None:
    endpoint.status = 503
    services = [start(dev=bool(n % 2)) for n in range(20)]
    assert endpoint.requests == 0
    answers = [service(issuer.token()) for service in services]
    assert answers == ["jwks_unreachable", DOWN] * 10
    # The same where nobody listens.
    endpoint.close()
    services = [start(dev=bool(n % 2)) for n in range(20)]
    assert [service(issuer.token()) for service in services] == ["jwks_unreachable", DOWN] * 10
