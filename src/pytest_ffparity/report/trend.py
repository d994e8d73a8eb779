"""Many runs side by side: what each said, and how slow its paths were."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Final

import msgspec

from pytest_ffparity.formats import instant
from pytest_ffparity.parity.verdict import Verdict
from pytest_ffparity.report.lines import Line, Span, Style, line
from pytest_ffparity.report.model import Report
from pytest_ffparity.report.terminal import STYLE, word

_SECONDS: Final = "YYYY-MM-DDTHH:MM:SS"
_COMMIT: Final = 8


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


def points(reports: Iterable[tuple[Path, Report]]) -> list[TrendPoint]:
    """Give a point for each report, with the file that it was read from, by their start."""
    found = [
        TrendPoint(
            started_at=report.surroundings.started_at,
            commit=report.surroundings.commit,
            verdict=report.ruling.verdict,
            divergences=_diverging(report),
            p99_ms={name: load.latency.p99_ms for name, (_, load) in report.stress.items()},
            file=str(path),
        )
        for path, report in reports
    ]
    return sorted(found, key=lambda point: (instant.parse(point.started_at), point.file))


def lines(points: Sequence[TrendPoint]) -> list[Line]:
    """Give a table with a row for each run, and what all of them come to; times in ms."""
    names = list(dict.fromkeys(name for point in points for name in point.p99_ms))
    heads = [f"p99 {name}" for name in names]
    wide = max([7, *(len(word(point.verdict)) for point in points)])
    title = "started".ljust(len(_SECONDS)) + f"  {'commit'.ljust(_COMMIT)}  {'verdict'.ljust(wide)}"
    title += "  diverging" + "".join(f"  {head:>9}" for head in heads) + "  report"
    rows = [line(Span(title, Style.STRONG))]
    for point in points:
        figures = "".join(
            f"  {_ms(point.p99_ms.get(name)):>{max(9, len(head))}}"
            for name, head in zip(names, heads, strict=True)
        )
        rows.append(
            line(
                f"{point.started_at[: len(_SECONDS)]}  {(point.commit or '-')[:_COMMIT]:{_COMMIT}}  ",
                Span(word(point.verdict).ljust(wide), STYLE[point.verdict]),
                f"  {point.divergences:9}{figures}  {point.file}",
            )
        )
    return [*rows, line(), line(_all_told(points, names))]


def _all_told(points: Sequence[TrendPoint], names: Sequence[str]) -> str:
    bad = sum(point.verdict is not Verdict.GO for point in points)
    parts = [f"runs: {len(points)}, not go: {bad}"]
    for name in names:
        measured = [point.p99_ms[name] for point in points if name in point.p99_ms]
        figures = " / ".join(map(_ms, (min(measured), median(measured), max(measured))))
        parts.append(f"{name} {figures}")
    if names:
        parts[1] = f"p99 in ms, min / median / max: {parts[1]}"
    return " · ".join(parts)


def _diverging(report: Report) -> int:
    """Count the fields that diverge, in each vector once."""
    telling = (entry.telling for entry in report.entries)
    return sum(len({d.field for d in told.divergences}) for told in telling if told is not None)


def _ms(figure: float | None) -> str:
    return "-" if figure is None else f"{figure:.3f}"
