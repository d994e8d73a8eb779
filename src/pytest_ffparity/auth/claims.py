"""What a token's claims must say. Pure; the order of the checks settles which code is given."""

from __future__ import annotations

import math
from typing import Any, Final

import msgspec

from pytest_ffparity.auth.callers import legal_caller
from pytest_ffparity.auth.codes import AuthCode, AuthError
from pytest_ffparity.auth.settings import AuthSettings

# The last second of the year 9999; milliseconds in place of seconds land beyond it.
_LAST_SECOND: Final = 253_402_300_799


class Window(msgspec.Struct, frozen=True, gc=False):
    """From when and until when a token may be used, leeway included; seconds since 1970."""

    opens: float
    closes: float

    def check(self, now: float) -> None:
        """Hold the window against the wall clock, once more.

        Raises:
            AuthError: `token_expired`, or `token_not_yet_valid`.
        """
        if self.closes <= now:
            raise AuthError(AuthCode.TOKEN_EXPIRED)
        if self.opens > now:
            raise AuthError(AuthCode.TOKEN_NOT_YET_VALID)


class Claims(msgspec.Struct, frozen=True, gc=False):
    """What is taken from a token's claims, all of it checked."""

    tenant_id: str
    user_id: str
    window: Window


def check_claims(claims: dict[str, Any], settings: AuthSettings, now: float) -> Claims:
    """Check exp, nbf, iat, iss, aud, sub, tenant_id, jti, in this order.

    Raises:
        AuthError: With the code of the first that fails: missing, then ill-typed, then its value.
    """
    window = _window(claims, settings, now)
    issuer = _present(claims, "iss")
    if not isinstance(issuer, str):
        raise AuthError(AuthCode.CLAIM_INVALID)
    if issuer not in settings.issuers:
        raise AuthError(AuthCode.ISSUER_INVALID)
    _check_audience(claims, settings.audience)
    user_id = _caller(claims, "sub")
    tenant_id = _caller(claims, "tenant_id")
    if not isinstance(claims.get("jti", ""), str):
        raise AuthError(AuthCode.CLAIM_INVALID)
    return Claims(tenant_id, user_id, window)


def _window(claims: dict[str, Any], settings: AuthSettings, now: float) -> Window:
    leeway = settings.leeway
    expires = _seconds(_present(claims, "exp"))
    # "On or after" refuses: a token is over at its very instant of expiry.
    if expires + leeway <= now:
        raise AuthError(AuthCode.TOKEN_EXPIRED)
    opens = -math.inf
    for name in ("nbf", "iat"):
        if name in claims:
            opens = max(opens, _seconds(claims[name]) - leeway)
            if opens > now:
                raise AuthError(AuthCode.TOKEN_NOT_YET_VALID)
    longest = settings.max_lifetime
    # Whether a token lives too long can be told from its birth alone.
    if longest is not None and expires - _seconds(_present(claims, "iat")) > longest:
        raise AuthError(AuthCode.CLAIM_INVALID)
    return Window(opens, expires + leeway)


def _check_audience(claims: dict[str, Any], ours: str) -> None:
    audience = _present(claims, "aud")
    if audience == ours:
        return
    if audience in ("", []):
        raise AuthError(AuthCode.CLAIM_MISSING)
    listed = audience if isinstance(audience, list) else [audience]
    if not all(isinstance(one, str) for one in listed):
        raise AuthError(AuthCode.CLAIM_INVALID)
    if ours not in listed:
        raise AuthError(AuthCode.AUDIENCE_INVALID)


def _present(claims: dict[str, Any], name: str) -> Any:
    found = claims.get(name)
    if found is None:
        raise AuthError(AuthCode.CLAIM_MISSING)
    return found


def _caller(claims: dict[str, Any], name: str) -> str:
    found = _present(claims, name)
    if not legal_caller(found):
        raise AuthError(AuthCode.CLAIM_INVALID)
    return found


def _seconds(found: Any) -> int | float:
    # The types as they are: bool is an int in Python. A literal beyond a double is read as an infinity.
    if type(found) not in (int, float):
        raise AuthError(AuthCode.CLAIM_INVALID)
    if found > _LAST_SECOND or found == -math.inf:
        raise AuthError(AuthCode.CLAIM_INVALID)
    seconds: int | float = max(found, -_LAST_SECOND)
    return seconds
