"""What a token's claims must say. Pure; the order of the checks settles which code is given."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any, Final

import msgspec

from pytest_ffparity.auth.callers import legal_caller
from pytest_ffparity.auth.codes import AuthCode, RefusedError
from pytest_ffparity.auth.settings import AuthSettings

# The last second of the year 9999; milliseconds in place of seconds land beyond it.
_LAST_SECOND: Final = 253_402_300_799


class Caller(msgspec.Struct, frozen=True):
    """Tenant and user, as the claims name them."""

    tenant_id: str
    user_id: str


def check_claims(claims: dict[str, Any], settings: AuthSettings, now: datetime) -> Caller:
    """Check exp, nbf, iat, iss, aud, sub, tenant_id, jti, in this order.

    Raises:
        RefusedError: With the code of the first that fails: missing, then ill-typed, then its value.
    """
    _check_times(claims, now.timestamp(), settings.leeway)
    issuer = _present(claims, "iss")
    if not isinstance(issuer, str):
        raise RefusedError(AuthCode.CLAIM_INVALID)
    if issuer not in settings.issuers:
        raise RefusedError(AuthCode.ISSUER_INVALID)
    _check_audience(claims, settings.audience)
    user_id = _caller(claims, "sub")
    tenant_id = _caller(claims, "tenant_id")
    if not isinstance(claims.get("jti", ""), str):
        raise RefusedError(AuthCode.CLAIM_INVALID)
    return Caller(tenant_id, user_id)


def _check_times(claims: dict[str, Any], now: float, leeway: int) -> None:
    # "On or after" refuses: a token is over at its very instant of expiry.
    if _seconds(_present(claims, "exp")) + leeway <= now:
        raise RefusedError(AuthCode.TOKEN_EXPIRED)
    for name in ("nbf", "iat"):
        if name in claims and _seconds(claims[name]) - leeway > now:
            raise RefusedError(AuthCode.TOKEN_NOT_YET_VALID)


def _check_audience(claims: dict[str, Any], ours: str) -> None:
    audience = _present(claims, "aud")
    if audience in ("", []):
        raise RefusedError(AuthCode.CLAIM_MISSING)
    listed = audience if isinstance(audience, list) else [audience]
    if not all(isinstance(one, str) for one in listed):
        raise RefusedError(AuthCode.CLAIM_INVALID)
    if ours not in listed:
        raise RefusedError(AuthCode.AUDIENCE_INVALID)


def _present(claims: dict[str, Any], name: str) -> Any:
    found = claims.get(name)
    if found is None:
        raise RefusedError(AuthCode.CLAIM_MISSING)
    return found


def _caller(claims: dict[str, Any], name: str) -> str:
    found = _present(claims, name)
    if not legal_caller(found):
        raise RefusedError(AuthCode.CLAIM_INVALID)
    return found


def _seconds(found: object) -> int | float:
    # bool is an int in Python; NaN and infinities come from a reader that lets numbers through.
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise RefusedError(AuthCode.CLAIM_INVALID)
    if found > _LAST_SECOND or (isinstance(found, float) and not math.isfinite(found)):
        raise RefusedError(AuthCode.CLAIM_INVALID)
    return found
