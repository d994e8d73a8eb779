from __future__ import annotations

import json
from typing import Any

import msgspec

from pytest_ffparity.formats import schema
from pytest_ffparity.parity.compare import Breach, Divergence, Seen
from pytest_ffparity.parity.judgement import (
    Judgement,
    Load,
    PathResult,
    PhaseLoad,
    StressResult,
)
from pytest_ffparity.parity.percentiles import Latency
from pytest_ffparity.parity.verdict import Declared, Gap, VectorKey, rule
from pytest_ffparity.report import json_report, terminal
from pytest_ffparity.report.failure import failure_lines
from pytest_ffparity.report.lines import plain
from pytest_ffparity.report.model import Report, Source, Surroundings, build

AROUND = Surroundings(
    versions={"pytest-ffparity": "0.1.0"},
    platform="Linux x86_64",
    cpus=2,
    commit="c0ffee",
    started_at="2026-04-19T00:00:00.000000Z",
    vectors=(Source("v.json", "d1", "d2", 2),),
    matrix=Source("m.json", "d3"),
    rows=("PV-01", "PV-02"),
)
LATENCY = Latency(10_000, 0.5, 1.25, 12.0, 99.5)
LOAD = Load(
    latency=LATENCY,
    concurrency=16,
    throughput_per_s=1234.5,
    errors=0,
    phases=(PhaseLoad("healthy", LATENCY),),
)
WRONG = Divergence(
    field="/value",
    rule="PV-01",
    must="MUST_MATCH",
    why="The answer itself.",
    expected=Seen(True, {"a": 1}),
    paths={"file": Seen(True, {"a": 1}), "db": Seen(False)},
    broken=(Breach("db", "misses the expectation"), Breach("db", "differs from file")),
    explanation=("['a']: only expected has 1",),
)


def judgement(id_: str, *divergences: Divergence, stress: bool = False) -> Judgement:
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
        stress=StressResult(100, {"file": LOAD, "db": LOAD}, ()) if stress else None,
    )


def report(
    *judgements: Judgement, ids: tuple[str, ...] = ("PT-01", "PT-02"), **more: Any
) -> Report:
    declared = Declared({VectorKey("v.json", i): "d" for i in ids}, ids)
    return build(
        declared=declared,
        judgements=[(j, None) for j in judgements],
        surroundings=AROUND,
        ruling=rule(declared, judgements, nonce="run", **more),
        workers=0,
        duration_s=1.5,
        finished_at="2026-04-19T00:00:01.500000Z",
        exit_status=0,
        gate_run=True,
    )


def test_a_run_in_which_all_is_well() -> None:
    whole = report(judgement("PT-01"), judgement("PT-02", stress=True))
    assert (
        plain(terminal.summary(whole))
        == """\
paths    file (file) · db (PostgreSQL 18.6)
matrix   m.json, rule groups: 2
marks    one a path, in this order: . keeps the row  x breaks it  ! raised

vector  PV-01  PV-02
PT-01   ..     ..
PT-02   ..     ..

stress     p50      p95      p99      max  ms; limit p99 < 100
file      0.500    1.250   12.000   99.500  PT-02: 10000 calls, 16 at once, 1,234/s, 0 errors
db        0.500    1.250   12.000   99.500  PT-02: 10000 calls, 16 at once, 1,234/s, 0 errors

verdict  GO  PT 2 of 2"""
    )


def test_a_blocked_run_shows_where() -> None:
    whole = report(judgement("PT-01", WRONG))
    assert (
        plain(terminal.summary(whole))
        == """\
paths    file (file) · db (PostgreSQL 18.6)
matrix   m.json, rule groups: 2
marks    one a path, in this order: . keeps the row  x breaks it  ! raised

vector  PV-01  PV-02
PT-01   .x     ..
PT-02   no judgement on record

verdict  BLOCKED  PT 0 of 2
         - PT-01: PV-01 broken at /value
         - PT-02: no judgement on record"""
    )


def test_a_failure_lists_the_field_with_every_sides_value() -> None:
    assert (
        plain(failure_lines(judgement("PT-01", WRONG)))
        == """\
PT-01: 1 field diverges (PV-01)

/value  PV-01 MUST_MATCH
    The answer itself.
    expected  {"a":1}
    file      {"a":1}
    db        (missing)
              ^ db misses the expectation
              ^ db differs from file
    - ['a']: only expected has 1"""
    )


def test_a_path_is_not_blamed_for_another_whose_name_begins_alike() -> None:
    one = judgement("PT-01", WRONG)
    alike = {"db": PathResult(decision={}), "db 2": PathResult(decision={})}
    breach = Breach("db 2", "misses the expectation")
    sides = {"db": Seen(True, 1), "db 2": Seen(True, 2)}
    wrong = msgspec.structs.replace(WRONG, broken=(breach,), paths=sides)
    whole = report(msgspec.structs.replace(one, paths=alike, divergences=(wrong,)))
    assert "PT-01   .x     .." in plain(terminal.summary(whole))


def test_vectors_left_out_on_purpose_take_no_rows() -> None:
    whole = report(judgement("PT-01"), narrowed=[VectorKey("v.json", "PT-02")])
    text = plain(terminal.summary(whole))
    assert "PT-01   ..     .." in text
    assert "PT-02" not in text
    assert text.endswith("the command line left out 1 of 2 vectors")


def test_two_thousand_vectors_that_passed_share_a_line() -> None:
    ids = tuple(f"V-{i}" for i in range(2000))
    lines = plain(terminal.summary(report(*map(judgement, ids), ids=ids))).splitlines()
    assert "vectors  2000 passed, none failed" in lines
    assert len(lines) < 10


def test_a_long_list_of_gaps_is_one_line_for_each_kind() -> None:
    ids = tuple(f"V-{i}" for i in range(300))
    gaps = [Gap("skipped", VectorKey("v.json", i)) for i in ids]
    text = plain(terminal.verdict_lines(report(ids=ids, gaps=gaps)))
    assert text.splitlines() == [
        "verdict  INCOMPLETE  V 0 of 300",
        "         - V-0, V-1, V-2, V-3, V-4 and 295 more: skipped",
    ]


def test_the_json_report_keeps_its_schema_and_its_order() -> None:
    for whole in (
        report(judgement("PT-01", WRONG), judgement("PT-02", stress=True)),
        report(),
        report(judgement("PT-01"), narrowed=[VectorKey("v.json", "PT-02")]),
    ):
        document = json.loads(json_report.to_text(whole))
        assert schema.problems("report.v1", document) == []
        assert (next(iter(document)), list(document)[-1]) == ("header", "footer")


def test_an_unfinished_report_keeps_the_schema_too() -> None:
    document = json.loads(json_report.unfinished(AROUND, "the machine went away"))
    assert schema.problems("report.v1", document) == []
    assert document["verdict"] == document["footer"]["verdict"] == "incomplete"
