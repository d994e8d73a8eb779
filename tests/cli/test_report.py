from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from pytest_ffparity.cli import main
from pytest_ffparity.parity.compare import Breach, Divergence, Seen
from pytest_ffparity.parity.judgement import Judgement, PathResult
from pytest_ffparity.parity.verdict import Declared, VectorKey, Verdict, rule
from pytest_ffparity.report import json_report
from pytest_ffparity.report.model import Source, Surroundings, build
from pytest_ffparity.report.reading import read_report

AROUND = Surroundings(
    versions={"pytest-ffparity": "0.1.0"},
    platform="Linux x86_64",
    cpus=2,
    commit="c0ffee",
    started_at="2026-04-19T00:00:00.000000Z",
    vectors=(Source("v.json", "d1", "d2", 2),),
    matrix=Source("m.json", "d3"),
    rows=("R-01",),
)
WRONG = Divergence(
    field="/answer",
    rule="R-01",
    must="MUST_MATCH",
    why="The answer.",
    expected=Seen(True, 1),
    paths={"old": Seen(True, 1), "new": Seen(True, 1.0)},
    broken=(Breach("new", "differs from old", "old"),),
)


def run(file: Path, *judged: str, wrong: str = "", beside: int = 0) -> str:
    """Write the report of a run of two vectors, of which the command line left some out."""
    keys = [VectorKey("v.json", name) for name in ("V-01", "V-02")]
    judgements = [
        Judgement(
            run="run",
            file="v.json",
            id=name,
            digest="d",
            paths={"old": PathResult({}), "new": PathResult({})},
            divergences=(WRONG,) if name == wrong else (),
        )
        for name in judged
    ]
    declared = Declared(dict.fromkeys(keys, "d"), ())
    left_out = [key for key in keys if key.id not in judged]
    ruling = rule(declared, judgements, nonce="run", narrowed=left_out)
    whole = build(
        declared=declared,
        judgements=[(judgement, None) for judgement in judgements],
        ruling=ruling,
        surroundings=msgspec.structs.replace(
            AROUND, started_at=f"2026-04-19T00:00:00.{ord(file.stem[0]):06}Z"
        ),
        workers=0,
        duration_s=1.5,
        finished_at="2026-04-19T00:00:01.500000Z",
        exit_status=int(beside > 0),
        failed_beside=beside,
        gate_run=not left_out,
    )
    file.write_text(json_report.to_text(whole), "utf-8")
    return str(file)


def test_show_prints_the_failures_and_then_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = run(tmp_path / "a.json", "V-01", "V-02", wrong="V-02")
    assert main(["report", "show", file]) == 1
    assert (
        capsys.readouterr().out
        == """\
V-02: 1 field diverges (R-01)

/answer  R-01 MUST_MATCH
    The answer.
    expected  1
    old       1
    new       1.0
              ^ new differs from old

paths    old · new
matrix   m.json, rule groups: 1
marks    one a path, in this order: . keeps the row  x breaks it  ! raised

vector  R-01
V-01    ..
V-02    .x

verdict  BLOCKED  V 1 of 2
         - V-02: R-01 broken at /answer
"""
    )


