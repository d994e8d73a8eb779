"""Which URLs a path may ask: https, or http to this machine outside production."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from pytest_ffparity.errors import FFParityError

_PRODUCTION: Final = "production"


class ConfigurationError(FFParityError, ValueError):
    """Settings with which a service must not start; the message names the setting and the remedy."""


def is_production(env: Mapping[str, str]) -> bool:
    """Tell whether `FF_ENV` names production; blanks and case don't switch the guards off."""
    return env.get("FF_ENV", "").strip().lower() == _PRODUCTION


def required(env: Mapping[str, str], name: str) -> str:
    """Give a setting that must be there.

    Raises:
        ConfigurationError: Missing or empty.
    """
    found = env.get(name, "")
    if not found:
        raise ConfigurationError(f"{name} is not set; set it in the service's environment")
    return found


def required_url(env: Mapping[str, str], name: str) -> str:
    """Give a URL setting that a path may ask, without a trailing slash.

    Raises:
        ConfigurationError: Missing, no URL, with credentials in it, or http where https is due.
    """
    found = required(env, name)
    try:
        url = urlsplit(found)
        host = url.hostname
        _ = url.port
    except ValueError:
        raise ConfigurationError(f"{name} is no URL; write https://HOST[:PORT]/PATH") from None
    if not host or not found.isascii() or not found.isprintable() or " " in found:
        raise ConfigurationError(f"{name} is no URL; write https://HOST[:PORT]/PATH")
    if "@" in url.netloc or url.query or url.fragment:
        # Such a URL would carry secrets into logs, or a path appended to it would go astray.
        raise ConfigurationError(
            f"{name} holds credentials, a query or a fragment; give scheme, host and path only"
        )
    _check_scheme(name, url, host, production=is_production(env))
    return found.rstrip("/")


def _check_scheme(name: str, url: SplitResult, host: str, *, production: bool) -> None:
    if url.scheme == "https":
        return
    if production:
        raise ConfigurationError(
            f"{name} is not https (it is {url.scheme[:16]}); production takes https only"
        )
    if url.scheme != "http" or not _is_loopback(host):
        raise ConfigurationError(
            f"{name} must be https; http is for this machine only (127.0.0.1, ::1, localhost)"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
