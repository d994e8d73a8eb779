from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import msgspec
import pytest

from pytest_ffparity.parity.compare import MISSING, Breach, Divergence, Seen
from pytest_ffparity.parity.judgement import (
    Example,
    Judgement,
    Load,
    PathResult,
    StressResult,
)
from pytest_ffparity.parity.percentiles import Latency
from pytest_ffparity.parity.stability import Unstable
from pytest_ffparity.parity.verdict import Declared, VectorKey, rule
from pytest_ffparity.report.github import MAX_BYTES, summary
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
    commit="c0ffee",
    started_at="2026-04-19T00:00:00.000000Z",
    vectors=(Source("v.json", "d1", "d2", 2),),
    matrix=Source("m.json", "d3"),
    rows=("PV-01", "PV-02"),
)
LOAD = Load(
    latency=Latency(10_000, 0.5, 1.25, 12.0, 99.5),
    concurrency=16,
    throughput_per_s=1234.5,
    errors=0,
    phases=(),
)
STRESS = StressResult(100, {"file": LOAD, "db": LOAD}, ())
WRONG = Divergence(
    field="/value",
    rule="PV-01",
    must="MUST_MATCH",
    why="The answer itself.",
    expected=Seen(True, {"a": 1}),
    paths={"file": Seen(True, {"a": 1}), "db": MISSING},
    broken=(Breach("db", "misses the expectation"), Breach("db", "differs from file", "file")),
)


def judgement(id_: str, *divergences: Divergence, **more: Any) -> Judgement:
    paths = {
        "file": PathResult(decision={}, info={"backing": "file"}),
        "db": PathResult(decision={}, info={"backing": "PostgreSQL 18.6"}),
    }
    given = {"paths": paths, **more}
    return Judgement(run="run", file="v.json", id=id_, digest="d", divergences=divergences, **given)


def report(
    *judgements: Judgement,
    ids: Iterable[str] = ("PT-01", "PT-02"),
    waivers: tuple[Waiver, ...] = (),
    baseline: Baseline | None = None,
    **more: Any,
) -> Report:
    declared = Declared({VectorKey("v.json", i): "d" for i in ids}, (), waivers=waivers)
    return build(
        declared=declared,
        judgements=[(j, None) for j in judgements],
        surroundings=AROUND,
        ruling=rule(declared, judgements, nonce="run", today=date(2026, 4, 19), **more),
        workers=2,
        duration_s=1.5,
        finished_at="2026-04-19T00:00:01.500000Z",
        exit_status=0,
        gate_run=True,
        baseline=baseline,
    )


def table(text: str, heading: str) -> list[str]:
    """The rows of the table below a heading."""
    lines = text.partition(f"### {heading}\n\n")[2].partition("\n\n")[0].splitlines()
    return lines[2:]


def test_a_run_in_which_all_is_well() -> None:
    assert (
        summary(report(judgement("PT-01"), judgement("PT-02", stress=STRESS)))
        == """\
## ffparity: ✅ GO · PT 2 of 2

### Compared

- paths: `file` (file), `db` (PostgreSQL 18.6)
- vectors: `v.json` (2)
- matrix: `m.json`
- commit: `c0ffee`
- 1.5 s, workers: 2

Of 2 vectors: 2 passed, 0 waived, 0 failed, 0 missing

### Latency in ms

| vector | path | p50 | p95 | p99 | max | limit of p99 | calls | at once | calls/s | errors |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
| `PT-02` | `file` | 0.500 | 1.250 | 12.000 | 99.500 | 100 | 10,000 | 16 | 1,234 | 0 |
| `PT-02` | `db` | 0.500 | 1.250 | 12.000 | 99.500 | 100 | 10,000 | 16 | 1,234 | 0 |
"""
    )


def test_a_blocked_run_shows_what_did_not_pass_and_both_values() -> None:
    assert (
        summary(report(judgement("PT-01", WRONG)))
        == """\
## ffparity: ❌ BLOCKED · PT 0 of 2

- PT-01: PV-01 broken at /value
- PT-02: no judgement on record

### Compared

- paths: `file` (file), `db` (PostgreSQL 18.6)
- vectors: `v.json` (2)
- matrix: `m.json`
- commit: `c0ffee`
- 1.5 s, workers: 2

### Vectors that did not pass

| vector | row | field | expected | `file` | `db` |
| --- | --- | --- | --- | --- | --- |
| `PT-01` | `PV-01 MUST_MATCH` | `/value` | `{"a":1}` | `{"a":1}` | ✗ `(missing)` |
| `PT-02` |  | no judgement on record |  |  |  |

✗ breaks the row · ! raised · ~ disagrees with itself, in two runs of one path

Of 2 vectors: 0 passed, 0 waived, 1 failed, 1 missing
"""
    )


def test_everything_else_that_can_be_wrong_has_its_row() -> None:
    paths = {"file": PathResult(decision={}), "db": PathResult(error="OSError: gone")}
    shaky = (
        Unstable(path="file", field="/a", rule="PV-02", first=Seen(True, 1), second=Seen(True, 2)),
        Unstable(path="db", field="", rule="unstable", error="raised once", case="c 7", count=3),
    )
    missed = msgspec.structs.replace(STRESS, missed=("db: p99 120.0 ms, not below 100",))
    among = msgspec.structs.replace(WRONG, case="c 9", count=4, odd="db")
    wrong = judgement(
        "PT-01", among, paths=paths, unstable=shaky, stress=missed, problems=("a problem",)
    )
    assert table(summary(report(wrong, ids=["PT-01"])), "Vectors that did not pass") == [
        "| `PT-01` |  |  |  |  | ! `OSError: gone` |",
        "| `PT-01` |  | db: p99 120.0 ms, not below 100 |  |  |  |",
        "| `PT-01` |  | a problem |  |  |  |",
        "| `PT-01` | `PV-02` | `/a` |  | ~ `1`, then `2` |  |",
        "| `PT-01` | `unstable` | (the whole decision) in `c 7`, 3 times |  |  | ~ raised once |",
        (
            '| `PT-01` | `PV-01 MUST_MATCH` | `/value` in `c 9`, 4 times | `{"a":1}` | `{"a":1}` '
            "| ✗ `(missing)` odd one out |"
        ),
    ]


