"""Settings of the Admin client, checked before a service starts."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from pytest_ffparity.net.urls import required_url


class ApprovalSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where Admin is, and what asking it may cost; times in seconds.

    `timeout` covers a question whole, the wait for a slot too. `cache_seconds` is for how long an
    answer is taken again, 0 for never. `ca_file` is a PEM file with the roots to trust in place of
    the public ones.
    """

    admin_url: str
    timeout: float = 1.0
    cache_seconds: float = 2.0
    cache_size: int = 1024
    in_flight: int = 8
    failures_to_open: int = 5
    open_seconds: float = 5.0
    ca_file: str | None = None

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> ApprovalSettings:
        """Read FF_ADMIN_URL, FF_CA_FILE and FF_ENV.

        Raises:
            ConfigurationError: The URL is missing or unsafe; the message says what to set.
        """
        return cls(
            admin_url=required_url(env, "FF_ADMIN_URL"), ca_file=env.get("FF_CA_FILE") or None
        )
