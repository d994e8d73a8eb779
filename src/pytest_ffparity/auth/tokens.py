"""A token's structure and header, before any key and any network. Pure and total."""

from __future__ import annotations

from binascii import a2b_base64
from functools import lru_cache
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Any, Final

import msgspec

from pytest_ffparity.auth.codes import AuthCode, AuthError
from pytest_ffparity.auth.json_object import NotANumberError, read_object
from pytest_ffparity.auth.settings import AuthSettings

MAX_HEADER: Final = 2048
MAX_SIGNATURE: Final = 1024
MAX_KID: Final = 256
HEADERS_KEPT: Final = 256

_ALPHABET: Final = f"{ascii_uppercase}{ascii_lowercase}{digits}-_".encode()
_TO_STANDARD: Final = bytes.maketrans(b"-_", b"+/")
# By the length modulo 4, what a segment may end with. Unused bits of the last character would give
# one token several spellings; no segment has a single character left over.
_ENDS: Final = tuple(map(frozenset, (_ALPHABET, b"", _ALPHABET[::16], _ALPHABET[::4])))
_ACCESS_TOKEN: Final = frozenset({"at+jwt", "application/at+jwt"})
_ANY_KIND: Final = _ACCESS_TOKEN | {"jwt", None}
# Each of these changes what the token means, and none is understood here.
_REFUSED_PARAMETERS: Final = frozenset({"crit", "b64", "zip", "enc", "cty"})


class Token(msgspec.Struct, frozen=True, gc=False):
    """A token that is well formed; nothing about it is proven."""

    alg: str
    kid: str | None
    signed: bytes
    payload: bytes
    signature: bytes


class _Header(msgspec.Struct, frozen=True, gc=False):
    alg: str | None
    kid: str | None
    kind: str | None
    sound: bool


def text_of(token: str | bytes, settings: AuthSettings) -> bytes:
    """Give the token's text, refused unread if it is too long.

    Raises:
        AuthError: `token_malformed`.
    """
    # The length first: what follows costs time for each character.
    if len(token) > settings.max_token_bytes:
        raise AuthError(AuthCode.TOKEN_MALFORMED)
    if isinstance(token, bytes):
        return token
    try:
        return token.encode("ascii")
    except UnicodeEncodeError:
        raise AuthError(AuthCode.TOKEN_MALFORMED) from None


def parse(text: bytes, settings: AuthSettings) -> Token:
    """Take a token apart.

    Raises:
        AuthError: `token_malformed`, or `alg_not_allowed`.
    """
    # Without the letters of base64url, two dots are left of three segments.
    if text.translate(None, _ALPHABET) != b"..":
        raise AuthError(AuthCode.TOKEN_MALFORMED)
    head, body, tail = text.split(b".")
    if len(head) > MAX_HEADER or len(tail) * 3 // 4 > MAX_SIGNATURE:
        raise AuthError(AuthCode.TOKEN_MALFORMED)
    payload, signature = _decoded(body), _decoded(tail)
    header = _read_header(head)
    if header.alg is None or header.alg not in settings.algorithms:
        raise AuthError(AuthCode.ALG_NOT_ALLOWED)
    kinds = _ACCESS_TOKEN if settings.only_access_tokens else _ANY_KIND
    if not header.sound or header.kind not in kinds or not signature:
        raise AuthError(AuthCode.TOKEN_MALFORMED)
    return Token(header.alg, header.kid, text[: len(head) + 1 + len(body)], payload, signature)


def read_claims(payload: bytes) -> dict[str, Any]:
    """Read a token's claims.

    Raises:
        AuthError: `token_malformed`: no JSON object, or a claim stands twice. `claim_invalid`: one
            is NaN or an infinity.
    """
    try:
        return read_object(payload)
    except NotANumberError:
        raise AuthError(AuthCode.CLAIM_INVALID) from None
    except ValueError:
        raise AuthError(AuthCode.TOKEN_MALFORMED) from None


def _decoded(segment: bytes) -> bytes:
    if segment and segment[-1] not in _ENDS[len(segment) % 4]:
        raise AuthError(AuthCode.TOKEN_MALFORMED)
    # The padding that is too much is passed over.
    return a2b_base64(segment.translate(_TO_STANDARD) + b"==")


# An issuer's tokens share a handful of headers. What is refused is not kept.
@lru_cache(maxsize=HEADERS_KEPT)
def _read_header(segment: bytes) -> _Header:
    try:
        header = read_object(_decoded(segment))
    except ValueError:
        raise AuthError(AuthCode.TOKEN_MALFORMED) from None
    alg, kid, kind = header.get("alg"), header.get("kid"), header.get("typ")
    sound = (
        _REFUSED_PARAMETERS.isdisjoint(header)
        and ("kid" not in header or (isinstance(kid, str) and 0 < len(kid) <= MAX_KID))
        and ("typ" not in header or isinstance(kind, str))
    )
    return _Header(
        alg if isinstance(alg, str) else None,
        kid if sound else None,
        kind.lower() if isinstance(kind, str) else None,
        sound,
    )
