"""A run as one point of a trend."""

from __future__ import annotations

import msgspec

from pytest_ffparity.parity.verdict import Verdict


class TrendPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One run among many: when, of what, what it said, and how slow each path was.

    `started_at` is an instant as reports write it, `p99_ms` the slowest p99 of each path, in
    milliseconds, empty where nothing was measured; `file` is the report that this was read from.
    """

    started_at: str
    commit: str | None
    verdict: Verdict
    divergences: int
    p99_ms: dict[str, float]
    file: str
