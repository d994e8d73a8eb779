"""The exact text of what a terminal shows of waivers, baselines, unstable paths, and examples."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from pytest_ffparity.parity.compare import Breach, Divergence, Seen
from pytest_ffparity.parity.judgement import Example, Judgement, PathResult
from pytest_ffparity.parity.stability import Unstable
from pytest_ffparity.parity.verdict import Declared, VectorKey, rule
from pytest_ffparity.report import terminal
from pytest_ffparity.report.failure import failure_lines
from pytest_ffparity.report.lines import plain
from pytest_ffparity.report.model import (
    Baseline,
    Report,
    Source,
    Surroundings,
    Weakening,
    build,
)
from pytest_ffparity.vectors.waivers import Waiver

AROUND = Surroundings(
    versions={},
    platform="Linux x86_64",
    cpus=2,
    commit=None,
    started_at="2026-04-19T00:00:00.000000Z",
    vectors=(Source("v.json", "d1", "d2", 1),),
    matrix=Source("m.json", "d3"),
    rows=("PV-01", "PV-02"),
)
WAIVER = Waiver(
    vector="PT-01",
    field="/reason",
    owner="ada",
    reason="mended by T-7",
    expires=date(2026, 12, 31),
    line=3,
)


def divergence(*names: str, odd: str | None = None, expected: Any = "a") -> Divergence:
    paths = {name: Seen(True, "a") for name in names}
    paths[names[-1]] = Seen(True, "b")
    return Divergence(
        field="/reason",
        rule="PV-02",
        must="MUST_MATCH",
        why="Why it was given.",
        expected=None if expected is None else Seen(True, expected),
        paths=paths,
        broken=(Breach(names[-1], f"differs from {names[0]}", names[0]),),
        odd=odd,
    )


def judgement(id_: str, *divergences: Divergence, **more: Any) -> Judgement:
    names = list(divergences[0].paths) if divergences else ["file", "db"]
    given = {"paths": {name: PathResult(decision={}) for name in names}, **more}
    return Judgement(
        run="run",
        file=more.pop("file", "v.json"),
        id=id_,
        digest="d",
        divergences=divergences,
        **{name: value for name, value in given.items() if name != "file"},
    )


def report(*judgements: Judgement, waivers: Any = (), **more: Any) -> Report:
    keys = [VectorKey(j.file, j.id) for j in judgements]
    declared = Declared(dict.fromkeys(keys, "d"), (), waivers=waivers)
    today = date(2026, 4, 19)
    ruling = rule(
        declared, judgements, nonce="run", today=today, objections=more.pop("objections", ())
    )
    return build(
        declared=declared,
        judgements=[(j, None) for j in judgements],
        surroundings=more.pop("around", AROUND),
        ruling=ruling,
        workers=0,
        duration_s=1.5,
        finished_at="2026-04-19T00:00:01.500000Z",
        exit_status=0,
        gate_run=True,
        **more,
    )


def test_a_run_with_waivers() -> None:
    whole = report(judgement("PT-01", divergence("file", "db")), waivers=(WAIVER,))
    assert (
        plain(terminal.summary(whole))
        == """\
paths    file · db
matrix   m.json, rule groups: 2
marks    one a path, in this order: . keeps the row  x breaks it  ! raised

vector  PV-01  PV-02
PT-01   ..     .x  waived

verdict  GO WITH WAIVERS  PT 0 of 1
         - PT-01 /reason is waived until 2026-12-31 by ada: mended by T-7
         this lets a merge pass, and no cutover"""
    )


def test_a_waiver_that_is_not_used() -> None:
    whole = report(judgement("PT-01"), waivers=(WAIVER,))
    assert plain(terminal.verdict_lines(whole)).splitlines()[:1] == ["verdict  BLOCKED  PT 1 of 1"]
    assert "waiver of PT-01 /reason (owner: ada) is unused" in plain(terminal.verdict_lines(whole))


def test_what_was_weakened_since_the_baseline() -> None:
    changes = (
        Weakening("vector-removed V-3 0123456789abcdef", "V-3: removed"),
        Weakening("rule-loosened /reason fedcba9876543210", "/reason: loosened", "ada", "T-7"),
    )
    whole = report(
        judgement("PT-01"),
        baseline=Baseline("origin/main", changes, "c0ffee", ("v.json was not there yet",)),
        objections=["weakened since origin/main: V-3: removed"],
    )
    text = plain(terminal.summary(whole))
    assert (
        text[text.index("baseline") :]
        == """\
baseline origin/main: weakened since: 2
         v.json was not there yet
         - V-3: removed
           to acknowledge: vector-removed V-3 0123456789abcdef
         - /reason: loosened (acknowledged by ada: T-7)

