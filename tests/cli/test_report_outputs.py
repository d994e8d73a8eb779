"""Each command writes the pages that it is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ffparity.cli import main
from pytest_ffparity.parity.judgement import Judgement, PathResult
from pytest_ffparity.parity.verdict import Declared, VectorKey, rule
from pytest_ffparity.report import json_report
from pytest_ffparity.report.model import Source, Surroundings, build

KEYS = tuple(VectorKey("v.json", name) for name in ("V-01", "V-02"))


@pytest.fixture
def shards(tmp_path: Path) -> list[str]:
    """Two halves of a run that is go."""
    files = []
    for index, key in enumerate(KEYS):
        paths = {"old": PathResult({}), "new": PathResult({})}
        judged = Judgement(
            run="run", file=key.file, id=key.id, digest="d", paths=paths, divergences=()
        )
        declared = Declared(dict.fromkeys(KEYS, "d"), ())
        whole = build(
            declared=declared,
            judgements=[(judged, None)],
            ruling=rule(declared, [judged], nonce="run", narrowed=[k for k in KEYS if k != key]),
            surroundings=Surroundings(
                versions={"pytest-ffparity": "0.1.0"},
                platform="Linux x86_64",
                cpus=2,
                commit="c0ffee",
                started_at=f"2026-04-19T00:00:0{index}.000000Z",
                vectors=(Source("v.json", "d1", "d2", 2),),
                matrix=Source("m.json", "d3"),
                rows=("R-01",),
            ),
            workers=0,
            duration_s=1.5,
            finished_at="2026-04-19T00:00:02.500000Z",
            exit_status=0,
            gate_run=False,
        )
        file = tmp_path / f"shard-{index}.json"
        file.write_text(json_report.to_text(whole), "utf-8")
        files.append(str(file))
    return files


def test_each_command_writes_the_pages_that_it_is_asked_for(
    shards: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, page = str(tmp_path / "whole.json"), tmp_path / "merged.html"
    assert main(["report", "merge", *shards, "--output", whole, "--html", str(page)]) == 0
    assert 'data-verdict="go"' in page.read_text("utf-8")
    shown, text = tmp_path / "out" / "shown.html", tmp_path / "out" / "shown.md"
    assert main(["report", "show", whole, "--html", str(shown), "--markdown", str(text)]) == 0
    assert 'data-verdict="go"' in shown.read_text("utf-8")
    assert "GO" in text.read_text("utf-8")
    drawn = tmp_path / "trend.html"
    assert main(["report", "trend", *shards, whole, "--html", str(drawn)]) == 0
    assert "<svg" in drawn.read_text("utf-8")
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("wrote ")]
    assert told == [f"wrote {path}" for path in (whole, page, shown, text, drawn)]
