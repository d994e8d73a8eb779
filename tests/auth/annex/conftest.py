"""An issuer with keys of every kind, and an authenticator that is asked one question.

The tests beside this file are named by the rows of the list of bad input. Every token is signed
anew after what the row spoils, so that nothing else can be the reason why it is refused.
"""

from __future__ import annotations

import asyncio
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from threading import Event
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt import get_algorithm_by_name
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from pytest_ffparity.auth.authenticator import TokenAuthenticator
from pytest_ffparity.auth.codes import AuthError
from pytest_ffparity.auth.jwks import Held
from pytest_ffparity.auth.settings import AuthSettings
from pytest_ffparity.evaluator.model import Identity, Rejection
from pytest_ffparity.paths.http_server import JSONServer

NOW: Final = datetime(2026, 4, 19, tzinfo=UTC)
AT: Final = int(NOW.timestamp())
ISSUER: Final = "https://issuer.example"
AUDIENCE: Final = "pty-feature-flags"
GONE: Final = object()
"""In place of a member's value: the member is left out."""

DEV: Final = (("X-FF-Tenant", "T-pty-pilot-01"), ("X-FF-User", "U1001"))


def b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**base, **changes}.items() if value is not GONE}


class Issuer:
    """Keys `k1`, `k2`, `k3` (RS256), `ps` (PS256), `es` (ES256), `ed` (EdDSA), made once."""

    def __init__(self) -> None:
        def rsa_key() -> rsa.RSAPrivateKey:
            return rsa.generate_private_key(65537, 2048)

        self.private: dict[str, Any] = {
            "k1": rsa_key(),
            "k2": rsa_key(),
            "k3": rsa_key(),
            "ps": rsa_key(),
            "es": ec.generate_private_key(ec.SECP256R1()),
            "ed": ed25519.Ed25519PrivateKey.generate(),
        }
        self.alg = {"ps": "PS256", "es": "ES256", "ed": "EdDSA"}

    def jwk(self, key: str = "k1", **changes: Any) -> dict[str, Any]:
        """Give the public JWK of a key, with members changed or left out (GONE)."""
        alg = self.alg.get(key, "RS256")
        family: Any = {"ES256": ECAlgorithm, "EdDSA": OKPAlgorithm}.get(alg, RSAAlgorithm)
        public = json.loads(family.to_jwk(self.private[key].public_key()))
        public.pop("key_ops", None)
        return merged({**public, "kid": key, "alg": alg, "use": "sig"}, changes)

    def jwks(self, *keys: str) -> dict[str, Any]:
        """Give the public key set of these keys."""
        return {"keys": [self.jwk(key) for key in keys]}

    def sign(self, signed: bytes, *, key: str = "k1", alg: str | None = None) -> bytes:
        """Sign bytes soundly."""
        how = get_algorithm_by_name(alg or self.alg.get(key, "RS256"))
        return bytes(how.sign(signed, self.private[key]))

    def token(
        self,
        *,
        key: str = "k1",
        alg: str | None = None,
        header: dict[str, Any] | bytes | None = None,
        claims: dict[str, Any] | bytes | None = None,
        sign: Callable[[bytes], bytes] | None = None,
    ) -> str:
        """Make a token that is good but for what is said.

        Args:
            key: The key that signs, and the kid.
            alg: How it signs, and the header's alg; the key's own unless said.
            header: Members changed or left out (GONE) of the good header; bytes replace it whole.
            claims: The same for the claims.
            sign: Takes the signed bytes and gives the signature.
        """
        alg = alg or self.alg.get(key, "RS256")
        good_header = {"alg": alg, "typ": "JWT", "kid": key}
        good_claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "U1001",
            "tenant_id": "T-pty-pilot-01",
            "iat": AT - 60,
            "exp": AT + 3600,
        }
        head = header if isinstance(header, bytes) else _text(merged(good_header, header or {}))
        body = claims if isinstance(claims, bytes) else _text(merged(good_claims, claims or {}))
        signed = f"{b64(head)}.{b64(body)}".encode()
        signature = sign(signed) if sign else self.sign(signed, key=key, alg=alg)
        return f"{signed.decode()}.{b64(signature)}"


def _text(document: dict[str, Any]) -> bytes:
    return json.dumps(document).encode()


