"""Where the lines and marks of many runs go: p99 over the runs, the verdicts below. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from pytest_ffparity.report.plots import LogAxis, Tick, milliseconds
from pytest_ffparity.report.trend import TrendPoint

WIDTH: Final = 960
HEIGHT: Final = 260
BASE: Final = 210
_LEFT: Final = 60
_RIGHT: Final = WIDTH - 20
_TOP: Final = 20
MARKS_Y: Final = 238
COLOURS: Final = 6


class Dot(msgspec.Struct, frozen=True):
    """One run's figure, and what it is told as."""

    x: float
    y: float
    told: str


class Series(msgspec.Struct, frozen=True):
    """One path's figures over the runs; `d` is the line's path, broken where nothing was measured."""

    name: str
    colour: int
    d: str
    dots: tuple[Dot, ...]


class Trend(msgspec.Struct, frozen=True):
    """The whole drawing; `ticks` are on the upright axis, `marks` one a run."""

    series: tuple[Series, ...]
    ticks: tuple[Tick, ...]
    marks: tuple[tuple[float, TrendPoint], ...]


def drawn(points: Sequence[TrendPoint]) -> Trend:
    """Draw the runs from left to right, in the order given."""
    names = list(dict.fromkeys(name for point in points for name in point.p99_ms))
    axis = LogAxis([ms for point in points for ms in point.p99_ms.values()], BASE, _TOP)
    step = (_RIGHT - _LEFT) / max(1, len(points) - 1)
    places = [round(_LEFT + step * n, 1) for n in range(len(points))]
    return Trend(
        series=tuple(
            _series(name, number, points, places, axis) for number, name in enumerate(names)
        ),
        ticks=axis.ticks() if names else (),
        marks=tuple(zip(places, points, strict=True)),
    )


def _series(
    name: str, number: int, points: Sequence[TrendPoint], places: Sequence[float], axis: LogAxis
) -> Series:
    dots, strokes, pen = [], [], "M"
    for x, point in zip(places, points, strict=True):
        if name not in point.p99_ms:
            pen = "M"
            continue
        ms = point.p99_ms[name]
        y = axis.place(ms)
        strokes.append(f"{pen}{x} {y}")
        pen = "L"
        dots.append(Dot(x, y, f"{name}: p99 {milliseconds(ms)} ms, {point.started_at}"))
    return Series(name, number % COLOURS + 1, "".join(strokes), tuple(dots))
