"""Exact percentiles of measured times, by nearest rank."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import ceil, log10

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


class Bucket(msgspec.Struct, frozen=True):
    """How many samples lie above the bucket before, and not above this many milliseconds."""

    up_to_ms: float
    n: int


def histogram(samples_ns: Sequence[int]) -> tuple[Bucket, ...]:
    """Count samples in buckets that grow by a tenth of a decade; empty ones are left out."""
    counts = Counter(ceil(10 * log10(max(ns, 1) / 1e6)) for ns in samples_ns)
    return tuple(Bucket(10 ** (step / 10), counts[step]) for step in sorted(counts))


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
