"""The self-test: every seeded fault is caught, no harmless change is, and a weak matrix is seen."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pytest_ffparity.paths.seeded.catalogue import PROBES, catalogue
from pytest_ffparity.vectors.model import StressVector
from pytest_ffparity.vectors.reader import read_vector_file

FAULTS = [fault for fault in catalogue() if fault.level != "harmless"]
HARMLESS = [fault for fault in catalogue() if fault.level == "harmless"]


def test_the_catalogue_is_what_was_promised() -> None:
    names = [fault.name for fault in catalogue()]
    assert len(set(names)) == len(names)
    assert len(FAULTS) >= 60
    assert len(HARMLESS) >= 30
    assert {fault.level for fault in FAULTS} == {
        "decision",
        "rule",
        "rollout",
        "data",
        "concurrency",
    }
    rows = {row for fault in FAULTS for row in fault.rows}
    assert {f"PV-{number:02}" for number in range(1, 9)} <= rows
    assert all(fault.rows or fault.raises for fault in FAULTS)
    assert all(not fault.rows for fault in HARMLESS)
    probes = {vector.id for vector in read_vector_file(PROBES).vectors}
    assert {probe for fault in catalogue() for probe in fault.probes} - {"*"} <= probes


def test_two_workers_share_the_trials(gate: Any) -> None:
    result = gate.run("--ffparity-selftest", "-n", "2", "-k", "rollout- or harmless-latency")
    assert result.ret == 0
    outcomes = {
        v["id"]: v["outcome"] for v in gate.report()["vectors"] if v["outcome"] != "missing"
    }
    assert set(outcomes.values()) == {"passed"}
    assert len(outcomes) == 8 + 1 + 5
    result.stdout.fnmatch_lines(["selftest caught 9 of *"])


def test_all_are_caught_and_none_is_flagged(gate: Any) -> None:
    result = gate.run("--ffparity-selftest", "-p", "no:xdist")
    assert result.ret == 0
    told = f"selftest caught {len(FAULTS)} of {len(FAULTS)} · harmless changes left alone "
    result.stdout.fnmatch_lines([f"{told}{len(HARMLESS)} of {len(HARMLESS)}", "verdict  GO*"])


def weaken(gate: Any, change: Callable[[dict[str, Any]], None]) -> None:
    path = gate.root / "vectors/cutover_parity_matrix.json"
    matrix = json.loads(path.read_text())
    change(matrix)
    path.write_text(json.dumps(matrix))


def may_differ(matrix: dict[str, Any]) -> None:
    for row in matrix["rows"]:
        if row["id"] == "PV-02":
            row["rule"] = "MAY_DIFFER"


def test_a_weakened_matrix_misses_faults_and_is_red(gate: Any) -> None:
    weaken(gate, may_differ)
    result = gate.run("--ffparity-selftest", "-k", "chain-reversed or null-member-lost")
    assert result.ret == 1
    outcomes = {v["id"]: v["outcome"] for v in gate.report()["vectors"]}
    tried = {name: outcome for name, outcome in outcomes.items() if outcome != "missing"}
    assert tried == {"fault-chain-reversed": "failed", "fault-null-member-lost": "passed"}
    result.stdout.fnmatch_lines(
        [
            "*not caught by user: chain-reversed changed nothing*",
            f"selftest caught 1 of {len(FAULTS)} *",
            "*verdict  BLOCKED*",
        ]
    )


def test_a_matrix_that_is_too_strict_flags_what_is_harmless(gate: Any) -> None:
    def must_match(matrix: dict[str, Any]) -> None:
        for row in matrix["rows"]:
            if row["fields"] == ["/meta/latency_ms"]:
                row["rule"] = "MUST_DIFFER"
                row["values"] = {"file": 0.5, "db": 0.5}

    weaken(gate, must_match)
    result = gate.run("--ffparity-selftest", "-k", "harmless-nothing")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*turned red: PV-08 was named*"])


def test_the_probes_are_questions_of_the_definition() -> None:
    vectors = read_vector_file(PROBES).vectors
    assert [v.id for v in vectors if isinstance(v, StressVector)] == ["load"]
