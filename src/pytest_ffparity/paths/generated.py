"""Generated cases: hostile worlds, each with requests that are aimed at what is in it."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from hypothesis import strategies as st

from pytest_ffparity.paths.hostile.draws import Draws
from pytest_ffparity.paths.hostile.requests import Asking
from pytest_ffparity.paths.hostile.world import scene

# Hypothesis mixes constants of the modules that happen to be loaded into what it draws, but into
# integers of a small range: with these the same seed gives the same cases in every process.
_BASE: Final = 64
_DIGITS: Final = 11


class GeneratedCase(msgspec.Struct, frozen=True):
    """A world and requests, in the JSON form of vector files: tokens are described, not minted.

    A flag key, a ref or a dev header of a request may hold U+0000, which no vector file can.
    """

    world: dict[str, Any]
    requests: list[dict[str, Any]]


def cases(requests: int) -> st.SearchStrategy[GeneratedCase]:
    """Give a strategy for cases with so many requests each; an example costs milliseconds.

    Shrinking one makes another one: a case is made smaller by leaving out parts of its JSON.
    """
    digits = st.tuples(*[st.integers(0, _BASE - 1)] * _DIGITS)
    return digits.map(lambda drawn: case_of(_number(drawn), requests))


def case_of(seed: int, requests: int) -> GeneratedCase:
    """Make the case of a seed: the same in every process and every version of Python."""
    draws = Draws(seed)
    made = scene(draws)
    asking = Asking(draws, made)
    return GeneratedCase(made.world, [asking.next() for _ in range(requests)])


def _number(digits: tuple[int, ...]) -> int:
    number = 0
    for digit in digits:
        number = number * _BASE + digit
    return number