def test_waived_vectors_are_listed_with_who_answers_for_them() -> None:
    waiver = Waiver(
        vector="PT-01",
        field="/value",
        owner="flags_team",
        reason="known",
        expires=date(2026, 12, 31),
        line=3,
    )
    text = summary(report(judgement("PT-01", WRONG), ids=["PT-01"], waivers=(waiver,)))
    assert text.startswith("## ffparity: ⚠️ GO WITH WAIVERS · PT 0 of 1\n")
    assert (
        "- PT-01 /value is waived until 2026-12-31 by flags&#95;team: known\n"
        "- this lets a merge pass, and no cutover\n"
    ) in text
    assert "| `PT-01` waived | `PV-01 MUST_MATCH` |" in text


def test_what_the_command_line_left_out_is_no_failure() -> None:
    left_out = [VectorKey("v.json", "PT-02")]
    text = summary(report(judgement("PT-01"), narrowed=left_out))
    assert text.startswith("## ffparity: ❓ INCOMPLETE · PT 1 of 2\n")
    assert "- this is no gate run: the command line left out 1 of 2 vectors\n" in text
    assert "did not pass" not in text


def test_weakenings_say_what_to_name_and_the_unanswered_come_first() -> None:
    baseline = Baseline(
        "origin/main",
        (
            Weakening("removed PT-09 1a2b", "PT-09: removed", who="A. Person", why="by the plan"),
            Weakening("changed PT-03 3c4d", 'PT-03: changed at /reason: "a" → "b"'),
        ),
    )
    text = summary(report(judgement("PT-01"), ids=["PT-01"], baseline=baseline))
    assert text.endswith(
        """\
### Weakened since `origin/main`: 2

- ❌ PT-03: changed at /reason: "a" → "b"<br>nobody answers for it; to do so name `changed PT-03 3c4d`
- PT-09: removed<br>acknowledged by A. Person: by the plan
"""
    )


def test_nothing_weakened_is_said() -> None:
    baseline = Baseline("origin/main", ())
    text = summary(report(judgement("PT-01"), ids=["PT-01"], baseline=baseline))
    assert text.endswith("### Weakened since `origin/main`: nothing\n")


def test_the_smallest_example_opens_on_demand() -> None:
    example = Example(
        case="case 17",
        world={"flags": ["```"]},
        requests=[{"flag_key": "ff.x"}],
        divergences=(WRONG,),
        saved="vectors/found.json",
        again="pytest --ffparity --ffparity-fuzz 1",
    )
    text = summary(report(judgement("PT-01", WRONG, examples=(example,)), ids=["PT-01"]))
    assert text.endswith(
        """\
### Smallest examples

<details><summary>PT-01: case 17</summary>

````json
{
  "world": {
    "flags": [
      "```"
    ]
  },
  "requests": [
    {
      "flag_key": "ff.x"
    }
  ]
}
````

- `/value` breaks `PV-01`
- saved to `vectors/found.json`
- again: `pytest --ffparity --ffparity-fuzz 1`

</details>
"""
    )


@pytest.mark.parametrize("char", ["x", "|", "李"])
def test_a_summary_stays_well_below_what_github_takes(char: str) -> None:
    huge = char * 20_000
    names = tuple(f"{i}{char * 50}" for i in range(20))
    sides = {name: Seen(True, huge) for name in names}
    broken = tuple(Breach(name, huge) for name in names)
    wide = [
        msgspec.structs.replace(
            WRONG, field=f"/{i}{char * 1000}", paths=sides, expected=Seen(True, huge), broken=broken
        )
        for i in range(30)
    ]
    example = Example(case=huge, world=huge, requests=[huge], divergences=tuple(wide))
    paths = {name: PathResult(error=char * 5000) for name in names}
    shaped = judgement("", *wide, paths=paths, problems=(char * 9000,) * 20, examples=(example,))
    ids = [f"V-{i}" for i in range(300)]
    told = report(*(msgspec.structs.replace(shaped, id=i) for i in ids), ids=ids)
    text = summary(told)
    assert len(text.encode()) <= MAX_BYTES + 1000
    assert text.startswith("## ffparity: ❌ BLOCKED · V 0 of 300\n")
    assert "... and more: see the log" in text
    assert "\n... and " in text


def test_two_thousand_vectors_that_passed_take_one_line() -> None:
    ids = [f"V-{i}" for i in range(2000)]
    text = summary(report(*map(judgement, ids), ids=ids))
    assert "Of 2000 vectors: 2000 passed, 0 waived, 0 failed, 0 missing" in text
    assert len(text.splitlines()) < 15


def test_text_from_elsewhere_is_shown_as_it_is() -> None:
    name = "V|<img src=x>`"
    hostile = msgspec.structs.replace(
        WRONG, field="/a|b", paths={"file": Seen(True, "<b>`|"), "db": Seen(True, "a\nb")}
    )
    text = summary(report(judgement(name, hostile), ids=[name]))
    assert "<img" not in text
    assert "<b>" not in text
    (row,) = table(text, "Vectors that did not pass")
    assert row.count("|") == 7
    assert r"a\nb" not in row  # a backslash is an entity inside a table
    assert "<code>/a&#124;b</code>" in row
