from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ffparity.parity.compare import Divergence
from pytest_ffparity.parity.judgement import Judgement, PathResult
from pytest_ffparity.parity.verdict import Gap, VectorKey, Verdict
from pytest_ffparity.report import json_report, model, rebuilding
from pytest_ffparity.report.merge import merged
from pytest_ffparity.report.model import Baseline, Report, Source, Surroundings, Weakening
from pytest_ffparity.report.reading import read_report
from pytest_ffparity.report.shards import MergeError, Shard
from pytest_ffparity.vectors.waivers import Waiver

IDS = ("PT-01", "PT-02", "PT-03")
Make = Callable[..., Judgement]
MakeReport = Callable[..., Report]


def key(name: str) -> VectorKey:
    return VectorKey("v.json", name)


def shards(folder: Path, *reports: Report) -> list[Shard]:
    """Write reports as their runs do, and read them back."""
    found = []
    for index, report in enumerate(reports):
        # No two runs start at one microsecond.
        started = f"2026-04-19T00:00:00.{index:06}Z"
        around = msgspec.structs.replace(report.surroundings, started_at=started)
        text = json_report.to_text(msgspec.structs.replace(report, surroundings=around))
        file = folder / f"{'abcdef'[index]}.json"
        file.write_text(text, "utf-8")
        found.append((Path(file.name), read_report(file)))
    return found


def again(folder: Path, whole: Report) -> Report:
    """Write the merged report and read it back."""
    file = folder / "whole.json"
    file.write_text(json_report.to_text(whole), "utf-8")
    return read_report(file)


def others(*judged: str) -> list[VectorKey]:
    return [key(name) for name in IDS if name not in judged]


def test_shards_that_judged_each_vector_once_are_go(
    tmp_path: Path, report: MakeReport, judgement: Make
) -> None:
    # The one by -k, the other by a path argument, which the verdict can't tell from a loss.
    one = report(judgement("PT-01"), judgement("PT-03"), narrowed=others("PT-01", "PT-03"))
    two = report(judgement("PT-02", p99_ms=7.5), required=IDS)
    assert one.ruling.verdict is two.ruling.verdict is Verdict.INCOMPLETE
    whole = merged(shards(tmp_path, one, two))
    assert whole.ruling.verdict is Verdict.GO
    assert (whole.ruling.gaps, whole.ruling.narrowed, whole.ruling.failures) == ((), (), ())
    assert (whole.exit_status, whole.gate_run, whole.required) == (0, True, 3)
    assert [entry.key.id for entry in whole.entries] == list(IDS)
    assert whole.counts()["passed"] == 3
    assert whole.stress["db"][1].latency.p99_ms == 7.5
    assert whole.surroundings.started_at == "2026-04-19T00:00:00.000000Z"
    assert again(tmp_path, whole).ruling == whole.ruling


def test_a_failure_in_any_shard_blocks(
    tmp_path: Path, report: MakeReport, judgement: Make, wrong: Divergence
) -> None:
    one = report(judgement("PT-01", wrong), narrowed=others("PT-01"))
    two = report(judgement("PT-02"), judgement("PT-03"), narrowed=others("PT-02", "PT-03"))
    whole = merged(shards(tmp_path, one, two))
    assert whole.ruling.verdict is Verdict.BLOCKED
    assert whole.ruling.failures == ("PT-01: PV-01 broken at /value",)
    assert (whole.exit_status, again(tmp_path, whole).ruling) == (1, whole.ruling)


def test_what_else_blocks_a_shard_blocks_the_whole(
    tmp_path: Path, report: MakeReport, judgement: Make
) -> None:
    one = report(judgement("PT-01"), narrowed=others("PT-01"), objections=["PT-04 was removed"])
    two = report(judgement("PT-02"), judgement("PT-03"), narrowed=others("PT-02", "PT-03"))
    whole = merged(shards(tmp_path, one, two))
    assert whole.ruling.verdict is Verdict.BLOCKED
    assert whole.ruling.failures == ("PT-04 was removed",)


