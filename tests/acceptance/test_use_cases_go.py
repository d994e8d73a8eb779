"""UC-B4-06 with the stress vector, which wants the machine to itself: what lets a cutover pass."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

MATRIX = Path(__file__).resolve().parents[2] / "vectors/cutover_parity_matrix.json"
ROWS = {f"PV-{number:02}" for number in range(1, 9)}


@pytest.mark.parametrize("workers", [["-n", "2"], ["-p", "no:xdist"]], ids=" ".join)
def test_uc_b4_06_all_must_match_fields_are_identical(gate: Any, workers: list[str]) -> None:
    """The seventeen vectors agree but for the name of the backing: the cutover may pass."""
    gate.copy(stress=True)
    result = gate.run("--ffparity-require-go", *workers)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["verdict  GO  PT 17 of 17 · JWT-EX 10 of 10"])
    report = gate.report()
    assert set(report["header"]["matrix"]["rows"]) == ROWS
    assert {p["name"] for p in report["header"]["paths"]} == {"file", "db"}
    required = json.loads(MATRIX.read_text())["required"]
    judged = {v["id"]: v for v in report["vectors"]}
    assert set(required) <= judged.keys()
    for vector in judged.values():
        assert (vector["outcome"], vector["judgements"]) == ("passed", 1)
        assert vector["divergences"] == vector["unstable"] == vector["problems"] == []
    scopes = set()
    for vector in judged.values():
        if vector["stress"] is not None:
            continue
        file, db = (path["decision"] for path in vector["paths"].values())
        scopes.add(file["override_scope"])
        for decision in (file, db):
            decision["meta"].pop("latency_ms")
        assert (file["meta"].pop("backing_state"), db["meta"].pop("backing_state")) == (
            "file",
            "db",
        )
        assert json.dumps(file) == json.dumps(db)
    assert {"default", "tenant", "user"} <= scopes
