"""Which URLs a path may ask: https, or http to this machine outside production."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from pytest_ffparity.net.environment import ConfigurationError, is_production, required


def required_url(env: Mapping[str, str], name: str) -> str:
    """Give a URL setting that a path may ask, without a trailing slash.

    Raises:
        ConfigurationError: Missing, or no URL that may be asked.
    """
    return checked_url(name, required(env, name), production=is_production(env)).rstrip("/")


def checked_url(name: str, found: str, *, production: bool) -> str:
    """Give a URL back if a path may ask it; `name` is the setting that a message speaks of.

    Raises:
        ConfigurationError: No URL, with credentials in it, or http where https is due.
    """
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
    _check_scheme(name, url, host, production=production)
    return found


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
