"""Which files a revision's own pytest configuration names for the gate."""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from iniconfig import IniConfig, ParseError

# In pytest's own order; a name at the front is tried first.
NAMES: Final = (
    "pytest.toml",
    ".pytest.toml",
    "pytest.ini",
    ".pytest.ini",
    "pyproject.toml",
    "tox.ini",
    "setup.cfg",
)
# Pytest's own, also where they say nothing.
_WHOLE: Final = NAMES[:4]
_SECTIONS: Final = {"setup.cfg": "tool:pytest"}


class Configured(msgspec.Struct, frozen=True):
    """The gate's files, as the ini keys name them; empty and None where they say nothing."""

    vectors: tuple[str, ...] = ()
    matrix: str | None = None
    waivers: str | None = None
    acknowledged: str | None = None


def over(defaults: Configured, said: Configured) -> Configured:
    """Put what a configuration says over the defaults; what has no default stays empty."""
    return Configured(
        vectors=defaults.vectors and (said.vectors or defaults.vectors),
        matrix=defaults.matrix and (said.matrix or defaults.matrix),
        waivers=defaults.waivers and (said.waivers or defaults.waivers),
        acknowledged=defaults.acknowledged and (said.acknowledged or defaults.acknowledged),
    )


def configured(name: str, raw: bytes) -> Configured | None:
    """Read a configuration file of pytest's.

    Args:
        name: The file's name, without its folder; it says how the file is written.
        raw: What it holds.

    Returns:
        None where it is no configuration of pytest's, or can't be read: pytest could not have
        used it either.
    """
    read: Callable[[str, str], Mapping[str, Any] | None] = _toml if name.endswith(".toml") else _ini
    try:
        section = read(name, raw.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, ParseError):
        return None
    if section is None:
        return Configured() if name in _WHOLE else None
    named = section.get("ffparity_vectors") or ()
    return Configured(
        vectors=tuple(shlex.split(named) if isinstance(named, str) else map(str, named)),
        matrix=section.get("ffparity_matrix") or None,
        waivers=section.get("ffparity_waivers") or None,
        acknowledged=section.get("ffparity_acknowledged") or None,
    )


def _toml(name: str, text: str) -> Mapping[str, Any] | None:
    data = tomllib.loads(text)
    if name != "pyproject.toml":
        return _table(data, "pytest")
    tool = _table(data, "tool") or {}
    pytest = _table(tool, "pytest")
    return None if pytest is None else _table(pytest, "ini_options") or pytest


def _ini(name: str, text: str) -> Mapping[str, Any] | None:
    section = _SECTIONS.get(name, "pytest")
    found = IniConfig(name, data=text)
    return dict(found[section].items()) if section in found else None


def _table(data: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    found = data.get(key)
    return found if isinstance(found, dict) else None
