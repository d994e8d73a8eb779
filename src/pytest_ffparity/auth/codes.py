"""The closed list of reasons for which credentials are refused, and the one error that says so."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from pytest_ffparity.errors import FFParityError
from pytest_ffparity.evaluator.model import Rejection

_UNAUTHORIZED: Final = 401
_UNAVAILABLE: Final = 503


class AuthCode(StrEnum):
    """Why a caller is refused."""

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

    @property
    def http_status(self) -> int:
        """401, or 503 where it is not the caller's fault."""
        return _UNAVAILABLE if self is AuthCode.JWKS_UNREACHABLE else _UNAUTHORIZED


class AuthError(FFParityError):
    """Credentials that are refused; its text is the code alone, and nothing of what was sent.

    Attributes:
        code: The reason.
        http_status: What a front answers: 401 or 503.
        retry_after: Whole seconds until asking again may help, where that is so.
    """

    def __init__(self, code: AuthCode, retry_after: int | None = None) -> None:
        self.code = code
        self.http_status = code.http_status
        self.retry_after = retry_after
        super().__init__(str(code))

    @property
    def rejection(self) -> Rejection:
        """The same as the value that an evaluator works with."""
        return Rejection(self.code, self.http_status, self.retry_after)
