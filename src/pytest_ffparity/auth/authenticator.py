"""Puts the checks in their order: who is asking, and in which of the four modes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from pytest_ffparity.auth.claims import check_claims
from pytest_ffparity.auth.codes import AuthCode, RefusedError
from pytest_ffparity.auth.dev_headers import read_dev_headers, values
from pytest_ffparity.auth.fetch import HTTPFetch
from pytest_ffparity.auth.jwks import Found, Held, JWKSCache, Missing
from pytest_ffparity.auth.settings import AuthSettings
from pytest_ffparity.auth.tokens import Token, parse, read_claims
from pytest_ffparity.evaluator.model import Identity, Rejection
from pytest_ffparity.evaluator.names import AuthMode, Warn
from pytest_ffparity.evaluator.protocols import Clock

_AUTHORIZATION: Final = "authorization"
_ANONYMOUS: Final = Identity(AuthMode.ANONYMOUS)
_UNAUTHORIZED: Final = 401
_UNAVAILABLE: Final = 503


class TokenAuthenticator:
    """Judges the credentials of one path; it owns its key set and its connections.

    Args:
        settings: Checked settings.
        clock: The wall clock, for what a token says about time.
        monotonic: The clock of the key set's TTL and back-off.
        held: The key set it starts with, if any.

    Raises:
        KeySetError: `held` is no key set.
    """

    def __init__(
        self,
        settings: AuthSettings,
        *,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
        held: Held | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._keys = JWKSCache(
            HTTPFetch(settings.jwks_url),
            held=held,
            overlap=settings.overlap,
            monotonic=monotonic,
        )

    async def authenticate(self, headers: tuple[tuple[str, str], ...]) -> Identity | Rejection:
        """Judge the credentials among the raw headers; whatever a caller sent, it never raises."""
        try:
            return await self._identity(headers)
        except RefusedError as refused:
            down = refused.code is AuthCode.JWKS_UNREACHABLE
            status = _UNAVAILABLE if down else _UNAUTHORIZED
            return Rejection(refused.code, status, refused.retry_after)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._keys.aclose()

    async def _identity(self, headers: tuple[tuple[str, str], ...]) -> Identity:
        credentials = values(headers, _AUTHORIZATION)
        if not credentials:
            found = read_dev_headers(headers) if self._settings.allow_dev_headers else None
            return found or _ANONYMOUS
        # From here on nothing falls back to dev headers or to anonymous.
        token = parse(_bearer(credentials))
        mode, warnings = await self._proven(token)
        caller = check_claims(read_claims(token.payload), self._settings, self._clock())
        return Identity(mode, caller.tenant_id, caller.user_id, warnings)

    async def _proven(self, token: Token) -> tuple[AuthMode, tuple[str, ...]]:
        """Check the signature, or tell why that can't be done."""
        answer = await self._keys.find(token.alg, token.kid)
        if isinstance(answer, Found):
            if answer.key.alg != token.alg:
                raise RefusedError(AuthCode.ALG_NOT_ALLOWED)
            if not answer.key.verifies(token.signed, token.signature):
                raise RefusedError(AuthCode.SIGNATURE_INVALID)
            return AuthMode.VERIFIED, (Warn.JWKS_STALE,) if answer.stale else ()
        if answer is Missing.NOT_PUBLISHED:
            raise RefusedError(AuthCode.KID_NOT_FOUND)
        if not self._settings.allow_dev_headers:
            raise RefusedError(AuthCode.JWKS_UNREACHABLE, self._keys.retry_after())
        why = Warn.JWKS_UNREACHABLE if answer is Missing.NO_SET else Warn.KID_NOT_FOUND
        return AuthMode.DECODE_ONLY, (Warn.AUTH_NOT_VERIFIED, why)


def _bearer(credentials: list[str]) -> str:
    if len(credentials) > 1:
        raise RefusedError(AuthCode.TOKEN_MALFORMED)
    scheme, _, token = credentials[0].partition(" ")
    if scheme.lower() != "bearer":
        raise RefusedError(AuthCode.AUTH_SCHEME_UNSUPPORTED)
    return token