verdict  BLOCKED  PT 1 of 1
         - weakened since origin/main: V-3: removed"""
    )


def test_a_path_that_disagrees_with_itself() -> None:
    shaky = Unstable(
        path="db", field="/value", rule="PV-01", first=Seen(True, 1), second=Seen(True, 1.0)
    )
    judged = judgement("PT-01", unstable=(shaky,))
    assert (
        plain(failure_lines(judged))
        == """\
PT-01: db disagrees with itself

db is unstable at /value (PV-01)
    once   1
    again  1.0
    two runs of one path, each in the world made afresh: no other path is to blame"""
    )
    assert (
        plain(terminal.summary(report(judged)))
        == """\
paths    file · db
matrix   m.json, rule groups: 2
marks    one a path, in this order: . keeps the row  x breaks it  ! raised  ~ disagrees with itself

vector  PV-01  PV-02
PT-01   .~     ..

verdict  BLOCKED  PT 0 of 1
         - PT-01: db is unstable at /value (PV-01)"""
    )


def test_three_paths_and_the_odd_one_out() -> None:
    judged = judgement("PT-01", divergence("file", "db", "node", odd="node"))
    assert (
        plain(failure_lines(judged))
        == """\
PT-01: 1 field diverges (PV-02)

/reason  PV-02 MUST_MATCH
    Why it was given.
    expected  "a"
    file      "a"
    db        "a"
    node      "b"
              ^ node differs from file
    odd one out: node; the other paths agree"""
    )
    assert "PT-01   ...    ..x  odd one out: node\n" in plain(terminal.summary(report(judged)))


def test_a_row_says_what_is_wrong_where_no_mark_does() -> None:
    told = plain(terminal.summary(report(judgement("PT-01", problems=("no probe was run",)))))
    assert "PT-01   ..     ..  problems: 1\n" in told


def test_generated_cases_that_diverge() -> None:
    found = msgspec.structs.replace(
        divergence("file", "db", expected=None), case="decision 7", count=12
    )
    example = Example(
        case="decision 7",
        world={"now": "2026-04-19T00:00:00Z", "flags": [{"flag_key": "f"}]},
        requests=[{"flag_key": "f"}],
        divergences=(divergence("file", "db", expected=None),),
        saved="found/FOUND-1.json",
        again="pytest --ffparity-fuzz 250 --ffparity-seed 3",
    )
    share = judgement("fuzz-1", found, file="m.json", decisions=250, examples=(example,))
    assert (
        plain(failure_lines(share))
        == """\
fuzz-1: 1 field diverges (PV-02)

    /reason  PV-02 MUST_MATCH  12 of 250 decisions: db differs from file

smallest example  of decision 7
    world
      now    "2026-04-19T00:00:00Z"
      flags  [{"flag_key":"f"}]
    request
      flag_key  "f"

/reason  PV-02 MUST_MATCH
    Why it was given.
    file      "a"
    db        "b"
              ^ db differs from file
    saved to found/FOUND-1.json
    again: pytest --ffparity-fuzz 250 --ffparity-seed 3"""
    )
    around = msgspec.structs.replace(AROUND, generated=500, seed=3)
    whole = report(
        judgement("PT-01"), share, judgement("fuzz-2", file="m.json", decisions=250), around=around
    )
    assert (
        plain(terminal.summary(whole))
        == """\
paths    file · db
matrix   m.json, rule groups: 2
fuzz     500 decisions generated; again: pytest --ffparity-fuzz 500 --ffparity-seed 3
marks    one a path, in this order: . keeps the row  x breaks it  ! raised

vector  PV-01  PV-02
PT-01   ..     ..
fuzz-1  ..     .x
... and 1 more, 2 of all passed

verdict  BLOCKED  PT 1 of 1
         - fuzz-1: PV-02 broken at /reason"""
    )


def test_the_self_test() -> None:
    missed = judgement(
        "fault-warning-dropped",
        file="m.json",
        problems=("not caught by dev-headers: warning-dropped changed nothing",),
    )
    whole = report(
        judgement("PT-01"),
        judgement("fault-value-true-as-1", file="m.json"),
        missed,
        judgement("harmless-nothing", file="m.json"),
    )
    assert (
        plain(terminal.summary(whole))
        == """\
paths    file · db
matrix   m.json, rule groups: 2
selftest caught 1 of 2 · harmless changes left alone 1 of 1
marks    one a path, in this order: . keeps the row  x breaks it  ! raised

vector                 PV-01  PV-02
PT-01                  ..     ..
fault-warning-dropped  ..     ..  problems: 1
... and 2 more, 3 of all passed

verdict  BLOCKED  PT 1 of 1
         - fault-warning-dropped: not caught by dev-headers: warning-dropped changed nothing"""
    )
