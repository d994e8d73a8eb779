"""Who gives way when there are more issuers than places, and who does not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from pytest_ffparity.auth import issuers
from pytest_ffparity.auth.authenticator import TokenAuthenticator
from pytest_ffparity.auth.settings import AuthSettings
from pytest_ffparity.evaluator.model import Rejection
from pytest_ffparity.paths.http_server import JSONServer
from pytest_ffparity.paths.keys import KeyRing

NOW = datetime(2026, 4, 19, tzinfo=UTC)


class Endpoint(JSONServer):
    content_type = "application/jwk-set+json"
    status = 200

    def __init__(self, document: Any) -> None:
        self._document = document
        super().__init__()

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        del method, path, body
        return self.status, self._document


class Three:
    """Three issuers with an endpoint each, and places for two of their sets."""

    def __init__(self, ring: KeyRing) -> None:
        self.ring = ring
        self.endpoints = {f"https://{n}.example": Endpoint(ring.jwks(["k1"])) for n in "abc"}
        self.seconds = 1000.0
        urls = {issuer: f"{server.url}/keys" for issuer, server in self.endpoints.items()}
        self.authenticator = TokenAuthenticator(
            AuthSettings(issuers=urls), clock=lambda: NOW, monotonic=lambda: self.seconds
        )

    def __call__(self, name: str, *faults: str) -> str:
        issuer = f"https://{name}.example"
        claims = {"sub": "U", "tenant_id": "T", "iss": issuer}
        token = self.ring.mint({"claims": claims, "faults": list(faults)}, NOW)
        headers = (("Authorization", f"Bearer {token}"),)
        answer = asyncio.run(self.authenticator.authenticate(headers))
        if isinstance(answer, Rejection):
            return answer.code
        return " ".join([str(answer.mode), *answer.warnings])

    def fetches(self, name: str) -> int:
        return self.endpoints[f"https://{name}.example"].requests


@pytest.fixture
def three(ring: KeyRing, monkeypatch: pytest.MonkeyPatch) -> Iterator[Three]:
    assert issuers.MAX_SETS == 16
    monkeypatch.setattr(issuers, "MAX_SETS", 2)
    made = Three(ring)
    yield made
    for endpoint in made.endpoints.values():
        endpoint.close()


def test_nobody_gives_way_before_its_endpoint_may_be_asked_again(three: Three) -> None:
    assert (three("a"), three("b")) == ("verified", "verified")
    assert three("c") == "jwks_unreachable"
    assert (three("a"), three("b"), three.fetches("c")) == ("verified", "verified", 0)
    three.seconds += 30
    assert three("c") == "verified"


def test_the_set_that_was_not_used_for_longest_gives_way_hits_counted(three: Three) -> None:
    three("a")
    three("b")
    three.seconds += 30
    assert three("a") == "verified"  # a hit: its signature is not checked anew
    assert three("c", "signature") == "signature_invalid"
    assert three("a") == "verified"
    assert (three.fetches("a"), three.fetches("b")) == (1, 1)
    three.seconds += 30
    assert three("b") == "verified"
    assert three.fetches("b") == 2


def test_a_set_that_could_not_come_back_keeps_its_place(three: Three) -> None:
    three("a")
    three("b")
    for name in "ab":
        three.endpoints[f"https://{name}.example"].status = 500
    three.seconds += 301
    assert (three("a"), three("b")) == ("verified jwks_stale", "verified jwks_stale")
    three.seconds += 31
    assert three("c") == "jwks_unreachable"
    assert (three("a"), three("b")) == ("verified jwks_stale", "verified jwks_stale")
    # Beyond the stale limit they are of no use to anybody.
    three.seconds += 3600
    assert three("c") == "verified"


def test_many_that_come_at_once_hold_no_more_places_than_there_are(three: Three) -> None:
    places = three.authenticator._keys._places
    for cache in set(three.authenticator._keys._caches.values()):
        places[cache] = None
    three.seconds += 400
    three("a")
    assert len(places) == 2
