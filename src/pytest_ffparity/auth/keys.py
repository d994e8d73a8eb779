"""One JWK to one usable public key, or the reason why it is not used."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final, TypeAlias

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt import get_algorithm_by_name

from pytest_ffparity.auth.edwards import is_sound_point
from pytest_ffparity.auth.roca import has_roca_fingerprint

# Asymmetric only: with HS* a public key would be a secret that everybody knows.
_BY_TYPE: Final = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC": ("ES256", "ES384", "ES512"),
    "OKP": ("EdDSA",),
}
ALGORITHMS: Final = frozenset(alg for algs in _BY_TYPE.values() for alg in algs)
_CHECKS: Final = {alg: get_algorithm_by_name(alg).verify for alg in ALGORITHMS}

_CURVES: Final[dict[str, tuple[str, ec.EllipticCurve, int]]] = {
    "P-256": ("ES256", ec.SECP256R1(), 32),
    "P-384": ("ES384", ec.SECP384R1(), 48),
    "P-521": ("ES512", ec.SECP521R1(), 66),
}
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_MIN_RSA_BITS: Final = 2048
_MAX_RSA_BITS: Final = 8192
_MIN_EXPONENT: Final = 65537
_MAX_EXPONENT_BYTES: Final = 8
_ED25519_BYTES: Final = 32

_Loaded: TypeAlias = tuple[str, Any]


class JWKRefusedError(ValueError):
    """A member of a key set that is not used; the text says why, and holds nothing of the key."""


class PublicKey(msgspec.Struct, frozen=True):
    """A key bound to its one algorithm; `thumbprint` tells its material from any other."""

    alg: str
    material: Any
    thumbprint: bytes

    def verifies(self, signed: bytes, signature: bytes) -> bool:
        """Tell whether the signature over these bytes is this key's."""
        return bool(_CHECKS[self.alg](signed, self.material, signature))


def usable_key(jwk: object) -> PublicKey:
    """Read one member of a key set, from its public members alone.

    Raises:
        JWKRefusedError: The member is no JWK, not for signatures, weak, or not understood.
    """
    if not isinstance(jwk, dict):
        raise JWKRefusedError("no object")
    kty = jwk.get("kty")
    if kty == "oct":
        raise JWKRefusedError("a secret (kty oct) is published")
    load = _LOADERS.get(kty) if isinstance(kty, str) else None
    if load is None:
        raise JWKRefusedError("kty is missing or not one of RSA, EC, OKP")
    if not _PRIVATE.isdisjoint(jwk):
        raise JWKRefusedError("private members are published: the key is no secret any more")
    _check_use(jwk)
    try:
        own_alg, material = load(jwk)
        der = material.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except JWKRefusedError:
        raise
    except Exception as error:  # noqa: BLE001 - many types, see below
        # cryptography's refusals are of many types, and one member never spoils the others.
        raise JWKRefusedError(f"no sound key: {type(error).__name__}") from None
    alg = jwk.get("alg", own_alg)
    # An RSA key may name any of its family; a curve fixes the algorithm.
    if alg != own_alg and (kty != "RSA" or alg not in _BY_TYPE["RSA"]):
        raise JWKRefusedError("alg is not one of this key's type")
    return PublicKey(alg, material, sha256(der).digest())


def _check_use(jwk: dict[str, Any]) -> None:
    use = jwk.get("use", "sig")
    if use != "sig":
        raise JWKRefusedError("use is not sig")
    if "key_ops" not in jwk:
        return
    ops = jwk["key_ops"]
    if (
        not isinstance(ops, list)
        or not all(isinstance(op, str) for op in ops)
        or len(set(ops)) != len(ops)
        or not {"verify"} <= set(ops) <= {"sign", "verify"}
    ):
        raise JWKRefusedError("key_ops are not those of a key for verifying")


def _rsa(jwk: dict[str, Any]) -> _Loaded:
    modulus = int.from_bytes(_bytes(jwk, "n", _MAX_RSA_BITS // 8))
    exponent = int.from_bytes(_bytes(jwk, "e", _MAX_EXPONENT_BYTES))
    if not _MIN_RSA_BITS <= modulus.bit_length() <= _MAX_RSA_BITS or modulus % 2 == 0:
        raise JWKRefusedError(f"n is not odd, of {_MIN_RSA_BITS} to {_MAX_RSA_BITS} bits")
    if exponent < _MIN_EXPONENT or exponent % 2 == 0:
        raise JWKRefusedError(f"e is not odd, from {_MIN_EXPONENT} up")
    if has_roca_fingerprint(modulus):
        raise JWKRefusedError("n has the ROCA fingerprint: it can be factored")
    return "RS256", rsa.RSAPublicNumbers(exponent, modulus).public_key()


def _ec(jwk: dict[str, Any]) -> _Loaded:
    crv = jwk.get("crv")
    if not isinstance(crv, str) or crv not in _CURVES:
        raise JWKRefusedError("crv is missing or not one of P-256, P-384, P-521")
    alg, curve, size = _CURVES[crv]
    x, y = _bytes(jwk, "x", size), _bytes(jwk, "y", size)
    if len(x) != size or len(y) != size:
        raise JWKRefusedError(f"a coordinate on {crv} has {size} bytes")
    point = ec.EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), curve)
    return alg, point.public_key()


def _okp(jwk: dict[str, Any]) -> _Loaded:
    if jwk.get("crv") != "Ed25519":
        raise JWKRefusedError("crv is not Ed25519")
    raw = _bytes(jwk, "x", _ED25519_BYTES)
    if not is_sound_point(raw):
        raise JWKRefusedError("x is no point of Ed25519, or one of a small order")
    return "EdDSA", ed25519.Ed25519PublicKey.from_public_bytes(raw)


def _bytes(jwk: dict[str, Any], name: str, most: int) -> bytes:
    text = jwk.get(name)
    # The length first: a modulus of a megabyte is never turned into a number.
    if not isinstance(text, str) or not 0 < len(text) <= most * 4 // 3 + 4:
        raise JWKRefusedError(f"{name} is missing or of no sensible length")
    if not text.isascii() or not text.replace("-", "A").replace("_", "A").isalnum():
        raise JWKRefusedError(f"{name} is not base64url")
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


_LOADERS: Final[dict[str, Callable[[dict[str, Any]], _Loaded]]] = {
    "RSA": _rsa,
    "EC": _ec,
    "OKP": _okp,
}
