"""Settings read from a service's environment: what is missing or unsafe refuses to start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pytest_ffparity.errors import FFParityError

_PRODUCTION: Final = "production"
_MAX_DIGITS: Final = 15


class ConfigurationError(FFParityError, ValueError):
    """Settings with which a service must not start; the message names the setting and the remedy."""


def is_production(env: Mapping[str, str]) -> bool:
    """Tell whether `FF_ENV` names production; blanks and case don't switch the guards off."""
    return env.get("FF_ENV", "").strip().lower() == _PRODUCTION


def switched_on(env: Mapping[str, str], name: str) -> bool:
    """Tell whether a switch is on: by the exact word `true` and by nothing else."""
    return env.get(name) == "true"


def narrowed(env: Mapping[str, str], name: str) -> bool:
    """Tell whether a restriction is on: what is neither `true` nor `false` is no reason to drop it.

    Raises:
        ConfigurationError: Another word.
    """
    found = env.get(name, "") or "false"
    if found not in ("true", "false"):
        raise ConfigurationError(f"{name} is true or false; write one of the two, or remove it")
    return found == "true"


def required(env: Mapping[str, str], name: str) -> str:
    """Give a setting that must be there.

    Raises:
        ConfigurationError: Missing or empty.
    """
    found = env.get(name, "")
    if not found:
        raise ConfigurationError(f"{name} is not set; set it in the service's environment")
    return found


def number(env: Mapping[str, str], name: str) -> int | None:
    """Give a whole number, None where it is not set.

    Raises:
        ConfigurationError: Something else than digits.
    """
    found = env.get(name)
    if not found:
        return None
    if not (found.isascii() and found.isdigit() and len(found) <= _MAX_DIGITS):
        raise ConfigurationError(f"{name} is not a whole number; write digits only, or remove it")
    return int(found)
