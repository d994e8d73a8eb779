"""A path that answers from what a service wrote down; N paths, with the odd one out named."""

from __future__ import annotations

import json
from typing import Any

import pytest


def record(project: Any, *lines: dict[str, Any]) -> None:
    (project.root / "node.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n")


def decided(vector: str, answer: Any = None) -> dict[str, Any]:
    return {"vector": vector, "decision": {"answer": answer or vector, "by": "node"}}


@pytest.mark.parametrize("workers", [[], ["-n", "2"], ["-p", "no:xdist"]], ids=" ".join)
def test_a_recording_is_one_more_path(project: Any, workers: list[str]) -> None:
    record(project, decided("V-1"), decided("V-2", "else"), decided("V-3"), decided("V-9"))
    result = project.run("--ffparity-recorded", "node=node.jsonl", *workers)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "*odd one out: node; the other paths agree*",
            "paths    old (old store) · new (new store) · node (node.jsonl, decisions: 4)",
            "V-1     ...*",
            "V-2     ..x    ...  odd one out: node",
            "verdict  BLOCKED  V 2 of 3",
        ]
    )
    diverged = project.report()["vectors"][1]["divergences"]
    assert [d["odd"] for d in diverged] == ["node"]


def test_what_was_not_recorded_is_not_passed(project: Any) -> None:
    record(project, decided("V-1"), {"vector": "V-2", "error": "timed out"})
    result = project.run("--ffparity-recorded", "node=node.jsonl")
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "*node raised  NotRecordedError: node.jsonl holds an error for V-2: timed out*",
            "*node raised  NotRecordedError: node.jsonl holds no decision for V-3*",
        ]
    )


def test_a_recording_that_is_broken_tells_file_line_and_pointer(project: Any) -> None:
    record(project, decided("V-1"), {"vector": 2, "decision": {}}, decided("V-1"))
    result = project.run("--ffparity-recorded", "node=node.jsonl")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*node.jsonl:2: /vector: *", "*node.jsonl:3: *line 1*again*"])


@pytest.mark.parametrize("given", ["node.jsonl", "=node.jsonl", "node="])
def test_a_name_and_a_file_are_needed(project: Any, given: str) -> None:
    result = project.run("--ffparity-recorded", given)
    assert result.ret == 4
    result.stderr.fnmatch_lines([f"*--ffparity-recorded: expected NAME=FILE, found '{given}'*"])


def test_captured_users_go_by_pseudonyms(project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FFPARITY_PSEUDONYM_KEY", "kept by the team")
    project.conftest(
        """
class Partial(Toy):
    async def evaluate(self, request):
        user = request["headers"]["X-FF-User"]
        return {"answer": user if user.endswith("7@example.org") else "x", "by": self.name}

class Whole(Toy):
    async def evaluate(self, request):
        return {"answer": "x", "by": self.name}

@pytest.fixture(scope="session")
def ffparity_paths():
    return [Whole("old"), Partial("new")]
"""
    )
    lines = [
        {"id": f"of u-{n}@example.org", "request": {"headers": {"X-FF-User": f"u-{n}@example.org"}}}
        for n in range(50)
    ]
    (project.root / "vectors/capture.jsonl").write_text("\n".join(map(json.dumps, lines)))
    vector = {"id": "USERS", "title": "t", "cases_file": "capture.jsonl"}
    project.write("parity_test_matrix.json", {"schema_version": "1", "vectors": [vector]})
    texts = []
    for args in ([], ["-n", "2"]):
        result = project.run("--ffparity-save=found", *args)
        assert result.ret == 1
        saved = "".join(p.read_text() for p in (project.root / "found").glob("*"))
        report = (project.root / "report.json").read_text()
        shown = result.stdout.str() + report + saved
        assert "example.org" not in shown
        texts.append(json.loads(report)["vectors"][0]["divergences"])
    assert texts[0] == texts[1]
    (diverged,) = texts[0]
    assert diverged["count"] == 5
    assert diverged["case"].startswith("of user-")
    result = project.run("--ffparity-show-users")
    result.stdout.fnmatch_lines(["*u-7@example.org*"])


def test_a_report_tells_what_a_recording_held(project: Any) -> None:
    told = []
    for answer in ("V-3", "else"):
        record(project, decided("V-1"), decided("V-2"), decided("V-3", answer))
        project.run("--ffparity-recorded", "node=node.jsonl")
        told.append(project.report()["header"]["made_by"])
    assert told[0] != told[1]
    assert str(project.root) not in told[0]
    assert told[0].startswith("old: conftest.Toy (conftest.py ")
