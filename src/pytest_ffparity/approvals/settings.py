"""Settings of the Admin client, checked before a service starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from pytest_ffparity.net.environment import ConfigurationError, number
from pytest_ffparity.net.urls import required_url

DEFAULT_CACHE_SECONDS: Final = 2.0
# An approval that was revoked is to be noticed soon, whatever anybody sets.
_LONGEST_CACHE: Final = 10.0


class ApprovalSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where Admin is, and what asking it may cost; times in seconds.

    `timeout` covers a question whole, the wait for a slot too. `cache_seconds` is for how long an
    answer is taken again, 0 for never. `ca_file` is a PEM file with the roots to trust in place of
    the public ones.
    """

    admin_url: str
    timeout: float = 1.0
    cache_seconds: float = DEFAULT_CACHE_SECONDS
    cache_size: int = 1024
    in_flight: int = 8
    failures_to_open: int = 5
    open_seconds: float = 5.0
    ca_file: str | None = None

    def __post_init__(self) -> None:
        """Refuse numbers that would undo a limit."""
        if not 0 <= self.cache_seconds <= _LONGEST_CACHE:
            raise ConfigurationError(
                f"FF_APPROVAL_CACHE_SECONDS is from 0 to {_LONGEST_CACHE:g}, "
                f"not {self.cache_seconds:g}"
            )

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> ApprovalSettings:
        """Read FF_ADMIN_URL, FF_APPROVAL_CACHE_SECONDS, FF_CA_FILE and FF_ENV.

        Raises:
            ConfigurationError: Something is missing or unsafe; the message says what to set.
        """
        cache_seconds = number(env, "FF_APPROVAL_CACHE_SECONDS")
        return cls(
            admin_url=required_url(env, "FF_ADMIN_URL"),
            cache_seconds=DEFAULT_CACHE_SECONDS if cache_seconds is None else cache_seconds,
            ca_file=env.get("FF_CA_FILE") or None,
        )
