"""Draws from a Hypothesis strategy, by seed: the same cases in every process."""

from __future__ import annotations

from typing import TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

T = TypeVar("T")


def drawn(strategy: SearchStrategy[T], from_seed: int, count: int) -> list[T]:
    """Draw so many examples; what is done with them afterwards can't change what is drawn."""
    found: list[T] = []

    @seed(from_seed)
    @settings(
        max_examples=count + 1,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def take(example: T) -> None:
        found.append(example)

    take()
    # The first example is the same one whatever the seed.
    return found[1:]
