"""Settings of the authenticator, checked before a service starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from pytest_ffparity.auth.keys import ALGORITHMS
from pytest_ffparity.net.environment import (
    ConfigurationError,
    is_production,
    narrowed,
    number,
    required,
    switched_on,
)
from pytest_ffparity.net.urls import checked_url

DEFAULT_AUDIENCE: Final = "pty-feature-flags"
DEFAULT_MAX_TOKEN_BYTES: Final = 8192
_MAX_LEEWAY: Final = 60
_MAX_TOKEN_BYTES: Final = 1024 * 1024


class AuthSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Whose tokens are taken, where their keys come from, and whether the dev fallback is on.

    Attributes:
        issuers: Each issuer, exactly as `iss` says it, and the URL of its JWKS. A key counts for
            the issuers of its own URL alone.
        audience: What `aud` must name.
        allow_dev_headers: The dev fallback: decode-only, and dev headers.
        production: Refuses the dev fallback, and every URL that is not https.
        algorithms: The allowlist; a key is bound to one of them besides.
        only_access_tokens: Take no `typ` but `at+jwt` (RFC 9068).
        leeway: Seconds by which clocks may differ.
        max_lifetime: The most seconds from `iat` to `exp`; None for any.
        overlap: Seconds for which a key that left the published set is still taken; 0 for none.
        max_token_bytes: A longer token is refused unread.
        ca_file: A PEM file with the roots to trust in place of the public ones.

    Raises:
        ConfigurationError: Something is unsafe; the message says what to set.
    """

    issuers: dict[str, str]
    audience: str = DEFAULT_AUDIENCE
    allow_dev_headers: bool = False
    production: bool = False
    algorithms: frozenset[str] = ALGORITHMS
    only_access_tokens: bool = False
    leeway: int = 30
    max_lifetime: int | None = None
    overlap: int = 300
    max_token_bytes: int = DEFAULT_MAX_TOKEN_BYTES
    ca_file: str | None = None

    def __post_init__(self) -> None:
        """Refuse what would undo a check."""
        if self.allow_dev_headers and self.production:
            raise ConfigurationError(
                "FF_ALLOW_DEV_HEADERS is true in production; remove it, or change FF_ENV"
            )
        if not self.issuers or not all(self.issuers) or not self.audience.strip():
            raise ConfigurationError("FF_JWT_ISSUER and FF_JWT_AUDIENCE must not be empty")
        if self.audience != self.audience.strip():
            raise ConfigurationError("FF_JWT_AUDIENCE has a blank at its end; no token would fit")
        for url in self.issuers.values():
            checked_url("FF_JWKS_URL", url, production=self.production)
        unknown = sorted(self.algorithms - ALGORITHMS)
        if unknown or not self.algorithms:
            raise ConfigurationError(
                f"FF_JWT_ALGORITHMS takes some of {', '.join(sorted(ALGORITHMS))}, "
                f"not {', '.join(unknown) or 'none of them'}: a public key is no secret"
            )
        _check_range("leeway", self.leeway, 0, _MAX_LEEWAY)
        _check_range("overlap", self.overlap, 0, 86_400)
        _check_range("FF_JWT_MAX_BYTES", self.max_token_bytes, 1024, _MAX_TOKEN_BYTES)
        if self.max_lifetime is not None:
            _check_range("FF_JWT_MAX_LIFETIME", self.max_lifetime, 1, 10 * 366 * 86_400)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> AuthSettings:
        """Read the settings from a service's environment (docs/auth.md lists the variables).

        Raises:
            ConfigurationError: Something is missing or unsafe; the message says what to set.
        """
        algorithms = env.get("FF_JWT_ALGORITHMS")
        max_token_bytes = number(env, "FF_JWT_MAX_BYTES")
        return cls(
            issuers=_issuers(env),
            audience=env.get("FF_JWT_AUDIENCE") or DEFAULT_AUDIENCE,
            # Only the exact word: a dev fallback must never be on by a typing mistake.
            allow_dev_headers=switched_on(env, "FF_ALLOW_DEV_HEADERS"),
            production=is_production(env),
            algorithms=frozenset(_listed(algorithms)) if algorithms else ALGORITHMS,
            only_access_tokens=narrowed(env, "FF_JWT_ONLY_ACCESS_TOKENS"),
            max_lifetime=number(env, "FF_JWT_MAX_LIFETIME"),
            max_token_bytes=(
                DEFAULT_MAX_TOKEN_BYTES if max_token_bytes is None else max_token_bytes
            ),
            ca_file=env.get("FF_CA_FILE") or None,
        )


def _issuers(env: Mapping[str, str]) -> dict[str, str]:
    issuers = _listed(required(env, "FF_JWT_ISSUER"))
    urls = _listed(required(env, "FF_JWKS_URL"))
    if len(set(issuers)) != len(issuers):
        raise ConfigurationError("FF_JWT_ISSUER names an issuer twice")
    if len(urls) == 1:
        urls *= len(issuers)
    if len(urls) != len(issuers):
        raise ConfigurationError(
            "FF_JWKS_URL holds one URL for every issuer of FF_JWT_ISSUER, in the same order, "
            f"or one for all; found {len(urls)} for {len(issuers)}"
        )
    return dict(zip(issuers, urls, strict=True))


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _check_range(name: str, found: int, least: int, most: int) -> None:
    if not least <= found <= most:
        raise ConfigurationError(f"{name} is from {least} to {most}, not {found}")
