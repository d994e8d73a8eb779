"""Worlds shared by name: each is its base, shallowly overlaid with its own keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pytest_ffparity.formats.pointer import join
from pytest_ffparity.formats.schema import Problem, guess

EXTENDS: Final = "$extends"


def merged(worlds: Mapping[str, dict[str, Any]]) -> tuple[dict[str, dict[str, Any]], list[Problem]]:
    """Merge every world over the one that it extends.

    Returns:
        The worlds that could be merged, and a problem for each that extends an unknown world or,
        by whatever way, itself.
    """
    done: dict[str, dict[str, Any]] = {}
    problems: list[Problem] = []
    for name in worlds:
        chain = _chain(worlds, name)
        if isinstance(chain, str):
            problems.append(Problem(join(["worlds", name, EXTENDS]), chain))
            continue
        whole: dict[str, Any] = {}
        for base in reversed(chain):
            whole.update(worlds[base])
        whole.pop(EXTENDS, None)
        done[name] = whole
    return done, problems


def unknown(name: str, worlds: Mapping[str, Any]) -> str:
    """Say that a world of this name is not in the file."""
    known = ", ".join(sorted(worlds)) or "none, for the file has no worlds"
    return f'found the world "{name}"{guess(name, worlds)}, expected one of {known}'


def _chain(worlds: Mapping[str, dict[str, Any]], name: str) -> list[str] | str:
    """Give a world and its bases, the nearest first, or what is wrong with them."""
    chain = [name]
    while (base := worlds[chain[-1]].get(EXTENDS)) is not None:
        if base not in worlds:
            return unknown(base, worlds)
        if base in chain:
            circle = " → ".join([*chain, base])
            return f"found worlds that extend each other ({circle}), expected an end"
        chain.append(base)
    return chain
