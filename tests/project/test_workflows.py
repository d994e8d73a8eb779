from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TOOLS = Path(sys.executable).parent
# The required checks: workflow and the job that takes nothing but success from all the others.
AGGREGATES = ["parity", "ci"]


def jobs(workflow: str) -> dict[str, Any]:
    text = (ROOT / ".github" / "workflows" / f"{workflow}.yml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = YAML(typ="safe").load(text)["jobs"]
    return loaded


def tool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [TOOLS / arguments[0], *arguments[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_three_workflows_stand() -> None:
    assert [path.stem for path in WORKFLOWS] == ["ci", "nightly", "parity"]


def test_zizmor_finds_nothing() -> None:
    run = tool("zizmor", "--offline", "--persona", "pedantic", "--no-progress", *WORKFLOWS)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stderr.count("completed") == len(WORKFLOWS), run.stderr


def test_workflows_are_what_the_service_reads() -> None:
    run = tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_workflow_that_the_documentation_offers_is_as_sound(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    offered = text.partition("```yaml\n")[2].partition("```")[0]
    assert offered.startswith("name: parity\n")
    workflow = tmp_path / ".github" / "workflows" / "parity.yml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text(offered, encoding="utf-8")
    zizmor = tool("zizmor", "--offline", "--persona", "pedantic", "--no-progress", workflow)
    assert zizmor.returncode == 0, zizmor.stdout + zizmor.stderr
    schema = tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", workflow)
    assert schema.returncode == 0, schema.stdout + schema.stderr
    own = (ROOT / ".github" / "workflows" / "parity.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"uses: .*", offered)) == set(re.findall(r"uses: .*", own))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_pinned_by_commit_with_its_version_beside_it(path: Path) -> None:
    uses = re.findall(r"uses: (.*)", path.read_text(encoding="utf-8"))
    assert uses
    for use in uses:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use), use


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_nothing_is_allowed_to_the_token_but_reading(path: Path) -> None:
    workflow = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        assert job.get("permissions", {}) in ({}, {"contents": "read"}), name
        assert job["timeout-minutes"] <= 60, name


@pytest.mark.parametrize("name", AGGREGATES)
def test_the_required_check_needs_every_other_job_and_always_runs(name: str) -> None:
    every = jobs(name)
    assert set(every[name]["needs"]) == set(every) - {name}
    assert every[name]["if"] == "always()"


@pytest.mark.parametrize("name", AGGREGATES)
@pytest.mark.parametrize(
    ("results", "status"),
    [
        (["success", "success"], 0),
        (["success", "failure"], 1),
        (["skipped", "success"], 1),
        (["success", "cancelled"], 1),
        ([], 1),
    ],
)
def test_the_required_check_takes_nothing_but_success(
    name: str, results: list[str], status: int
) -> None:
    (step,) = jobs(name)[name]["steps"]
    assert step["shell"] == "python"
    needs = {f"job-{number}": {"result": result} for number, result in enumerate(results)}
    run = subprocess.run(
        [sys.executable, "-c", step["run"]],
        env={**os.environ, "NEEDS": json.dumps(needs)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == status, run.stdout + run.stderr


@pytest.mark.parametrize("job", ["embedded", "postgres-service"])
def test_both_servers_pass_the_same_gate_and_keep_the_report(job: str) -> None:
    steps = jobs("parity")[job]["steps"]
    gate = {"embedded": 'make parity BASELINE="$BASE"', "postgres-service": "make parity"}
    assert [step["run"] for step in steps if "run" in step] == [gate[job]]
    assert steps[-1]["if"] == "always()"
    assert steps[-1]["with"]["if-no-files-found"] == "error"


def test_a_pull_request_is_held_against_what_it_would_change() -> None:
    checkout, *_, gate, _ = jobs("parity")["embedded"]["steps"]
    assert checkout["with"]["fetch-depth"] == 0
    assert gate["env"] == {"BASE": "${{ github.event.pull_request.base.sha }}"}


def test_only_the_service_job_has_a_dsn() -> None:
    every = jobs("parity")
    assert "FFPARITY_DSN" in every["postgres-service"]["env"]
    assert "env" not in every["embedded"]


@pytest.mark.parametrize(
    ("failing", "called"),
    [
        ("", ["test", "parity", "browser"]),
        ("test", ["test"]),
        ("parity", ["test", "parity"]),
        ("browser", ["test", "parity", "browser"]),
    ],
)
def test_ci_run_calls_its_commands_and_passes_a_failure_on(
    tmp_path: Path, failing: str, called: list[str]
) -> None:
    calls = tmp_path / "calls"
    stub = tmp_path / "make"
    stub.write_text(
        f'#!/bin/sh\necho "$@" >>"{calls}"\n[ "$1" != "{failing}" ]\n', encoding="utf-8"
    )
    stub.chmod(0o755)
    # There is a browser, so that none is installed.
    (tmp_path / "chromium").symlink_to(stub)
    run = subprocess.run(
        ["bash", ROOT / ".ci" / "run"],
        env={**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert calls.read_text(encoding="utf-8").split() == called
    assert (run.returncode == 0) is (not failing)
