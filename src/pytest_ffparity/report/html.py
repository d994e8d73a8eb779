"""The HTML report: one file that needs no network and runs no script."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from pytest_ffparity.parity.compare import MISSING, Divergence
from pytest_ffparity.parity.percentiles import DEFINITION
from pytest_ffparity.parity.stability import Unstable
from pytest_ffparity.parity.verdict import Verdict
from pytest_ffparity.report import page_model, plots, readable, trend_plot
from pytest_ffparity.report.model import Report
from pytest_ffparity.report.terminal import word
from pytest_ffparity.report.trend import TrendPoint


def page(report: Report, title: str = "ffparity") -> str:
    """Write a finished run as a page of its own.

    Args:
        report: The run.
        title: What stands above the verdict and in the window's title.
    """
    listed, folds = page_model.vectors(report)
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            title=title,
            verdict=page_model.verdict_shown(report.ruling.verdict),
            reasons=page_model.reasons(report),
            tally=page_model.tally(report),
            facts=page_model.facts(report),
            used={waiver for entry in report.entries for waiver in entry.waivers},
            cards=page_model.cards(report),
            listed=listed,
            folds=folds,
            rows=report.surroundings.rows,
            legend=list(page_model.SIGNS.values()),
            stress=page_model.stressed(report.entries),
            size={"width": plots.WIDTH, "height": plots.HEIGHT, "base": plots.BASE},
            definition=DEFINITION,
        )
    )


# A square, a diamond, a cross and a ring around a place.
_SHAPES: Final = {
    Verdict.GO: "M{x} {y}m-4 -4h8v8h-8z",
    Verdict.GO_WITH_WAIVERS: "M{x} {y}m0 -6l6 6l-6 6l-6 -6z",
    Verdict.BLOCKED: "M{x} {y}m-5 -5l10 10m0 -10l-10 10",
    Verdict.INCOMPLETE: "M{x} {y}m-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0",
}


def trend_page(points: Sequence[TrendPoint], title: str = "ffparity") -> str:
    """Write many runs, there must be one at least, as a page of its own."""
    verdicts = [point.verdict for point in points]
    worst = Verdict.GO if set(verdicts) == {Verdict.GO} else verdicts[-1]
    return (
        _environment()
        .get_template("trend.html.j2")
        .render(
            points=points,
            title=title,
            verdict=str(worst),
            gos=verdicts.count(Verdict.GO),
            trend=trend_plot.drawn(points),
            labels={each: word(each) for each in Verdict},
            shapes=_SHAPES,
            size={
                "width": trend_plot.WIDTH,
                "height": trend_plot.HEIGHT,
                "marks": trend_plot.MARKS_Y,
            },
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("pytest_ffparity.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_finalize,
    )
    environment.filters.update(cut=readable.cut, pretty=readable.pretty, figure=plots.milliseconds)
    environment.globals.update(sides=_sides, twice=_twice)
    return environment


def _finalize(value: Any) -> Any:
    """Make every text visible that a template writes; its own markup stays as it is."""
    return value if hasattr(value, "__html__") else readable.visible(str(value))


def _sides(divergence: Divergence, names: Sequence[str]) -> dict[str, Any]:
    held = [name for name in names if name in divergence.paths]
    sides = [divergence.expected or MISSING, *(divergence.paths[name] for name in held)]
    expected, *shown = readable.side_by_side(sides)
    return {"expected": expected, "paths": dict(zip(held, shown, strict=True))}


def _twice(unstable: Unstable) -> list[str]:
    return readable.side_by_side((unstable.first, unstable.second))
