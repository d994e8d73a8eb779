"""A token's structure and header, before any key and any network. Pure and total."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, Final

import msgspec

from pytest_ffparity.auth.codes import AuthCode, RefusedError
from pytest_ffparity.auth.keys import ALGORITHMS
from pytest_ffparity.formats import strict_json

MAX_TOKEN: Final = 8192
MAX_HEADER: Final = 2048
MAX_SIGNATURE: Final = 1024
MAX_KID: Final = 256

_SEGMENTS: Final = 3
_ALPHABET: Final = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)
_TYPES: Final = frozenset({"jwt", "at+jwt", "application/at+jwt"})
# Each of these changes what the token means, and none is understood here.
_REFUSED_PARAMETERS: Final = ("crit", "b64", "zip", "enc", "cty")


class Token(msgspec.Struct, frozen=True):
    """A token that is well formed; nothing about it is proven."""

    alg: str
    kid: str | None
    signed: bytes
    payload: bytes
    signature: bytes


def parse(token: str) -> Token:
    """Take a token apart.

    Raises:
        RefusedError: `token_malformed`, or `alg_not_allowed`.
    """
    # The length first: what follows costs time for each character.
    if len(token) > MAX_TOKEN or token.count(".") != _SEGMENTS - 1:
        raise RefusedError(AuthCode.TOKEN_MALFORMED)
    head, body, tail = token.split(".")
    if len(head) > MAX_HEADER:
        raise RefusedError(AuthCode.TOKEN_MALFORMED)
    raw_header, payload, signature = _decoded(head), _decoded(body), _decoded(tail)
    if len(signature) > MAX_SIGNATURE:
        raise RefusedError(AuthCode.TOKEN_MALFORMED)
    try:
        header = strict_json.loads(raw_header)
    except strict_json.JSONRefusedError:
        raise RefusedError(AuthCode.TOKEN_MALFORMED) from None
    if not isinstance(header, dict):
        raise RefusedError(AuthCode.TOKEN_MALFORMED)
    alg = header.get("alg")
    if not isinstance(alg, str) or alg not in ALGORITHMS:
        raise RefusedError(AuthCode.ALG_NOT_ALLOWED)
    _check_parameters(header)
    return Token(alg, header.get("kid"), f"{head}.{body}".encode("ascii"), payload, signature)


def read_claims(payload: bytes) -> dict[str, Any]:
    """Read a token's claims.

    Numbers that the strict reader would refuse are let through, because a claim that is out of
    range is `claim_invalid` and not `token_malformed`; `check_claims` deals with them.

    Raises:
        RefusedError: `token_malformed`: not UTF-8, not a JSON object, or a claim stands twice.
    """
    try:
        claims = json.loads(payload.decode("utf-8"), object_pairs_hook=strict_json.unique)
    except (ValueError, RecursionError):
        raise RefusedError(AuthCode.TOKEN_MALFORMED) from None
    if not isinstance(claims, dict):
        raise RefusedError(AuthCode.TOKEN_MALFORMED)
    return claims


def _decoded(segment: str) -> bytes:
    if _ALPHABET.fullmatch(segment) is None or len(segment) % 4 == 1:
        raise RefusedError(AuthCode.TOKEN_MALFORMED)
    raw = urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    # Unused bits of the last character would give one token several spellings.
    if urlsafe_b64encode(raw).rstrip(b"=") != segment.encode("ascii"):
        raise RefusedError(AuthCode.TOKEN_MALFORMED)
    return raw


def _check_parameters(header: dict[str, Any]) -> None:
    kind = header.get("typ", "JWT")
    kid = header.get("kid", "-")
    sound = (
        not any(name in header for name in _REFUSED_PARAMETERS)
        and isinstance(kind, str)
        and kind.lower() in _TYPES
        and isinstance(kid, str)
        and 0 < len(kid) <= MAX_KID
    )
    if not sound:
        raise RefusedError(AuthCode.TOKEN_MALFORMED)
