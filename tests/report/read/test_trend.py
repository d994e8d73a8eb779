from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from pytest_ffparity.parity.compare import Divergence
from pytest_ffparity.parity.judgement import Judgement
from pytest_ffparity.parity.verdict import Verdict
from pytest_ffparity.report import trend
from pytest_ffparity.report.lines import plain
from pytest_ffparity.report.model import Report
from pytest_ffparity.report.trend import TrendPoint

POINTS = (
    TrendPoint(
        started_at="2026-04-19T00:00:00.000000Z",
        commit="c0ffeec0ffee",
        verdict=Verdict.GO,
        divergences=0,
        p99_ms={"file": 1.5, "a longer name": 20.0},
        file="a.json",
    ),
    TrendPoint(
        started_at="2026-04-20T00:00:00.000000Z",
        commit=None,
        verdict=Verdict.BLOCKED,
        divergences=12,
        p99_ms={},
        file="b.json",
    ),
    TrendPoint(
        started_at="2026-04-21T00:00:00.000000Z",
        commit="c0ffeec0ffee",
        verdict=Verdict.GO_WITH_WAIVERS,
        divergences=1,
        p99_ms={"file": 2.5},
        file="c.json",
    ),
)


def test_many_runs_are_a_table_and_a_line() -> None:
    assert (
        plain(trend.lines(POINTS))
        == """\
started              commit    verdict          diverging   p99 file  p99 a longer name  report
2026-04-19T00:00:00  c0ffeec0  GO                       0      1.500             20.000  a.json
2026-04-20T00:00:00  -         BLOCKED                 12          -                  -  b.json
2026-04-21T00:00:00  c0ffeec0  GO WITH WAIVERS          1      2.500                  -  c.json

runs: 3, not go: 2 · p99 in ms, min / median / max: file 1.500 / 2.000 / 2.500 · a longer name 20.000 / 20.000 / 20.000"""
    )


def test_runs_without_stress_have_no_figures() -> None:
    assert plain(trend.lines(POINTS[1:2])).splitlines()[-1] == "runs: 1, not go: 1"


def test_points_stand_in_the_order_of_their_start(
    report: Callable[..., Report], judgement: Callable[..., Judgement], wrong: Divergence
) -> None:
    finer = msgspec.structs.replace(wrong, case="another case")
    late = report(judgement("PT-01", wrong, finer), judgement("PT-02", wrong))
    early = report(
        judgement("PT-01", p99_ms=3.5), around={"started_at": "2026-04-18T23:59:59.000000Z"}
    )
    first, second = trend.points([(Path("late.json"), late), (Path("early.json"), early)])
    assert first == TrendPoint(
        started_at="2026-04-18T23:59:59.000000Z",
        commit="c0ffee",
        verdict=Verdict.INCOMPLETE,
        divergences=0,
        p99_ms={"file": 3.5, "db": 3.5},
        file="early.json",
    )
    # Fields, not cases: /value of two vectors.
    assert (second.file, second.divergences, second.verdict) == ("late.json", 2, Verdict.BLOCKED)
