"""Which files a revision's own pytest configuration names for the gate."""

from __future__ import annotations

import argparse
import shlex
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
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


def over(below: Configured, above: Configured) -> Configured:
    """Put what one says over what another one says; what says nothing hides nothing."""
    return Configured(
        vectors=above.vectors or below.vectors,
        matrix=above.matrix or below.matrix,
        waivers=above.waivers or below.waivers,
        acknowledged=above.acknowledged or below.acknowledged,
    )


def without(configured: Configured, names: Iterable[str]) -> Configured:
    """Leave out what it says of these keys."""
    nothing = Configured()
    return msgspec.structs.replace(configured, **{n: getattr(nothing, n) for n in names})


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
        if section is None:
            return Configured() if name in _WHOLE else None
        said = Configured(
            vectors=_words(section.get("ffparity_vectors")),
            matrix=_word(section.get("ffparity_matrix")),
            waivers=_word(section.get("ffparity_waivers")),
            acknowledged=_word(section.get("ffparity_acknowledged")),
        )
        return over(said, typed(_words(section.get("addopts"))))
    except (ValueError, ParseError):  # no UTF-8, no TOML, a quote that stays open
        return None


def typed(arguments: Sequence[str]) -> Configured:
    """Read the files that a command line, or `addopts`, names."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--ffparity-vectors", action="append", default=[])
    parser.add_argument("--ffparity-matrix")
    parser.add_argument("--ffparity-waivers")
    try:
        found, _ = parser.parse_known_args(list(arguments))
    except argparse.ArgumentError:
        return Configured()  # pytest could not read it either
    return Configured(
        vectors=tuple(found.ffparity_vectors),
        matrix=found.ffparity_matrix,
        waivers=found.ffparity_waivers,
    )


def _words(value: Any) -> tuple[str, ...]:
    """Read a list of an ini file, or of a TOML one, which takes either form."""
    if isinstance(value, str):
        return tuple(shlex.split(value))
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


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
