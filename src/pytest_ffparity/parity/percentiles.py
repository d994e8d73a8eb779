"""Exact percentiles of measured times, by nearest rank."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import msgspec

DEFINITION = (
    "nearest rank: the smallest sample that at least p % of all samples do not exceed; "
    "service time of each call through path.evaluate, failed calls included"
)


class Latency(msgspec.Struct, frozen=True):
    """The distribution of one path's service times, in milliseconds."""

    n: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


def nearest_rank(ordered: Sequence[int], percent: float) -> int:
    """Give the percentile of samples in ascending order; there must be one at least."""
    return ordered[max(1, ceil(percent * len(ordered) / 100)) - 1]


def latency(samples_ns: Sequence[int]) -> Latency:
    """Summarise samples in nanoseconds; there must be one at least."""
    ordered = sorted(samples_ns)
    return Latency(
        n=len(ordered),
        p50_ms=nearest_rank(ordered, 50) / 1e6,
        p95_ms=nearest_rank(ordered, 95) / 1e6,
        p99_ms=nearest_rank(ordered, 99) / 1e6,
        max_ms=ordered[-1] / 1e6,
    )