def test_a_failed_attempt_that_the_file_does_not_hold_blocks_too(
    tmp_path: Path, report: MakeReport, judgement: Make, wrong: Divergence
) -> None:
    twice = (judgement("PT-01", wrong), judgement("PT-01"))
    one = report(*twice, narrowed=others("PT-01"))
    two = report(judgement("PT-02"), judgement("PT-03"), narrowed=others("PT-02", "PT-03"))
    whole = merged(shards(tmp_path, one, two))
    assert whole.ruling.verdict is Verdict.BLOCKED
    assert whole.ruling.failures == ("PT-01: PV-01 broken at /value",)
    assert whole.ruling.gaps == (Gap("2 judgements on record, expected one", key("PT-01")),)


def test_a_vector_that_no_shard_judged_makes_it_incomplete(
    tmp_path: Path, report: MakeReport, judgement: Make
) -> None:
    one = report(judgement("PT-01"), narrowed=others("PT-01"))
    two = report(judgement("PT-02"), narrowed=others("PT-02"))
    whole = merged(shards(tmp_path, one, two))
    assert whole.ruling.verdict is Verdict.INCOMPLETE
    assert whole.ruling.gaps == (Gap("judged in no shard", key("PT-03")),)
    assert (whole.gate_run, whole.exit_status) == (False, 1)
    assert again(tmp_path, whole).ruling == whole.ruling


def test_what_was_merged_can_be_merged_with_the_rest(
    tmp_path: Path, report: MakeReport, judgement: Make
) -> None:
    one, two, three = shards(
        tmp_path, *(report(judgement(name), narrowed=others(name)) for name in IDS)
    )
    part = again(tmp_path, merged([one, two]))
    assert part.ruling.gaps == (Gap("judged in no shard", key("PT-03")),)
    assert merged([(Path("whole.json"), part), three]).ruling.verdict is Verdict.GO


def test_a_vector_that_two_shards_judged_makes_it_incomplete(
    tmp_path: Path, report: MakeReport, judgement: Make
) -> None:
    one = report(judgement("PT-01"), judgement("PT-02"), narrowed=[key("PT-03")])
    two = report(judgement("PT-02"), judgement("PT-03"), narrowed=[key("PT-01")])
    whole = merged(shards(tmp_path, one, two))
    assert whole.ruling.verdict is Verdict.INCOMPLETE
    assert whole.ruling.gaps == (
        Gap("judged in more than one shard: a.json, b.json", key("PT-02")),
    )
    assert again(tmp_path, whole).ruling == whole.ruling


def test_a_shards_other_doubts_stay(tmp_path: Path, report: MakeReport, judgement: Make) -> None:
    doubts = [Gap("skipped", key("PT-02")), Gap("worker gw0 died before it had finished")]
    one = report(judgement("PT-01"), gaps=doubts)
    two = report(judgement("PT-02"), judgement("PT-03"), narrowed=others("PT-02", "PT-03"))
    whole = merged(shards(tmp_path, one, two))
    assert whole.ruling.verdict is Verdict.INCOMPLETE
    assert whole.ruling.gaps == tuple(doubts)


def test_a_shard_that_never_finished_makes_it_incomplete(
    tmp_path: Path, report: MakeReport, judgement: Make, around: Surroundings
) -> None:
    lost = model.unfinished(
        msgspec.structs.replace(around, vectors=(), matrix=None, rows=()), "the machine went away"
    )
    whole = merged(shards(tmp_path, lost, report(*map(judgement, IDS))))
    assert whole.ruling.verdict is Verdict.INCOMPLETE
    assert whole.ruling.gaps == (Gap("a.json: the machine went away"),)
    assert (whole.finished, whole.gate_run) == (False, False)
    assert again(tmp_path, whole).ruling == whole.ruling


