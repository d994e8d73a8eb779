"""What a full token check costs beside the bare signature and beside PyJWT's full check.

Run it with `python benchmarks/token_checks.py`; it needs no server. Each round times every
contender once, in turns, and the best of the rounds counts. The ratios carry over to other
machines, the figures do not.
"""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from pytest_ffparity.auth.authenticator import TokenAuthenticator
from pytest_ffparity.auth.codes import AuthError
from pytest_ffparity.auth.jwks import Held
from pytest_ffparity.auth.settings import AuthSettings

NOW: Final = datetime.now(UTC)
AT: Final = int(NOW.timestamp())
ISSUER: Final = "https://issuer.example"
AUDIENCE: Final = "pty-feature-flags"
TOKENS: Final = 100
ROUNDS: Final = 60
CLAIMS: Final = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "iat": AT,
    "exp": AT + 3600,
    "tenant_id": "T-pilot",
}
KEYS: Final[dict[str, tuple[Any, Any]]] = {
    "RS256": (rsa.generate_private_key(65537, 2048), RSAAlgorithm),
    "PS256": (rsa.generate_private_key(65537, 2048), RSAAlgorithm),
    "ES256": (ec.generate_private_key(ec.SECP256R1()), ECAlgorithm),
    "EdDSA": (ed25519.Ed25519PrivateKey.generate(), OKPAlgorithm),
}


def _rsa(key: Any, signature: bytes, text: bytes) -> None:
    key.verify(signature, text, padding.PKCS1v15(), hashes.SHA256())


def _pss(key: Any, signature: bytes, text: bytes) -> None:
    how = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
    key.verify(signature, text, how, hashes.SHA256())


def _ec(key: Any, signature: bytes, text: bytes) -> None:
    half = len(signature) // 2
    pair = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
    key.verify(encode_dss_signature(*pair), text, ec.ECDSA(hashes.SHA256()))


def _ed(key: Any, signature: bytes, text: bytes) -> None:
    key.verify(signature, text)


BARE: Final = {"RS256": _rsa, "PS256": _pss, "ES256": _ec, "EdDSA": _ed}


def finished(work: Coroutine[Any, Any, object]) -> object:
    """Run a check that has nothing to wait for: its key set is held."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    raise RuntimeError("the check waited for something")


def refused(check: Callable[[str], Coroutine[Any, Any, object]], token: str) -> None:
    try:
        finished(check(token))
    except AuthError:
        return
    raise RuntimeError("a malformed token passed")


def encoded(document: dict[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


def best(contenders: dict[str, Callable[[], None]]) -> dict[str, float]:
    """Give each contender's best time for one token, in microseconds."""
    times = dict.fromkeys(contenders, float("inf"))
    for _ in range(ROUNDS):
        for name, run in contenders.items():
            started = time.process_time_ns()
            run()
            spent = (time.process_time_ns() - started) / 1000 / TOKENS
            times[name] = min(times[name], spent)
    return times


def bare_signature(alg: str, public: Any, tokens: list[str]) -> Callable[[], None]:
    check = BARE[alg]
    signed = [token.rpartition(".")[0].encode() for token in tokens]
    signatures = [jwt.utils.base64url_decode(token.rpartition(".")[2]) for token in tokens]

    def run() -> None:
        for text, signature in zip(signed, signatures, strict=True):
            check(public, signature, text)

    return run


def contenders(alg: str) -> dict[str, Callable[[], None]]:
    private, family = KEYS[alg]
    public = private.public_key()
    jwk = {**json.loads(family.to_jwk(public)), "kid": "k1", "alg": alg, "use": "sig"}
    jwk.pop("key_ops", None)
    tokens = [
        jwt.encode({**CLAIMS, "sub": f"U{n}"}, private, algorithm=alg, headers={"kid": "k1"})
        for n in range(TOKENS)
    ]
    settings = AuthSettings(issuers={ISSUER: "https://issuer.example/keys"})

    def ours() -> TokenAuthenticator:
        return TokenAuthenticator(settings, clock=lambda: NOW, held=Held({"keys": [jwk]}))

    warm = ours()
    for token in tokens:
        finished(warm.check(token))
    # Each with a header of its own, so that none was read before.
    malformed = [
        f"{encoded({'alg': alg, 'kid': 'k1', 'crit': [], 'n': n})}{t[t.index('.') :]}"
        for n, t in enumerate(tokens)
    ]

    def pyjwt() -> None:
        for token in tokens:
            jwt.decode(
                *(token, public, [alg]),
                audience=AUDIENCE,
                issuer=ISSUER,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )

    cold = ours()

    def full() -> None:
        # Nothing of an earlier round is remembered, and nothing is set up while the clock runs.
        cold._verified._entries.clear()
        for token in tokens:
            finished(cold.check(token))

    def hit() -> None:
        for token in tokens:
            finished(warm.check(token))

    def garbage() -> None:
        for token in malformed:
            refused(warm.check, token)

    signature = bare_signature(alg, public, tokens)
    return {"signature": signature, "pyjwt": pyjwt, "full": full, "hit": hit, "garbage": garbage}


def main() -> None:
    print(f"best of {ROUNDS} rounds of {TOKENS} tokens; us a token, and ratios of the same run")
    print(
        f"{'':6} {'signature':>9} {'PyJWT':>7} {'full':>7} {'hit':>6} {'malformed':>9}"
        f" {'full/signature':>15} {'PyJWT/signature':>16} {'full/PyJWT':>11}"
        f" {'PyJWT/hit':>10} {'PyJWT/malformed':>16}"
    )
    for alg in KEYS:
        t = best(contenders(alg))
        print(
            f"{alg:6} {t['signature']:9.1f} {t['pyjwt']:7.1f} {t['full']:7.1f} {t['hit']:6.2f}"
            f" {t['garbage']:9.1f} {t['full'] / t['signature']:15.2f}"
            f" {t['pyjwt'] / t['signature']:16.2f} {t['full'] / t['pyjwt']:11.2f}"
            f" {t['pyjwt'] / t['hit']:10.1f} {t['pyjwt'] / t['garbage']:16.1f}"
        )


if __name__ == "__main__":
    main()
