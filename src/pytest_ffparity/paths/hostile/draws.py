"""Choices that a seed decides, the same in every process and every version of Python."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

_T = TypeVar("_T")


class Draws:
    """A stream of choices; equal seeds give equal streams."""

    def __init__(self, seed: int) -> None:
        # Of Random's methods `random` alone is promised to stay as it is.
        self._random = Random(seed).random  # noqa: S311 - no secret

    def below(self, limit: int) -> int:
        """Give an integer of 0 to `limit` - 1, each as often."""
        return int(self._random() * limit)

    def chance(self, percent: float) -> bool:
        """Say yes so many times in a hundred."""
        return self._random() * 100 < percent

    def one_of(self, given: Sequence[_T]) -> _T:
        """Give one, each as often."""
        return given[self.below(len(given))]

    def some(self, given: Sequence[_T], count: int) -> list[_T]:
        """Give so many different places of a sequence, in any order; all where it has fewer."""
        left = list(given)
        return [left.pop(self.below(len(left))) for _ in range(min(count, len(left)))]

    def few(self, *, most: int, least: int = 0) -> int:
        """Give a count that is small more often than not: the next one up every other time."""
        count = least
        while count < most and self.chance(50):
            count += 1
        return count
