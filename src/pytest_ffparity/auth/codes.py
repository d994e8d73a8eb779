"""The closed list of reasons for which credentials are refused."""

from __future__ import annotations

from enum import StrEnum


class AuthCode(StrEnum):
    """Why a caller is refused: 401 each, but 503 for `jwks_unreachable`."""

    AUTH_SCHEME_UNSUPPORTED = "auth_scheme_unsupported"
    DEV_HEADERS_INVALID = "dev_headers_invalid"
    TOKEN_MALFORMED = "token_malformed"  # noqa: S105 - a code, no secret
    ALG_NOT_ALLOWED = "alg_not_allowed"
    KID_NOT_FOUND = "kid_not_found"
    SIGNATURE_INVALID = "signature_invalid"
    JWKS_UNREACHABLE = "jwks_unreachable"
    TOKEN_EXPIRED = "token_expired"  # noqa: S105
    TOKEN_NOT_YET_VALID = "token_not_yet_valid"  # noqa: S105
    ISSUER_INVALID = "issuer_invalid"
    AUDIENCE_INVALID = "audience_invalid"
    CLAIM_MISSING = "claim_missing"
    CLAIM_INVALID = "claim_invalid"


class RefusedError(Exception):
    """Credentials that are refused; it never leaves this package.

    Attributes:
        code: The reason.
        retry_after: Whole seconds until asking again may help, where that is so.
    """

    def __init__(self, code: AuthCode, retry_after: int | None = None) -> None:
        self.code = code
        self.retry_after = retry_after
        super().__init__(code)
