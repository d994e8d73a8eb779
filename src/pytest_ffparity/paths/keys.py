"""The run's own signing keys, and tokens minted from a vector's words.

The keys live in memory and are made when they are first asked for: a repository of vectors holds no
private key and no token.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

from pytest_ffparity.auth.settings import DEFAULT_AUDIENCE
from pytest_ffparity.errors import FFParityError
from pytest_ffparity.formats.strict_json import canonical, plain
from pytest_ffparity.paths.token_faults import TOKEN_FAULTS, Draft

ISSUER: Final = "https://issuer.ffparity.example"
DEFAULT_KEY: Final = "k1"

_BITS: Final = 2048
_EXPONENT: Final = 65537
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,100}", re.ASCII)
_WORDS: Final = {"key": str, "claims": dict, "faults": list}


class TokenSpecError(FFParityError, ValueError):
    """A vector's words about a token that can't be followed; the message names what is known."""


class KeyRing:
    """RSA keys by name, and the tokens that they signed."""

    def __init__(self) -> None:
        self._keys: dict[str, RSAPrivateKey] = {}
        self._minted: dict[tuple[str, datetime], str] = {}

    def jwks(self, names: Iterable[str]) -> dict[str, Any]:
        """Give the public key set of these keys, each under its name as kid.

        Raises:
            TokenSpecError: Something that is no name of a key.
        """
        return {"keys": [self._jwk(_checked_name(name)) for name in names]}

    def mint(self, spec: Any, now: datetime) -> str:
        """Make a token, or give the one that the same words made before.

        Args:
            spec: `{"key": name, "claims": {...}, "faults": [...]}`, each optional. The claims come
                over iss, aud, iat (a minute ago) and exp (in an hour); the faults, in their order,
                over all. The key is `k1` unless named.
            now: The instant from which times are reckoned.

        Raises:
            TokenSpecError: An unknown word or fault, or something ill-typed.
        """
        _check(spec)
        cached = (canonical(spec), now)
        if cached not in self._minted:
            self._minted[cached] = self._mint(plain(spec), int(now.timestamp()))
        return self._minted[cached]

    def _mint(self, spec: dict[str, Any], now: int) -> str:
        key = spec.get("key", DEFAULT_KEY)
        standing = {"iss": ISSUER, "aud": DEFAULT_AUDIENCE, "iat": now - 60, "exp": now + 3600}
        draft = Draft(
            now=now,
            signer=key,
            header={"alg": "RS256", "typ": "JWT", "kid": key},
            claims={**standing, **spec.get("claims", {})},
        )
        for fault in spec.get("faults", []):
            TOKEN_FAULTS[fault](draft)
        signed = f"{_encoded(canonical(draft.header))}.{_encoded(canonical(draft.claims))}"
        signature = draft.sign(self._key(draft.signer), signed.encode())
        return draft.finish(f"{signed}.{_encoded(signature)}")

    def _key(self, name: str) -> RSAPrivateKey:
        if name not in self._keys:
            self._keys[name] = generate_private_key(_EXPONENT, _BITS)
        return self._keys[name]

    def _jwk(self, name: str) -> dict[str, Any]:
        public = json.loads(RSAAlgorithm.to_jwk(self._key(name).public_key()))
        members = {member: public[member] for member in ("kty", "n", "e")}
        return {**members, "kid": name, "alg": "RS256", "use": "sig"}


def _check(spec: Any) -> None:
    if not isinstance(spec, dict):
        raise TokenSpecError(f"a token is described by an object with {', '.join(_WORDS)}")
    for word, found in spec.items():
        if word not in _WORDS:
            raise TokenSpecError(f"unknown word {word!r} for a token; known are {_listed(_WORDS)}")
        if not isinstance(found, _WORDS[word]):
            raise TokenSpecError(f"{word} of a token is a {_WORDS[word].__name__}")
    _checked_name(spec.get("key", DEFAULT_KEY))
    for fault in spec.get("faults", []):
        if not isinstance(fault, str) or fault not in TOKEN_FAULTS:
            known = _listed(TOKEN_FAULTS)
            raise TokenSpecError(f"unknown fault {fault!r} of a token; known are {known}")


def _checked_name(name: object) -> str:
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        raise TokenSpecError(f"{name!r} is no name of a key: 1 to 100 of A-Z a-z 0-9 . _ -")
    return name


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _encoded(part: str | bytes) -> str:
    raw = part.encode() if isinstance(part, str) else part
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
