from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from pytest_ffparity.auth.authenticator import TokenAuthenticator
from pytest_ffparity.auth.jwks import Held
from pytest_ffparity.auth.settings import AuthSettings
from pytest_ffparity.evaluator.model import Identity, Rejection
from pytest_ffparity.paths.keys import ISSUER, KeyRing
from pytest_ffparity.paths.servers import WorldServers

NOW = datetime(2026, 4, 19, tzinfo=UTC)
GOOD = {"sub": "U1001", "tenant_id": "T-pty-pilot-01"}


@pytest.fixture(scope="session")
def ring() -> KeyRing:
    return KeyRing()


@pytest.fixture
def bearer(ring: KeyRing) -> Callable[..., tuple[tuple[str, str], ...]]:
    """Headers with a token: `bearer("expired", key="k2", sub="U1")`; None takes a claim out."""

    def made(*faults: str, key: str = "k1", **claims: Any) -> tuple[tuple[str, str], ...]:
        said = {**GOOD, **claims}
        token = ring.mint({"key": key, "claims": said, "faults": list(faults)}, NOW)
        return (("Authorization", f"Bearer {token}"),)

    return made


@pytest.fixture
def ask(ring: KeyRing) -> Callable[..., tuple[Identity | Rejection, int]]:
    """Ask a fresh authenticator in a world; gives the last answer and the number of fetches."""

    def asked(
        *requests: tuple[tuple[str, str], ...],
        published: Sequence[str] = ("k1",),
        reachable: bool = True,
        held: Sequence[str] | None = None,
        age: float = 0.0,
        dev: bool = False,
    ) -> tuple[Identity | Rejection, int]:
        servers = WorldServers(jwks=ring.jwks(published) if reachable else None, approvals=None)
        settings = AuthSettings(issuers={ISSUER: servers.jwks_url}, allow_dev_headers=dev)

        async def run() -> Identity | Rejection:
            authenticator = TokenAuthenticator(
                settings,
                clock=lambda: NOW,
                held=None if held is None else Held(ring.jwks(held), age),
            )
            try:
                answers = [await authenticator.authenticate(headers) for headers in requests]
            finally:
                await authenticator.aclose()
            return answers[-1]

        try:
            return asyncio.run(run()), servers.jwks_requests
        finally:
            servers.close()

    return asked
