"""Puts the checks in their order: who is asking, and in which of the four modes."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final

from pytest_ffparity.auth.claims import check_claims
from pytest_ffparity.auth.codes import AuthCode, AuthError
from pytest_ffparity.auth.dev_headers import TENANT, read_dev_headers, values
from pytest_ffparity.auth.issuers import IssuerKeys
from pytest_ffparity.auth.jwks import Found, Held, JWKSCache, Missing
from pytest_ffparity.auth.modes import Finding, Row, Standing, row_of
from pytest_ffparity.auth.settings import AuthSettings
from pytest_ffparity.auth.tokens import Token, parse, read_claims, text_of
from pytest_ffparity.auth.verified import Verified, VerifiedTokens
from pytest_ffparity.evaluator.health import Health
from pytest_ffparity.evaluator.model import Identity, Rejection
from pytest_ffparity.evaluator.names import AUTH_SOURCE, AuthMode
from pytest_ffparity.evaluator.protocols import Clock
from pytest_ffparity.logs import logger, short_hash

_AUTHORIZATION: Final = "authorization"
_ANONYMOUS: Final = Identity(AuthMode.ANONYMOUS)
_NO_KEY: Final = {
    Missing.NO_SET: Standing.NO_KEY_SET,
    Missing.NOT_REFRESHED: Standing.KEY_NOT_HELD,
    Missing.NOT_PUBLISHED: Standing.KEY_NOT_PUBLISHED,
}

_log = logger(__name__)
_enabled = logging.getLogger(__name__).isEnabledFor


class TokenAuthenticator:
    """Judges the credentials of one path; it owns its key sets and its verified tokens.

    Callers may come from several event loops and threads, and go on in a forked process.

    Args:
        settings: Checked settings.
        clock: The wall clock, for what a token says about time.
        monotonic: The clock of everything that is kept for a while.
        held: The key set it starts with, if any; for one JWKS URL only.

    Raises:
        ConfigurationError: `held` is given for several JWKS URLs.
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
        self._keys = IssuerKeys(settings, clock=clock, monotonic=monotonic, held=held)
        self._only_keys = self._keys.only
        self._verified = VerifiedTokens(self._keys.peek, monotonic)

    @property
    def health(self) -> tuple[Health, ...]:
        """How the JWKS endpoints are doing."""
        return self._keys.health

    async def authenticate(self, headers: tuple[tuple[str, str], ...]) -> Identity | Rejection:
        """Judge the credentials among the raw headers; whatever a caller sent, it never raises."""
        try:
            credentials = values(headers, _AUTHORIZATION)
            if not credentials:
                identity = self._without_token(headers)
                _log_accepted(identity, None)
                return identity
            # From here on nothing falls back to dev headers or to anonymous.
            token = _bearer(credentials)
        except AuthError as error:
            _log_refused(error, None)
            return error.rejection
        try:
            return await self.check(token)
        except AuthError as error:
            return error.rejection

    async def check(self, token: str | bytes) -> Identity:
        """Judge a bearer token: any text and any bytes give an identity or the one error.

        Raises:
            AuthError: With the code of the first check that fails.
        """
        kid: str | None = None
        try:
            text = text_of(token, self._settings)
            digest = sha256(text).digest()
            seen = self._verified.get(digest)
            if seen is not None:
                kid = seen.kid
                seen.window.check(self._clock().timestamp())
                _log_accepted(seen.identity, kid)
                return seen.identity
            parsed = parse(text, self._settings)
            kid = parsed.kid
            identity = await self._judged(parsed, digest)
        except AuthError as error:
            _log_refused(error, kid)
            raise
        _log_accepted(identity, kid)
        return identity

    async def aclose(self) -> None:
        """Give up what is under way."""
        await self._keys.aclose()

    async def _judged(self, token: Token, digest: bytes) -> Identity:
        claims = None
        keys = self._only_keys
        if keys is None:
            # Who claims to be the issuer settles whose keys are tried; that it is so, they prove.
            claims = read_claims(token.payload)
            keys = self._keys_of(claims)
        key = self._keys.peek(keys, token.alg, token.kid)
        answer = Found(key) if key else await self._keys.find(keys, token.alg, token.kid)
        finding = _finding(answer, token)
        row = self._row(finding)
        if isinstance(row.outcome, AuthCode):
            down = row.outcome is AuthCode.JWKS_UNREACHABLE
            raise AuthError(row.outcome, self._keys.retry_after(keys) if down else None)
        if claims is None:
            claims = read_claims(token.payload)
        caller = check_claims(claims, self._settings, self._clock().timestamp())
        identity = Identity(row.outcome, caller.tenant_id, caller.user_id, row.warnings)
        if isinstance(answer, Found) and finding is Standing.SIGNED:
            entry = Verified(
                identity=identity,
                window=caller.window,
                keys=keys,
                alg=token.alg,
                kid=token.kid,
                thumbprint=answer.key.thumbprint,
                kept_until=self._verified.until(),
            )
            self._verified.add(digest, entry)
        return identity

    def _keys_of(self, claims: dict[str, Any]) -> JWKSCache:
        issuer = claims.get("iss")
        if not isinstance(issuer, str) or issuer not in self._settings.issuers:
            # No key could prove it: this raises at the issuer, if not at an earlier claim.
            check_claims(claims, self._settings, self._clock().timestamp())
            raise AuthError(AuthCode.ISSUER_INVALID)
        return self._keys.of(issuer)

    def _without_token(self, headers: tuple[tuple[str, str], ...]) -> Identity:
        sent = bool(values(headers, TENANT))
        row = self._row(Standing.DEV_HEADERS if sent else Standing.NO_CREDENTIALS)
        if row.outcome is not AuthMode.DEV_HEADERS:
            return _ANONYMOUS
        caller = read_dev_headers(headers)
        return Identity(row.outcome, caller.tenant_id, caller.user_id, row.warnings)

    def _row(self, finding: Finding) -> Row:
        return row_of(finding, fallback=self._settings.allow_dev_headers)


def _finding(answer: Found | Missing, token: Token) -> Finding:
    """Check the signature, or tell why that can't be done."""
    if isinstance(answer, Missing):
        return _NO_KEY[answer]
    if answer.key.alg != token.alg:
        return AuthCode.ALG_NOT_ALLOWED
    if not answer.key.verifies(token.signed, token.signature):
        return AuthCode.SIGNATURE_INVALID
    return Standing.SIGNED_STALE if answer.stale else Standing.SIGNED


def _bearer(credentials: list[str]) -> str:
    if len(credentials) > 1:
        raise AuthError(AuthCode.TOKEN_MALFORMED)
    scheme, _, token = credentials[0].partition(" ")
    if scheme.lower() != "bearer":
        raise AuthError(AuthCode.AUTH_SCHEME_UNSUPPORTED)
    return token


def _log_refused(error: AuthError, kid: str | None) -> None:
    if _enabled(logging.INFO):
        _log.info("auth.refused", code=str(error.code), kid=short_hash(kid))


def _log_accepted(identity: Identity, kid: str | None) -> None:
    if _enabled(logging.DEBUG):
        source = AUTH_SOURCE[identity.mode]
        warnings = list(map(str, identity.warnings))
        _log.debug("auth.accepted", auth_source=source, warnings=warnings, kid=short_hash(kid))
