"""Settings of the authenticator, checked before a service starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from pytest_ffparity.net.urls import ConfigurationError, is_production, required, required_url

DEFAULT_AUDIENCE: Final = "pty-feature-flags"
_MAX_LEEWAY: Final = 60


class AuthSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where keys come from, what a token must say, and whether the dev fallback is on.

    `leeway` is the seconds by which clocks may differ, `overlap` the seconds for which a key that
    left the published set is still taken; 0 switches either off.
    """

    jwks_url: str
    issuers: frozenset[str]
    audience: str = DEFAULT_AUDIENCE
    allow_dev_headers: bool = False
    leeway: int = 30
    overlap: int = 300

    def __post_init__(self) -> None:
        """Refuse numbers that would undo a check."""
        if not 0 <= self.leeway <= _MAX_LEEWAY:
            raise ConfigurationError(f"a leeway is from 0 to {_MAX_LEEWAY} s, not {self.leeway}")
        if self.overlap < 0:
            raise ConfigurationError(f"an overlap is 0 s or more, not {self.overlap}")

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> AuthSettings:
        """Read FF_JWKS_URL, FF_JWT_ISSUER, FF_JWT_AUDIENCE, FF_ALLOW_DEV_HEADERS and FF_ENV.

        Raises:
            ConfigurationError: Something is missing or unsafe; the message says what to set.
        """
        # Only the exact word: a dev fallback must never be on by a typing mistake.
        allow_dev_headers = env.get("FF_ALLOW_DEV_HEADERS") == "true"
        if allow_dev_headers and is_production(env):
            raise ConfigurationError(
                "FF_ALLOW_DEV_HEADERS is true in production; remove it, or change FF_ENV"
            )
        issuers = frozenset(filter(None, map(str.strip, required(env, "FF_JWT_ISSUER").split(","))))
        if not issuers:
            raise ConfigurationError("FF_JWT_ISSUER names no issuer; give one, or several by comma")
        return cls(
            jwks_url=required_url(env, "FF_JWKS_URL"),
            issuers=issuers,
            audience=env.get("FF_JWT_AUDIENCE") or DEFAULT_AUDIENCE,
            allow_dev_headers=allow_dev_headers,
        )
