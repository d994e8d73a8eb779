from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).parents[2] / "benchmarks" / "compare_reports.py"


def report(*, verdict: str = "go", value: Any = True, latency: float = 1.0) -> dict[str, Any]:
    decision = {"value": value, "meta": {"latency_ms": latency}}
    return {
        "verdict": verdict,
        "stress": {"file": {"p99_ms": 20.25 * latency}},
        "vectors": [
            {"id": "PT-01", "outcome": "passed", "paths": {"file": {"decision": decision}}},
            {"id": "PT-08", "outcome": "passed", "paths": {"file": {"decision": None}}},
        ],
    }


def compare(
    folder: Path, reports: list[dict[str, Any]], expected: int
) -> subprocess.CompletedProcess[str]:
    for number, one in enumerate(reports):
        (folder / f"a-{number}.json").write_text(json.dumps(one), encoding="utf-8")
    return subprocess.run(
        [sys.executable, PROGRAM, "--expect", str(expected), folder],
        capture_output=True,
        text=True,
        check=False,
    )


def test_runs_that_are_all_go_and_differ_in_latency_alone_pass(tmp_path: Path) -> None:
    run = compare(tmp_path, [report(), report(latency=2.0)], 2)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.splitlines() == [
        "a-0  go          file p99 20.2 ms",
        "a-1  go          file p99 40.5 ms",
        "2 runs, all go, all the same decisions",
    ]


@pytest.mark.parametrize(
    ("reports", "expected", "said"),
    [
        ([report(), report(verdict="blocked")], 2, "a-1: blocked"),
        ([report(), report(verdict="incomplete")], 2, "a-1: incomplete"),
        ([report(), report(value=1)], 2, "a-1: PT-01 differs from a-0"),
        ([report(), {**report(), "vectors": []}], 2, "a-1: PT-08 differs from a-0"),
        ([report()], 2, "1 reports, expected 2"),
        ([], 2, "0 reports, expected 2"),
    ],
)
def test_anything_else_fails(
    tmp_path: Path, reports: list[dict[str, Any]], expected: int, said: str
) -> None:
    run = compare(tmp_path, reports, expected)
    assert run.returncode == 1
    assert said in run.stdout.splitlines()