class Endpoint(JSONServer):
    """A real JWKS endpoint whose answer the test sets, and which counts what it is asked.

    It holds its answers back while `let` is clear; `asked` is set by the first request. `raw` is
    sent in place of the document where it is set.
    """

    content_type = "application/jwk-set+json"

    def __init__(self, document: Any) -> None:
        self.document = document
        self.raw: bytes | None = None
        self.status = 200
        self.asked = Event()
        self.let = Event()
        self.let.set()
        super().__init__()

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        del method, path, body
        self.asked.set()
        self.let.wait(30)
        return self.status, self.document

    def answered(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        status, sent = super().answered(method, path, body)
        return status, sent if self.raw is None else self.raw

    def close(self) -> None:
        self.let.set()
        super().close()


@pytest.fixture(scope="session")
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def endpoint(issuer: Issuer) -> Iterator[Endpoint]:
    """The issuer's endpoint; publishes `k1` until the test says otherwise."""
    server = Endpoint(issuer.jwks("k1"))
    yield server
    server.close()


class Judge:
    """Asks a fresh authenticator in each call."""

    def __init__(self, issuer: Issuer, endpoint: Endpoint) -> None:
        self._issuer = issuer
        self._endpoint = endpoint

    def headers(
        self,
        *requests: Sequence[tuple[str, str]],
        held: Sequence[str] | dict[str, Any] | None = ("k1",),
        age: float = 0.0,
        **settings: Any,
    ) -> Identity | Rejection:
        """Give the last answer to requests by their raw headers.

        Args:
            requests: The headers of each request.
            held: The set that is held at the start: names of keys, a document, or None.
            age: How many seconds ago it was fetched.
            settings: Of AuthSettings; `dev=True` for the fallback.
        """
        dev = settings.pop("dev", False)
        url = f"{self._endpoint.url}/keys"
        made = AuthSettings(**{"issuers": {ISSUER: url}, "allow_dev_headers": dev, **settings})
        document = held if isinstance(held, dict | None) else self._issuer.jwks(*held)

        async def main() -> Identity | Rejection:
            authenticator = TokenAuthenticator(
                made, clock=lambda: NOW, held=None if document is None else Held(document, age)
            )
            try:
                return [await authenticator.authenticate(tuple(r)) for r in requests][-1]
            finally:
                await authenticator.aclose()

        return asyncio.run(main())

    def __call__(self, *tokens: str, beside: Sequence[tuple[str, str]] = (), **about: Any) -> str:
        """Give the mode (`verified`, ...) or the code that the last of the tokens comes to.

        Args:
            tokens: Sent one after the other, as `Authorization: Bearer <token>`.
            beside: More headers.
            about: As for `headers`.
        """
        requests = [(("Authorization", f"Bearer {token}"), *beside) for token in tokens]
        answer = self.headers(*requests, **about)
        return answer.code if isinstance(answer, Rejection) else str(answer.mode)

    def raw(self, token: str | bytes, **settings: Any) -> str:
        """Ask `check` with any text or bytes; `k1` is held."""
        made = AuthSettings(**{"issuers": {ISSUER: f"{self._endpoint.url}/keys"}, **settings})
        held = Held(self._issuer.jwks("k1"))
        authenticator = TokenAuthenticator(made, clock=lambda: NOW, held=held)
        try:
            return str(asyncio.run(authenticator.check(token)).mode)
        except AuthError as error:
            return str(error.code)


@pytest.fixture
def judge(issuer: Issuer, endpoint: Endpoint) -> Judge:
    return Judge(issuer, endpoint)


class Service:
    """One authenticator that is asked many times, and whose two clocks the test moves."""

    def __init__(self, settings: AuthSettings, held: Held | None) -> None:
        self.now = 1000.0
        self.wall = NOW
        self.runner = asyncio.Runner()
        self.authenticator = TokenAuthenticator(
            settings, clock=lambda: self.wall, monotonic=lambda: self.now, held=held
        )

    async def ask(self, token: str) -> str:
        """Give the mode and its warnings, or the code."""
        answer = await self.authenticator.authenticate((("Authorization", f"Bearer {token}"),))
        if isinstance(answer, Rejection):
            return answer.code
        return " ".join([answer.mode, *answer.warnings])

    def __call__(self, token: str) -> str:
        return self.runner.run(self.ask(token))

    def at_once(self, tokens: Sequence[str]) -> list[str]:
        """Ask for all tokens at the same time."""

        async def main() -> list[str]:
            return await asyncio.gather(*map(self.ask, tokens))

        return self.runner.run(main())

    def close(self) -> None:
        self.runner.run(self.authenticator.aclose())
        self.runner.close()


@pytest.fixture
def start(issuer: Issuer, endpoint: Endpoint) -> Iterator[Callable[..., Service]]:
    """Start a service at the endpoint: `start("k1", age=300, overlap=0)` holds `k1` already."""
    services: list[Service] = []

    def started(*held: str, age: float = 0.0, dev: bool = False, **settings: Any) -> Service:
        issuers = {ISSUER: f"{endpoint.url}/keys"}
        made = AuthSettings(**{"issuers": issuers, "allow_dev_headers": dev, **settings})
        services.append(Service(made, Held(issuer.jwks(*held), age) if held else None))
        return services[-1]

    yield started
    for service in services:
        service.close()
