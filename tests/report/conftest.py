"""Whole runs, made by hand: one that passed, one that did not, one of two thousand vectors."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from pytest_ffparity.parity.compare import MISSING, Breach, Divergence, Seen
from pytest_ffparity.parity.judgement import (
    Example,
    Judgement,
    Load,
    PathResult,
    PhaseLoad,
    StressResult,
)
from pytest_ffparity.parity.percentiles import histogram, latency
from pytest_ffparity.parity.stability import Unstable
from pytest_ffparity.parity.verdict import Declared, VectorKey, rule
from pytest_ffparity.report.model import (
    Baseline,
    Report,
    Source,
    Surroundings,
    Weakening,
    build,
)
from pytest_ffparity.vectors.waivers import Waiver

FILE = "vectors/parity_test_matrix.json"
ROWS = tuple(f"PV-{n:02}" for n in range(1, 9))
HOSTILE = "</code><script>alert('x')</script>\" onload=\"x\u2028\u202e&amp; end"
WHY = "The answer itself: which flag, whether its value may be used, and the value."
INFO = {"file": {"backing": "file"}, "db": {"backing": "PostgreSQL 18.6"}}


def spread(middle_us: float, spike_us: float) -> Load:
    """A skewed distribution of ten thousand times with a second hump, the same in every run."""
    times = [int(middle_us * 1000 * (1 + (n % 97) ** 2 / 3000)) for n in range(9_850)]
    times += [int(spike_us * 1000 * (1 + (n % 41) / 12)) for n in range(150)]
    whole = latency(times)
    return Load(
        latency=whole,
        concurrency=16,
        throughput_per_s=16e6 / middle_us,
        errors=0,
        phases=(
            PhaseLoad("healthy", latency(times[:9_850])),
            PhaseLoad("admin unreachable", latency(times[9_850:])),
        ),
        histogram=histogram(times),
    )


def judgement(id_: str, *divergences: Divergence, **more: Any) -> Judgement:
    names = more.pop("names", ("file", "db"))
    paths = {
        name: PathResult(decision={"value": 1}, latency_ms=0.1, info=INFO.get(name, {}))
        for name in names
    }
    paths |= more.pop("paths", {})
    return Judgement(
        run="run", file=FILE, id=id_, digest="d", paths=paths, divergences=divergences, **more
    )


def divergence(field: str, row: str, file: Seen, db: Seen, **more: Any) -> Divergence:
    return Divergence(
        **{
            "field": field,
            "rule": row,
            "must": "MUST_MATCH",
            "why": WHY,
            "expected": file,
            "paths": {"file": file, "db": db},
            "broken": (
                Breach("db", "misses the expectation"),
                Breach("db", "differs from file", "file"),
            ),
            **more,
        }
    )


def report(*judgements: Judgement, ids: tuple[str, ...], **more: Any) -> Report:
    waivers = more.pop("waivers", ())
    keys = [VectorKey(FILE, i) for i in ids]
    declared = Declared(
        dict.fromkeys(keys, "d"),
        ids,
        waivers=waivers,
        lines={key: 12 + 31 * n for n, key in enumerate(keys)},
    )
    baseline = more.pop("baseline", None)
    ruling = rule(declared, judgements, nonce="run", today=date(2026, 4, 19), **more)
    return build(
        declared=declared,
        judgements=[(j, None) for j in judgements],
        surroundings=Surroundings(
            versions={"pytest-ffparity": "0.1.0", "pytest": "9.2.0", "python": "3.11.9"},
            platform="Linux x86_64",
            cpus=2,
            commit="c0ffee1234",
            started_at="2026-04-19T00:00:00.000000Z",
            vectors=(Source(FILE, "d1", "d2", len(ids)),),
            matrix=Source("vectors/cutover_parity_matrix.json", "d3"),
            rows=ROWS,
        ),
        ruling=ruling,
        workers=0,
        duration_s=1.5,
        finished_at="2026-04-19T00:00:01.500000Z",
        exit_status=0 if ruling.verdict == "go" else 1,
        gate_run=True,
        baseline=baseline,
    )


@pytest.fixture
def passing() -> Report:
    ids = tuple(f"PT-{n:02}" for n in range(1, 18))
    loads = StressResult(100, {"file": spread(90, 800), "db": spread(610, 9_000)}, ())
    return report(*(judgement(i) for i in ids[:-1]), judgement(ids[-1], stress=loads), ids=ids)


@pytest.fixture
def failing() -> Report:
    nested = {"limits": {"daily": 500, "currency": "EUR"}, "on": True}
    value = divergence(
        "/value",
        "PV-01",
        Seen(True, nested),
        Seen(True, {"limits": {"daily": 500.0, "currency": "EUR"}, "on": True}),
        explanation=("['limits']['daily']: expected 500, db 500.0",),
    )
    reason = divergence("/reason", "PV-02", Seen(True, "user_override"), Seen(True, "rollout_in"))
    gone = divergence("/meta/flag_version", "PV-07", Seen(True, "0f3a"), MISSING, odd="db")
    letters = divergence(
        "/flag_key",
        "PV-01",
        Seen(True, "jos\u00e9"),
        Seen(True, "jose\u0301"),
        case="user 2126 of 5000",
        count=2126,
    )
    hostile = divergence(
        f"/{HOSTILE}", "unlisted", Seen(True, HOSTILE), Seen(True, "x" * 5000), must="UNLISTED"
    )
    slow = StressResult(
        100,
        {"file": spread(90, 800), "db": spread(2_400, 60_000)},
        ("db: p99 of 149.000 ms in 10000 calls, limit 100 ms",),
    )
    example = Example(
        case="generated case 812, seed 7",
        world={"flags": [{"flag_key": "ff.x", "value_type": "string"}], "note": HOSTILE},
        requests=[{"flag_key": "ff.x", "headers": {"X-FF-User": "jos\u00e9"}}],
        divergences=(letters,),
        saved="vectors/saved/ff_x.json",
        again="pytest --ffparity --ffparity-fuzz 10000 --ffparity-seed 7",
    )
    held = Waiver(
        vector="PT-04",
        field="/reason",
        owner="flags-team",
        reason="known since March",
        expires=date(2026, 12, 31),
        line=3,
    )
    shaky = Unstable(
        path="db", field="/warnings", rule="PV-03", first=Seen(True, []), second=Seen(True, ["x"])
    )
    raised = {"db": PathResult(error="ConnectionRefusedError: the server\ngave no answer")}
    ids = (*(f"PT-{n:02}" for n in range(1, 13)), HOSTILE)
    return report(
        judgement("PT-01"),
        judgement("PT-02", value, gone),
        judgement("PT-03", letters, decisions=5000, examples=(example,)),
        judgement("PT-04", reason),
        judgement("PT-05", unstable=(shaky,)),
        judgement("PT-06", paths=raised),
        judgement("PT-07", stress=slow),
        judgement("PT-08", problems=("the recording has no answer for this request",)),
        *(judgement(i) for i in ids[8:10]),
        judgement(HOSTILE, hostile),
        ids=ids,
        waivers=(held,),
        baseline=Baseline(
            "origin/main",
            (
                Weakening("a1b2", "PT-09: /reason was expected, and is not any more"),
                Weakening("c3d4", "PV-05: exact became tolerance", "ana", "agreed in review"),
            ),
        ),
    )


@pytest.fixture
def waived() -> Report:
    reason = divergence("/reason", "PV-02", Seen(True, "user_override"), Seen(True, "rollout_in"))
    held = Waiver(
        vector="PT-01",
        field="/reason",
        owner="flags-team",
        reason="known since March",
        expires=date(2026, 12, 31),
        line=3,
    )
    return report(
        judgement("PT-01", reason), judgement("PT-02"), ids=("PT-01", "PT-02"), waivers=(held,)
    )


@pytest.fixture
def large() -> Report:
    ids = tuple(f"{prefix}-{n:04}" for prefix in ("FZ", "GEN", "PT") for n in range(700))[:2000]
    wrong = divergence("/reason", "PV-02", Seen(True, "tenant_override"), Seen(True, None))
    return report(
        *(judgement(i, *((wrong,) if i in ("GEN-0002", "PT-0012") else ())) for i in ids), ids=ids
    )
