"""Tokens that were verified a moment ago: what a hit spares, and what it never does."""

from __future__ import annotations

import asyncio
import gc
import logging
import weakref
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pytest_ffparity.auth import keys, verified
from pytest_ffparity.auth.authenticator import TokenAuthenticator
from pytest_ffparity.auth.jwks import Held
from pytest_ffparity.auth.settings import AuthSettings
from pytest_ffparity.evaluator.model import Identity, Rejection
from pytest_ffparity.paths.http_server import JSONServer
from pytest_ffparity.paths.keys import ISSUER, KeyRing

NOW = datetime(2026, 4, 19, tzinfo=UTC)


class Endpoint(JSONServer):
    content_type = "application/jwk-set+json"

    def __init__(self, document: Any) -> None:
        self.document = document
        self.status = 200
        super().__init__()

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        del method, path, body
        return self.status, self.document


class Service:
    """An authenticator at a real endpoint, whose clocks the test moves; counts signature checks."""

    def __init__(self, ring: KeyRing, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ring = ring
        self.endpoint = Endpoint(ring.jwks(["k1"]))
        self.wall, self.seconds, self.checks = NOW, 1000.0, 0
        sound = keys._CHECKS["RS256"]

        def counted(*about: Any) -> bool:
            self.checks += 1
            return bool(sound(*about))

        monkeypatch.setitem(keys._CHECKS, "RS256", counted)
        self.authenticator = TokenAuthenticator(
            AuthSettings(issuers={ISSUER: f"{self.endpoint.url}/keys"}, overlap=0),
            clock=lambda: self.wall,
            monotonic=lambda: self.seconds,
            held=Held(ring.jwks(["k1"])),
        )

    def token(self, user: str = "U", **more: Any) -> str:
        claims = {"sub": user, "tenant_id": "T", **more.pop("claims", {})}
        return self.ring.mint({"claims": claims, **more}, NOW)

    def __call__(self, token: str) -> str:
        headers = (("Authorization", f"Bearer {token}"),)
        answer = asyncio.run(self.authenticator.authenticate(headers))
        if isinstance(answer, Rejection):
            return answer.code
        assert isinstance(answer, Identity)
        return " ".join([str(answer.mode), *answer.warnings])


@pytest.fixture
def service(ring: KeyRing, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    made = Service(ring, monkeypatch)
    yield made
    made.endpoint.close()


def test_a_token_is_checked_once_a_minute(service: Service) -> None:
    token = service.token()
    for _ in range(3):
        assert service(token) == "verified"
    assert service.checks == 1
    service.seconds += 59.9
    assert service(token) == "verified"
    assert service.checks == 1
    service.seconds += 0.1
    assert service(token) == "verified"
    assert service.checks == 2


def test_the_entries_are_bounded_and_the_longest_unused_goes(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert verified.MAX_TOKENS == 2048
    monkeypatch.setattr(verified, "MAX_TOKENS", 3)
    tokens = [service.token(f"U{number}") for number in range(4)]
    for token in tokens[:3]:
        service(token)
    assert service(tokens[0]) == "verified"
    assert service.checks == 3
    service(tokens[3])
    assert len(service.authenticator._verified) == 3
    assert service(tokens[0]) == "verified"
    assert service.checks == 4
    service(tokens[1])
    assert service.checks == 5


@pytest.mark.parametrize(
    ("claims", "later", "code"),
    [({}, 3629, "verified"), ({}, 3630, "token_expired"), ({"nbf": 0}, -91, "token_not_yet_valid")],
)
def test_the_times_are_held_against_the_wall_clock_at_every_hit(
    service: Service, claims: dict[str, Any], later: int, code: str
) -> None:
    token = service.token(claims=claims)
    assert service(token) == "verified"
    service.wall = NOW + timedelta(seconds=later)
    assert service(token) == code
    assert service.checks == 1


def test_a_hit_that_is_refused_is_logged_with_its_kid(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    token = service.token()
    service(token)
    service.wall += timedelta(days=1)
    service(token)
    assert "code=token_expired" in caplog.text
    assert "kid=None" not in caplog.text
    assert "kid=\n" not in caplog.text


Change = Callable[[Service, dict[str, Any]], tuple[dict[str, Any], str]]
CHANGES: dict[str, tuple[Change, str]] = {
    "gone": (lambda s, _: (s.ring.jwks(["k2"]), ""), "kid_not_found"),
    "replaced": (
        lambda s, k: ({"keys": [{**s.ring.jwks(["k2"])["keys"][0], "kid": k["kid"]}]}, ""),
        "signature_invalid",
    ),
    "bound to another algorithm": (
        lambda _, k: ({"keys": [{**k, "alg": "PS256"}]}, ""),
        "alg_not_allowed",
    ),
    "for encryption": (
        lambda s, k: ({"keys": [{**k, "use": "enc"}, *s.ring.jwks(["k2"])["keys"]]}, ""),
        "kid_not_found",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_an_entry_goes_with_its_key(service: Service, change: str) -> None:
    token = service.token()
    assert service(token) == "verified"
    alter, code = CHANGES[change]
    service.endpoint.document, _ = alter(service, service.ring.jwks(["k1"])["keys"][0])
    # Another token has the set renewed; the entry's minute is not over.
    service.seconds += 31
    service(service.token(key="another"))
    assert service(token) == code


def test_a_stale_set_is_said_to_be_stale_only_while_it_is(service: Service) -> None:
    token = service.token()
    service.endpoint.status = 500
    service.seconds += 300
    for _ in range(2):
        assert service(token) == "verified jwks_stale"
    service.endpoint.status = 200
    service.seconds += 6
    assert service(token) == "verified"
    service.endpoint.status = 500
    service.seconds += 299
    assert service(token) == "verified"
    service.seconds += 1
    assert service(token) == "verified jwks_stale"


def test_one_token_of_several_spellings_is_no_hit(service: Service) -> None:
    token = service.token()
    service(token)
    for other in (token + "=", token[:-1], f"{token} ", token.replace(".", "..", 1)):
        assert service(other) != "verified"


def test_an_owner_and_its_authenticator_are_given_back(ring: KeyRing) -> None:
    class Owner:
        def __init__(self) -> None:
            self.authenticator = TokenAuthenticator(
                AuthSettings(issuers={ISSUER: "http://127.0.0.1:9/keys"}),
                clock=self.now,
                monotonic=self.seconds,
                held=Held(ring.jwks(["k1"])),
            )

        def now(self) -> datetime:
            return NOW

        def seconds(self) -> float:
            return 0.0

    owner = Owner()
    token = ring.mint({"claims": {"sub": "U", "tenant_id": "T"}}, NOW)
    assert asyncio.run(owner.authenticator.check(token)).verified
    gone = weakref.ref(owner)
    del owner
    gc.collect()
    assert gone() is None
