"""The table of the modes: what credentials come to. The authenticator runs it, the docs print it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, TypeAlias

import msgspec

from pytest_ffparity.auth.codes import AuthCode
from pytest_ffparity.evaluator.names import AuthMode, Warn


class Standing(StrEnum):
    """How credentials stand that no check has refused."""

    NO_CREDENTIALS = "neither a token nor dev headers"
    DEV_HEADERS = "no token; dev headers are there"
    SIGNED = "the signature verifies, the claims hold"
    SIGNED_STALE = "as above; the key set is over its time and its refresh failed"
    NO_KEY_SET = "the key set can't be fetched, and no usable one is held"
    KEY_NOT_HELD = "a set is held without the kid, and its refresh failed"
    KEY_NOT_PUBLISHED = "the set has just been refreshed, and lacks the kid"


Finding: TypeAlias = Standing | AuthCode


class Row(msgspec.Struct, frozen=True):
    """One row: a finding, and what it comes to with the dev fallback on, off, or either (None).

    It comes to a mode with warnings, or to a refusal by a code.
    """

    id: str
    finding: Finding
    fallback: bool | None
    outcome: AuthMode | AuthCode
    warnings: tuple[str, ...] = ()


def _refused(row: str, *codes: AuthCode) -> tuple[Row, ...]:
    return tuple(Row(row, code, None, code) for code in codes)


_NOT_VERIFIED: Final = Warn.AUTH_NOT_VERIFIED

MODES: Final[tuple[Row, ...]] = (
    Row("M-01", Standing.SIGNED, None, AuthMode.VERIFIED),
    Row("M-01", Standing.SIGNED_STALE, None, AuthMode.VERIFIED, (Warn.JWKS_STALE,)),
    Row(
        *("M-02", Standing.NO_KEY_SET, True, AuthMode.DECODE_ONLY),
        (_NOT_VERIFIED, Warn.JWKS_UNREACHABLE),
    ),
    Row(
        *("M-03", Standing.KEY_NOT_HELD, True, AuthMode.DECODE_ONLY),
        (_NOT_VERIFIED, Warn.KID_NOT_FOUND),
    ),
    *_refused("M-04", AuthCode.SIGNATURE_INVALID),
    *_refused("M-05", AuthCode.ALG_NOT_ALLOWED),
    *_refused("M-06", AuthCode.AUDIENCE_INVALID, AuthCode.ISSUER_INVALID),
    *_refused("M-07", AuthCode.TOKEN_EXPIRED),
    Row("M-08", Standing.DEV_HEADERS, True, AuthMode.DEV_HEADERS, (_NOT_VERIFIED,)),
    *_refused("M-08", AuthCode.DEV_HEADERS_INVALID),
    Row("M-09", Standing.NO_KEY_SET, False, AuthCode.JWKS_UNREACHABLE),
    Row("M-09", Standing.KEY_NOT_HELD, False, AuthCode.JWKS_UNREACHABLE),
    Row("M-09", Standing.KEY_NOT_PUBLISHED, None, AuthCode.KID_NOT_FOUND),
    Row("M-09", Standing.DEV_HEADERS, False, AuthMode.ANONYMOUS),
    Row("M-09", Standing.NO_CREDENTIALS, None, AuthMode.ANONYMOUS),
    *_refused(
        "M-10",
        AuthCode.TOKEN_MALFORMED,
        AuthCode.CLAIM_MISSING,
        AuthCode.CLAIM_INVALID,
        AuthCode.TOKEN_NOT_YET_VALID,
        AuthCode.AUTH_SCHEME_UNSUPPORTED,
    ),
)

_BY_FINDING: Final[dict[tuple[Finding, bool], Row]] = {
    (row.finding, fallback): row
    for row in MODES
    for fallback in (True, False)
    if row.fallback in (None, fallback)
}


def row_of(finding: Finding, *, fallback: bool) -> Row:
    """Give the row of a finding, with the dev fallback on or off."""
    return _BY_FINDING[finding, fallback]