def test_show_of_a_run_that_is_go_exits_with_0(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", "show", run(tmp_path / "a.json", "V-01", "V-02")]) == 0
    assert capsys.readouterr().out.endswith("verdict  GO  V 2 of 2\n")


def test_show_of_a_run_that_left_something_out_exits_with_1(tmp_path: Path) -> None:
    assert main(["report", "show", run(tmp_path / "a.json", "V-01")]) == 1


def test_show_writes_markdown_if_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = tmp_path / "out" / "report.md"
    file = run(tmp_path / "a.json", "V-01", "V-02", wrong="V-02")
    assert main(["report", "show", file, "--markdown", str(text)]) == 1
    assert "BLOCKED" in text.read_text("utf-8")
    assert capsys.readouterr().out.endswith(f"wrote {text}\n")


def test_merge_writes_the_whole_and_exits_by_its_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shards = [run(tmp_path / "a.json", "V-01"), run(tmp_path / "b.json", "V-02")]
    output = tmp_path / "out" / "whole.json"
    assert main(["report", "merge", *shards, "--output", str(output)]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[-2:] == ["verdict  GO  V 2 of 2", f"wrote {output}"]
    assert read_report(output).ruling.verdict is Verdict.GO
    bad = run(tmp_path / "c.json", "V-02", wrong="V-02")
    assert main(["report", "merge", shards[0], bad, "--output", str(output)]) == 1
    assert read_report(output).ruling.verdict is Verdict.BLOCKED


def test_merge_of_what_is_not_one_run_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shard, output = run(tmp_path / "a.json", "V-01"), tmp_path / "whole.json"
    assert main(["report", "merge", shard, shard, "--output", str(output)]) == 2
    assert f"ffparity: {shard}: the same file was given twice" in capsys.readouterr().err
    assert main(["report", "merge", shard, "--output", str(output)]) == 2
    assert not output.exists()


def test_merge_does_not_write_over_a_shard(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shards = [run(tmp_path / "a.json", "V-01"), run(tmp_path / "b.json", "V-02")]
    before = Path(shards[0]).read_text("utf-8")
    assert main(["report", "merge", *shards, "--output", shards[0]]) == 2
    assert "--output names a shard" in capsys.readouterr().err
    assert Path(shards[0]).read_text("utf-8") == before


def test_trend_exits_with_0_whatever_the_runs_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    late = run(tmp_path / "b.json", "V-01", "V-02", wrong="V-01")
    early = run(tmp_path / "a.json", "V-01", "V-02")
    assert main(["report", "trend", late, early]) == 0
    told = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert told[1:] == [
        ["2026-04-19T00:00:00", "c0ffee", "GO", "0", early],
        ["2026-04-19T00:00:00", "c0ffee", "BLOCKED", "1", late],
        [],
        ["runs:", "2,", "not", "go:", "1"],
    ]


@pytest.mark.parametrize("command", ["merge", "trend"])
def test_every_file_that_can_not_be_read_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    cut = tmp_path / "cut.json"
    cut.write_text(Path(run(tmp_path / "a.json")).read_text("utf-8")[:300], "utf-8")
    none = tmp_path / "none.json"
    output = ["--output", str(tmp_path / "o.json")] if command == "merge" else []
    assert main(["report", command, str(cut), str(tmp_path / "a.json"), str(none), *output]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    told = err.splitlines()
    assert told[0].startswith(f"ffparity: {cut}:")
    assert told[0].endswith("it is cut off: the run that wrote it did not finish")
    assert told[2] == f"ffparity: {none}: found no such file, expected a report"


def test_show_of_a_file_that_can_not_be_read_exits_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", "show", str(tmp_path)]) == 2
    assert f"ffparity: {tmp_path}: can't be read" in capsys.readouterr().err


def test_an_output_that_can_not_be_written_exits_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shards = [run(tmp_path / "a.json", "V-01"), run(tmp_path / "b.json", "V-02")]
    output = tmp_path / "a.json" / "whole.json"
    assert main(["report", "merge", *shards, "--output", str(output)]) == 2
    assert f"ffparity: can't write {output}" in capsys.readouterr().err


@pytest.mark.parametrize(
    "argv",
    [["report"], ["report", "show"], ["report", "merge", "a", "b"], ["report", "trend"]],
    ids=["none", "show", "merge", "trend"],
)
def test_wrong_usage_is_exit_code_2(argv: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(argv)
    assert caught.value.code == 2


def test_what_failed_beside_the_vectors_is_told_and_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = run(tmp_path / "a.json", "V-01", "V-02", beside=2)
    assert main(["report", "show", file]) == 1
    assert capsys.readouterr().out.endswith(
        """\
verdict  GO  V 2 of 2
         failed beside the vectors: 2; the exit status counts them
"""
    )


def test_what_failed_beside_the_vectors_of_a_shard_counts_for_the_whole(tmp_path: Path) -> None:
    shards = [run(tmp_path / "a.json", "V-01", beside=1), run(tmp_path / "b.json", "V-02")]
    whole = tmp_path / "whole.json"
    assert main(["report", "merge", *shards, "--output", str(whole)]) == 1
    found = read_report(whole)
    assert (found.ruling.verdict, found.exit_status, found.failed_beside) == (Verdict.GO, 1, 1)


def test_shards_of_other_code_or_recordings_under_the_same_names_are_not_go(tmp_path: Path) -> None:
    shards = [Path(run(tmp_path / "a.json", "V-01")), Path(run(tmp_path / "b.json", "V-02"))]
    for shard in shards:
        text = shard.read_text("utf-8")
        assert text.count('"made_by": ""') == 1
        made_by = f'"made_by": "old: conftest.Old (conftest.py {shard.stem})"'
        shard.write_text(text.replace('"made_by": ""', made_by), "utf-8")
    whole = tmp_path / "whole.json"
    assert main(["report", "merge", *map(str, shards), "--output", str(whole)]) == 1
    assert read_report(whole).ruling.verdict == Verdict.INCOMPLETE
