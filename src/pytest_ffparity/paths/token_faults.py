"""The closed table of what can be wrong with a minted token; each fault spoils one thing only."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt import get_algorithm_by_name

_HOUR: Final = 3600


def rs256(key: RSAPrivateKey, signed: bytes) -> bytes:
    """Sign as a sound issuer does."""
    return bytes(get_algorithm_by_name("RS256").sign(signed, key))


class Draft(msgspec.Struct):
    """A token in the making; a fault changes what it needs to.

    `now` is in whole seconds, `signer` names the key that signs, `finish` has the last word on the
    token's text.
    """

    now: int
    signer: str
    header: dict[str, Any]
    claims: dict[str, Any]
    sign: Callable[[RSAPrivateKey, bytes], bytes] = rs256
    finish: Callable[[str], str] = str


def _signature(draft: Draft) -> None:
    sound = draft.sign

    def flipped(key: RSAPrivateKey, signed: bytes) -> bytes:
        # alg_none leaves no signature to spoil.
        return bytes(byte ^ (at == 0) for at, byte in enumerate(sound(key, signed)))

    draft.sign = flipped


def _alg_none(draft: Draft) -> None:
    draft.header["alg"] = "none"
    draft.sign = lambda _key, _signed: b""


def _hs256_public_key(draft: Draft) -> None:
    def forged(key: RSAPrivateKey, signed: bytes) -> bytes:
        pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return hmac.digest(pem, signed, "sha256")

    draft.header["alg"] = "HS256"
    draft.sign = forged


def _malformed(draft: Draft) -> None:
    draft.finish = lambda token: token.rpartition(".")[0]


def _expired(draft: Draft) -> None:
    draft.claims |= {"iat": draft.now - 2 * _HOUR, "exp": draft.now - _HOUR}


def _not_yet_valid(draft: Draft) -> None:
    draft.claims |= {"nbf": draft.now + _HOUR, "exp": draft.now + 2 * _HOUR}


def _wrong_issuer(draft: Draft) -> None:
    draft.claims["iss"] = "https://another-issuer.example"


def _wrong_audience(draft: Draft) -> None:
    draft.claims["aud"] = "another-service"


def _no_subject(draft: Draft) -> None:
    draft.claims.pop("sub", None)


def _numeric_subject(draft: Draft) -> None:
    draft.claims["sub"] = 1001


def _unknown_kid(draft: Draft) -> None:
    # No vector can publish it: a key's name holds no blank.
    draft.signer = draft.header["kid"] = f"{draft.signer} unpublished"


TOKEN_FAULTS: Final[dict[str, Callable[[Draft], None]]] = {
    "signature": _signature,
    "alg_none": _alg_none,
    "hs256_public_key": _hs256_public_key,
    "malformed": _malformed,
    "expired": _expired,
    "not_yet_valid": _not_yet_valid,
    "wrong_issuer": _wrong_issuer,
    "wrong_audience": _wrong_audience,
    "no_subject": _no_subject,
    "numeric_subject": _numeric_subject,
    "unknown_kid": _unknown_kid,
}