def test_a_required_vector_may_be_in_another_shards_file(
    tmp_path: Path, report: MakeReport, judgement: Make
) -> None:
    mine = {"vectors": (Source("w.json", "d4", "d5", 1),)}
    elsewhere = msgspec.structs.replace(judgement("PT-04"), file="v.json")
    one = report(*map(judgement, IDS), required=(*IDS, "PT-04", "PT-05"))
    two = report(elsewhere, ids=["PT-04"], required=(*IDS, "PT-04", "PT-05"), around=mine)
    whole = merged(shards(tmp_path, one, two))
    assert whole.ruling.gaps == (Gap("PT-05: required by the matrix, but in no vector file"),)
    assert [source.file for source in whole.surroundings.vectors] == ["v.json", "w.json"]


def test_waivers_are_weighed_over_all_shards(
    tmp_path: Path, report: MakeReport, judgement: Make, wrong: Divergence, waiver: Waiver
) -> None:
    one = report(judgement("PT-01", wrong), narrowed=others("PT-01"), waivers=(waiver,))
    # By a path argument: what the waiver is for was not judged here.
    two = report(judgement("PT-02"), judgement("PT-03"), waivers=(waiver,))
    assert two.ruling.verdict is Verdict.INCOMPLETE
    whole = merged(shards(tmp_path, one, two))
    assert whole.ruling.verdict is Verdict.GO_WITH_WAIVERS
    assert whole.entries[0].waivers == (waiver,)
    assert (whole.exit_status, again(tmp_path, whole).ruling) == (0, whole.ruling)


def test_a_waiver_that_no_shard_needs_blocks(
    tmp_path: Path, report: MakeReport, judgement: Make, waiver: Waiver
) -> None:
    one = report(judgement("PT-01"), narrowed=others("PT-01"), waivers=(waiver,))
    two = report(
        *map(judgement, ("PT-02", "PT-03")), waivers=(waiver,), narrowed=others("PT-02", "PT-03")
    )
    whole = merged(shards(tmp_path, one, two))
    assert whole.ruling.verdict is Verdict.BLOCKED
    assert [text.partition(" is unused")[1] for text in whole.ruling.failures] == [" is unused"]


def test_a_waiver_that_expired_in_one_shard_has_expired(
    tmp_path: Path, report: MakeReport, judgement: Make, wrong: Divergence, waiver: Waiver
) -> None:
    one = report(judgement("PT-01", wrong), narrowed=others("PT-01"), waivers=(waiver,))
    two = report(*map(judgement, ("PT-02", "PT-03")), waivers=(waiver,), today=date(2026, 5, 1))
    pair = shards(tmp_path, one, two)
    assert merged(pair).ruling.verdict is Verdict.BLOCKED


def test_weakenings_of_all_shards_are_told(
    tmp_path: Path, report: MakeReport, judgement: Make
) -> None:
    removed, looser = Weakening("a", "PT-04 removed"), Weakening("b", "looser", "Ada", "moved")
    one = report(judgement("PT-01"), narrowed=others("PT-01"))
    two = report(*map(judgement, ("PT-02", "PT-03")), narrowed=others("PT-02", "PT-03"))
    base = [Baseline("main", (removed,)), Baseline("main", (looser, removed))]
    pair = [msgspec.structs.replace(r, baseline=b) for r, b in zip((one, two), base, strict=True)]
    assert merged(shards(tmp_path, *pair)).baseline == Baseline("main", (removed, looser))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"commit": "beef"}, "b.json: of another commit than a.json (beef; there: c0ffee)"),
        ({"commit": None}, "b.json: of another commit than a.json (none; there: c0ffee)"),
        ({"matrix": Source("m.json", "d9")}, "b.json: judged by another matrix than a.json"),
        (
            {"vectors": (Source("v.json", "d1", "d9", 3),)},
            "b.json: v.json held something else than in a.json",
        ),
    ],
    ids=["commit", "no-commit", "matrix", "vectors"],
)
def test_shards_of_other_runs_are_refused(
    tmp_path: Path, report: MakeReport, judgement: Make, change: Any, told: str
) -> None:
    one = report(judgement("PT-01"), narrowed=others("PT-01"))
    two = report(judgement("PT-02"), narrowed=others("PT-02"), around=change)
    with pytest.raises(MergeError) as caught:
        merged(shards(tmp_path, one, two))
    assert str(caught.value).splitlines()[:-1] == [told]


