"""C20, C23: an issuer is vouched for by its own keys alone, and each clock is used for its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

AT = 1_776_556_800
ISSUER = "https://issuer.example"
SECOND = "https://second.example/"
DOWN = "decode-only auth_not_verified jwks_unreachable"
NOT_HELD = "decode-only auth_not_verified kid_not_found"


@pytest.fixture
def other(endpoint: Any, issuer: Any) -> Iterator[Any]:
    """The endpoint of a second issuer; it publishes `k2`."""
    server = type(endpoint)(issuer.jwks("k2"))
    yield server
    server.close()


@pytest.mark.parametrize("dev", [False, True])
def test_C20_no_issuer_is_vouched_for_by_a_key_of_another(
    start: Any, issuer: Any, endpoint: Any, other: Any, *, dev: bool
) -> None:
    service = start(issuers={ISSUER: endpoint.url, SECOND: other.url}, dev=dev)
    assert service(issuer.token(claims={"iss": SECOND}, key="k1")) == "kid_not_found"
    assert (endpoint.requests, other.requests) == (0, 1)
    assert service(issuer.token(claims={"iss": ISSUER}, key="k2")) == "kid_not_found"
    # Named as the other's key, or not named at all: its only key is tried, and refuses it.
    for head in (b'{"alg":"RS256","kid":"k2"}', b'{"alg":"RS256"}'):
        crossed = issuer.token(claims={"iss": SECOND}, key="k1", header=head)
        assert service(crossed) == "signature_invalid"
    # Both are in good use all the time, and what was verified for one is nothing to the other.
    for _ in range(2):
        assert service(issuer.token(claims={"iss": ISSUER}, key="k1")) == "verified"
        assert service(issuer.token(claims={"iss": SECOND}, key="k2")) == "verified"
        assert service(issuer.token(claims={"iss": SECOND}, key="k1")) == "kid_not_found"
    assert (endpoint.requests, other.requests) == (1, 1)


@pytest.mark.parametrize("dev", [False, True])
def test_C20_the_same_kid_at_two_issuers_is_two_keys(
    start: Any, issuer: Any, endpoint: Any, other: Any, *, dev: bool
) -> None:
    other.document = {"keys": [issuer.jwk("k2", kid="k1")]}
    service = start(issuers={ISSUER: endpoint.url, SECOND: other.url}, dev=dev)
    crossed = [
        issuer.token(claims={"iss": SECOND}, key="k1"),
        issuer.token(claims={"iss": ISSUER}, key="k2", header={"kid": "k1"}),
    ]
    good = [
        issuer.token(claims={"iss": ISSUER}, key="k1"),
        issuer.token(claims={"iss": SECOND}, key="k2", header={"kid": "k1"}),
    ]
    assert service.at_once(crossed + good) == ["signature_invalid"] * 2 + ["verified"] * 2
    # Over their time, with endpoints that are down: what is held still refuses.
    endpoint.status = other.status = 500
    service.now += 300
    assert service.at_once(crossed) == ["signature_invalid"] * 2
    assert service.at_once(good) == ["verified jwks_stale"] * 2


def test_C20_an_issuer_whose_keys_are_unknown_borrows_none(
    start: Any, issuer: Any, endpoint: Any, other: Any
) -> None:
    issuers = {ISSUER: endpoint.url, SECOND: other.url}
    crossed = issuer.token(claims={"iss": SECOND}, key="k1")
    good = issuer.token(claims={"iss": ISSUER}, key="k1")
    other.status = 500
    for dev, answer in ((False, "jwks_unreachable"), (True, DOWN)):
        service = start(issuers=issuers, dev=dev)
        assert service.at_once([good, crossed]) == ["verified", answer]
    # Held, without the kid: still only decoded.
    other.status = 200
    service = start(issuers=issuers, dev=True)
    service.at_once([good, issuer.token(claims={"iss": SECOND}, key="k2")])
    other.status = 500
    service.now += 300
    assert service(crossed) == NOT_HELD


HOUR = timedelta(hours=1)


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_C23_a_jump_of_the_wall_clock_moves_expiry_and_no_cache(
    start: Any, issuer: Any, endpoint: Any, jump: timedelta
) -> None:
    service = start(overlap=0)
    brief = issuer.token(claims={"iat": AT - 600, "exp": AT + 600})
    long = issuer.token(claims={"iat": AT - 7200, "exp": AT + 7200})
    unknown = issuer.token(key="k2")
    assert service.at_once([brief, long, unknown]) == ["verified", "verified", "kid_not_found"]
    service.wall += jump
    # The verified tokens too are held against the present.
    assert service(brief) == ("token_expired" if jump > timedelta(0) else "token_not_yet_valid")
    assert service(long) == "verified"
    # Neither the TTL nor the cool-down is over.
    assert service(unknown) == "kid_not_found"
    assert endpoint.requests == 1
    service.wall -= jump
    assert service(brief) == "verified"
    # They are over when the monotonic clock says so, wherever the wall clock stands.
    service.wall += jump
    endpoint.document = issuer.jwks("k2")
    service.now += 300
    assert service(long) == "kid_not_found"
    assert endpoint.requests == 2


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_C23_a_jump_of_the_wall_clock_moves_no_back_off_and_no_limit(
    start: Any, issuer: Any, endpoint: Any, jump: timedelta
) -> None:
    service = start("k1", age=300)
    long = issuer.token(claims={"iat": AT - 7200, "exp": AT + 7200})
    endpoint.status = 500
    assert service(long) == "verified jwks_stale"
    service.wall += jump
    assert service(long) == "verified jwks_stale"
    assert endpoint.requests == 1
    service.now += 3300
    assert service(long) == "jwks_unreachable"
    assert endpoint.requests == 2
