"""Reports made by hand, for the tests of what reads, merges and compares them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

import msgspec
import pytest

from pytest_ffparity.parity.compare import Breach, Divergence, Seen
from pytest_ffparity.parity.judgement import (
    Judgement,
    Load,
    PathResult,
    PhaseLoad,
    StressResult,
)
from pytest_ffparity.parity.percentiles import Bucket, Latency
from pytest_ffparity.parity.verdict import Declared, VectorKey, rule
from pytest_ffparity.report.model import Report, Source, Surroundings, build
from pytest_ffparity.vectors.waivers import Waiver

AROUND = Surroundings(
    versions={"pytest-ffparity": "0.1.0"},
    platform="Linux x86_64",
    cpus=2,
    commit="c0ffee",
    started_at="2026-04-19T00:00:00.000000Z",
    vectors=(Source("v.json", "d1", "d2", 3),),
    matrix=Source("m.json", "d3"),
    rows=("PV-01", "PV-02"),
)
WRONG = Divergence(
    field="/value",
    rule="PV-01",
    must="MUST_MATCH",
    why="The answer itself.",
    expected=Seen(True, {"a": 1}),
    paths={"file": Seen(True, {"a": 1}), "db": Seen(False)},
    broken=(Breach("db", "misses the expectation"), Breach("db", "differs from file", "file")),
)
WAIVER = Waiver(
    vector="PT-01",
    field="/value",
    owner="Ada",
    reason="Known",
    expires=date(2026, 5, 1),
    line=3,
)


def _stress(p99_ms: float) -> StressResult:
    latency = Latency(100, 0.5, 1.25, p99_ms, 99.5)
    load = Load(
        latency=latency,
        concurrency=16,
        throughput_per_s=1234.5,
        errors=0,
        phases=(PhaseLoad("healthy", latency),),
        histogram=(Bucket(1.0, 60), Bucket(100.0, 40)),
    )
    return StressResult(100, {"file": load, "db": load}, ())


def _judgement(id_: str, *divergences: Divergence, p99_ms: float | None = None) -> Judgement:
    return Judgement(
        run="run",
        file="v.json",
        id=id_,
        digest="d",
        paths={
            "file": PathResult(decision={"value": 1}, latency_ms=0.1, info={"backing": "file"}),
            "db": PathResult(decision={}, latency_ms=0.2, info={"backing": "PostgreSQL 18.6"}),
        },
        divergences=divergences,
        stress=None if p99_ms is None else _stress(p99_ms),
    )


def _report(
    *judgements: Judgement,
    ids: Iterable[str] = ("PT-01", "PT-02", "PT-03"),
    required: tuple[str, ...] = (),
    waivers: tuple[Waiver, ...] = (),
    around: dict[str, Any] | None = None,
    today: date = date(2026, 4, 19),
    **more: Any,
) -> Report:
    declared = Declared(
        {VectorKey("v.json", i): "d" for i in ids}, required, waivers=waivers, lines={}
    )
    ruling = rule(declared, judgements, nonce="run", today=today, **more)
    return build(
        declared=declared,
        judgements=[(j, None) for j in judgements],
        surroundings=msgspec.structs.replace(AROUND, **(around or {})),
        ruling=ruling,
        workers=0,
        duration_s=1.5,
        finished_at="2026-04-19T00:00:01.500000Z",
        exit_status=0,
        gate_run=not ruling.narrowed,
    )


@pytest.fixture(scope="session")
def judgement() -> Callable[..., Judgement]:
    return _judgement


@pytest.fixture(scope="session")
def report() -> Callable[..., Report]:
    return _report


@pytest.fixture(scope="session")
def wrong() -> Divergence:
    return WRONG


@pytest.fixture(scope="session")
def waiver() -> Waiver:
    return WAIVER


@pytest.fixture(scope="session")
def around() -> Surroundings:
    return AROUND