def test_shards_of_other_paths_waivers_and_baselines_are_refused_at_once(
    tmp_path: Path, report: MakeReport, judgement: Make, waiver: Waiver
) -> None:
    renamed = msgspec.structs.replace(
        judgement("PT-02"), paths={"file": PathResult({}), "postgres": PathResult({})}
    )
    one = report(judgement("PT-01"), narrowed=others("PT-01"))
    two = report(renamed, narrowed=others("PT-02"), waivers=(waiver,))
    pair = [
        msgspec.structs.replace(r, baseline=Baseline(ref, ()))
        for r, ref in ((one, "v1"), (two, "v2"))
    ]
    with pytest.raises(MergeError) as caught:
        merged(shards(tmp_path, *pair))
    assert str(caught.value).splitlines()[:-1] == [
        "b.json: judged under other waivers than a.json",
        "b.json: judged on other paths than a.json (file, postgres; there: file, db)",
        "b.json: held against another baseline than a.json (v2; there: v1)",
    ]


def test_shards_that_generated_other_cases_are_refused(
    tmp_path: Path, report: MakeReport, judgement: Make
) -> None:
    one = report(judgement("PT-01"), narrowed=others("PT-01"), around={"generated": 9, "seed": 1})
    two = report(judgement("PT-02"), judgement("PT-03"), narrowed=others("PT-02", "PT-03"))
    around = merged(shards(tmp_path, two, one)).surroundings
    assert (around.generated, around.seed) == (9, 1)
    other = msgspec.structs.replace(two.surroundings, generated=9, seed=2)
    with pytest.raises(MergeError, match=r"b\.json: generated other cases than a\.json"):
        merged(shards(tmp_path, one, msgspec.structs.replace(two, surroundings=other)))


def test_one_report_is_no_merge(tmp_path: Path, report: MakeReport) -> None:
    with pytest.raises(MergeError, match="1 reports to merge, expected two or more"):
        merged(shards(tmp_path, report()))


def test_a_report_given_twice_is_refused(
    tmp_path: Path, report: MakeReport, judgement: Make
) -> None:
    (shard,) = shards(tmp_path, report(judgement("PT-01")))
    with pytest.raises(MergeError, match=r"a\.json: the same file was given twice"):
        merged([shard, shard])
    with pytest.raises(MergeError, match=r"copy\.json: the same report as a\.json"):
        merged([shard, (Path("copy.json"), shard[1])])


@given(homes=st.lists(st.sets(st.integers(0, 2)), min_size=3, max_size=3), bad=st.integers(0, 5))
@settings(max_examples=100, deadline=None)
def test_go_is_each_vector_once_and_passed(
    report: MakeReport, judgement: Make, wrong: Divergence, homes: list[set[int]], bad: int
) -> None:
    def read(shard: int) -> Shard:
        judged = [name for name, where in zip(IDS, homes, strict=True) if shard in where]
        made = [judgement(n, *([wrong] if n == f"PT-0{bad}" else [])) for n in judged]
        started = {"started_at": f"2026-04-19T00:00:00.{shard:06}Z"}
        data = json.loads(
            json_report.to_text(report(*made, narrowed=others(*judged), around=started))
        )
        return Path(f"{shard}.json"), rebuilding.report(data)

    verdict = merged([read(shard) for shard in range(3)]).ruling.verdict
    once = all(len(where) == 1 for where in homes)
    failed = bad in (1, 2, 3) and bool(homes[bad - 1])
    assert verdict is (Verdict.BLOCKED if failed else Verdict.GO if once else Verdict.INCOMPLETE)
