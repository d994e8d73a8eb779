"""Where the bars, lines and labels of the report's drawings go. Pure: numbers in, geometry out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import ceil, floor, log10
from typing import Final

import msgspec

from pytest_ffparity.parity.judgement import Load

# A bucket of `Load.histogram` is a tenth of a decade wide.
_BUCKET: Final = 10**0.1
_STEPS: Final = (1, 2, 5)


class Tick(msgspec.Struct, frozen=True):
    """A place on an axis; the label is empty where there is no room for one."""

    at: float
    label: str


class Bar(msgspec.Struct, frozen=True):
    """A bar, and what it stands for in words."""

    x: float
    y: float
    width: float
    height: float
    told: str


class Rule(msgspec.Struct, frozen=True):
    """An upright line at a time, and its label, which stands left or right of it."""

    kind: str
    x: float
    label: str
    label_y: float
    leftwards: bool


class Distribution(msgspec.Struct, frozen=True):
    """One path's times: how many calls took how long."""

    name: str
    told: str
    bars: tuple[Bar, ...]
    rules: tuple[Rule, ...]
    ticks: tuple[Tick, ...]
    highest: str


class LogAxis:
    """Maps positive numbers to places, a decade as long as any other.

    Numbers that are not above zero have no place of their own; they go to the start.
    """

    def __init__(self, values: Iterable[float], start: float, end: float) -> None:
        known = [value for value in values if value > 0] or [1.0]
        self._low = _step(min(known), up=False)
        self._high = _step(max(known), up=True)
        if self._high <= self._low:
            self._high = self._low * 10
        self._start, self._end = start, end

    def place(self, value: float) -> float:
        """Give the place of a number; what is off the axis goes to its end."""
        share = log10(max(value, self._low) / self._low) / log10(self._high / self._low)
        return round(self._start + min(share, 1) * (self._end - self._start), 1)

    def ticks(self) -> tuple[Tick, ...]:
        """Give ticks at 1, 2 and 5 of each decade; on a long axis only the 1 has a label."""
        few = self._high / self._low <= 100  # noqa: PLR2004 - two decades: seven labels
        found = []
        for decade in range(floor(log10(self._low)), ceil(log10(self._high)) + 1):
            for step in _STEPS:
                value = step * 10.0**decade
                if self._low * 0.99 <= value <= self._high * 1.01:
                    label = f"{value:,.10g}" if few or step == 1 else ""
                    found.append(Tick(self.place(value), label))
        return tuple(found)


def _step(value: float, *, up: bool) -> float:
    decade = 10.0 ** floor(log10(value))
    steps = [step * decade for step in (*_STEPS, 10)]
    if up:
        return next((s for s in steps if s >= value * 0.999), steps[-1])
    return next((s for s in reversed(steps) if s <= value * 1.001), steps[0])


# The drawing of a distribution, in its own units: labels above, bars, the axis below.
WIDTH: Final = 480
BASE: Final = 172
HEIGHT: Final = 200
_MARGIN: Final = 12
_LABEL_ROW: Final = 15
_TOP: Final = 4 * _LABEL_ROW + 6


def distributions(loads: Mapping[str, Load], limit_ms: float) -> list[Distribution]:
    """Draw every path's histogram on the same axes; a path without one is left out."""
    drawn = {name: load for name, load in loads.items() if load.histogram}
    if not drawn:
        return []
    edges = [
        b.up_to_ms / f for load in drawn.values() for b in load.histogram for f in (1, _BUCKET)
    ]
    axis = LogAxis([*edges, limit_ms], _MARGIN, WIDTH - _MARGIN)
    shares = {name: _shares(load) for name, load in drawn.items()}
    highest = max(max(each) for each in shares.values())
    return [
        Distribution(
            name=name,
            told=_told(name, load, limit_ms),
            bars=tuple(_bars(load, shares[name], highest, axis)),
            rules=tuple(_rules(load, limit_ms, axis)),
            ticks=axis.ticks(),
            highest=f"{highest:.0%} of calls",
        )
        for name, load in drawn.items()
    ]


def _shares(load: Load) -> list[float]:
    total = sum(bucket.n for bucket in load.histogram)
    return [bucket.n / total for bucket in load.histogram]


def _bars(load: Load, shares: Sequence[float], highest: float, axis: LogAxis) -> Iterable[Bar]:
    for bucket, share in zip(load.histogram, shares, strict=True):
        low = bucket.up_to_ms / _BUCKET
        left, right = axis.place(low), axis.place(bucket.up_to_ms)
        # A single call in ten thousand is what a tail is made of: it has to be seen.
        height = max(2.0, round(share / highest * (BASE - _TOP), 1))
        told = (
            f"{milliseconds(low)} to {milliseconds(bucket.up_to_ms)} ms: {bucket.n:,} ({share:.2%})"
        )
        width = max(1.0, round(right - left - 1, 1))
        yield Bar(left, round(BASE - height, 1), width, height, told)


def _rules(load: Load, limit_ms: float, axis: LogAxis) -> Iterable[Rule]:
    at = load.latency
    marks = (
        ("p50", at.p50_ms, f"p50 {milliseconds(at.p50_ms)}"),
        ("p95", at.p95_ms, f"p95 {milliseconds(at.p95_ms)}"),
        ("p99", at.p99_ms, f"p99 {milliseconds(at.p99_ms)}"),
        ("limit", limit_ms, f"limit for p99 {limit_ms:,g}"),
    )
    for row, (kind, value, label) in enumerate(marks, start=1):
        x = axis.place(value)
        yield Rule(kind, x, label, row * _LABEL_ROW - 3, x > WIDTH * 0.7)


def _told(name: str, load: Load, limit_ms: float) -> str:
    at = load.latency
    return (
        f"{name}: distribution of {at.n:,} calls; p50 {milliseconds(at.p50_ms)}, "
        f"p95 {milliseconds(at.p95_ms)}, p99 {milliseconds(at.p99_ms)} ms; "
        f"limit for p99 {limit_ms:,g} ms"
    )


def milliseconds(ms: float) -> str:
    """Write a time with three figures or more, and no more decimals than are of use."""
    return f"{ms:,.{3 if ms < 1 else 2 if ms < 10 else 1 if ms < 100 else 0}f}"  # noqa: PLR2004
