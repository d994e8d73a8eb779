"""The gate as this repository ships it: real input, both real paths, nothing mocked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pytest_ffparity.formats import schema

ALL = [f"PT-{number:02}" for number in range(1, 18)]
ALL += [f"JWT-EX-{number:02}" for number in range(1, 11)]


def comparable(report: dict[str, Any]) -> dict[str, Any]:
    """Take out timing and worker fields."""
    del report["header"]["timing"], report["header"]["workers"], report["footer"]["timing"]
    del report["stress"]
    for vector in report["vectors"]:
        del vector["worker"], vector["stress"]
        for path in vector["paths"].values():
            del path["timing"]
            if path["decision"] is not None:
                del path["decision"]["meta"]["latency_ms"]
    return report


@pytest.mark.parametrize("workers", ["0", "2"])
def test_every_vector_is_go(gate: Any, workers: str) -> None:
    gate.copy(stress=True)
    args = ["--ffparity-require-go", "-n", workers]
    if workers == "0":
        args.append("--benchmark-json=benchmark.json")
    result = gate.run(*args)
    report = gate.report()
    assert schema.problems("report.v1", report) == []
    assert result.ret == 0, result.stdout.str()
    assert report["verdict"] == "go"
    assert sorted(v["id"] for v in report["vectors"]) == sorted(ALL)
    assert {v["outcome"] for v in report["vectors"]} == {"passed"}
    for path in ("file", "db"):
        assert report["stress"][path]["n"] >= 10_000
        assert 0 < report["stress"][path]["p99_ms"] < 100
    text = result.stdout.str()
    section = text[
        text.index("= ffparity =") : text.index("verdict  GO  PT 17 of 17 · JWT-EX 10 of 10")
    ]
    assert len(section.splitlines()) <= 45  # it fits a screen
    if workers == "0":
        figures = json.loads((gate.root / "benchmark.json").read_text())["benchmarks"][0]
        assert figures["extra_info"]["ffparity"]["paths"]["db"]["latency"]["n"] >= 10_000


def test_two_workers_report_what_one_process_reports(gate: Any) -> None:
    assert gate.run("-n", "0").ret == 0
    one = comparable(gate.report())
    assert gate.run("-n", "2").ret == 0
    assert comparable(gate.report()) == one


def test_without_the_file_of_the_examples_the_run_is_incomplete(gate: Any) -> None:
    (gate.root / "vectors" / "jwt_claim_examples.json").unlink()
    assert gate.run().ret == 1
    assert gate.report()["verdict"] == "incomplete"


def test_a_database_that_cannot_be_reached_is_an_error_with_a_remedy(gate: Any) -> None:
    result = gate.run("--ffparity-dsn=postgresql://me:hunter2@127.0.0.1:1/x")
    text = result.stdout.str() + json.dumps(gate.report())
    assert result.ret == 1
    assert gate.report()["verdict"] == "incomplete"
    assert "postgresql://me:***@127.0.0.1:1/x can't be reached" in text
    assert "FFPARITY_DSN" in text
    assert "hunter2" not in text
