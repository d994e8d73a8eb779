from __future__ import annotations

import json
from typing import Any

import pytest

FLAKY = """
class Flaky(Toy):
    asked = 0
    async def evaluate(self, request):
        Flaky.asked += 1
        return {"answer": "odd" if Flaky.asked == 1 else request["ask"], "by": self.name}

@pytest.fixture(scope="session")
def ffparity_paths():
    return [Toy("old"), Flaky("new")]
"""

# As plugins do that try again without a word.
SILENT_RETRY = """
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):
    for _ in range(3):
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        if all(report.passed for report in reports):
            break
        item._initrequest()
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    return True
"""


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["one", "two"])
def test_an_attempt_that_nobody_reported_still_blocks(project: Any, workers: list[str]) -> None:
    project.conftest(FLAKY + SILENT_RETRY)
    assert project.run(*workers).ret == 1
    report = project.report()
    assert report["verdict"] == "blocked"
    assert max(v["judgements"] for v in report["vectors"]) == 2


def test_conftests_that_give_different_paths_are_not_mixed(project: Any) -> None:
    other = project.root / "other"
    other.mkdir()
    (other / "conftest.py").write_text(
        "import pytest\n"
        "@pytest.fixture(scope='session')\n"
        "def ffparity_paths(ffparity_paths):\n"
        "    return ffparity_paths[::-1]\n"
    )
    project.vectors("W-1", name="more.json")
    (project.root / "vectors/more.json").rename(other / "more.json")
    project.ini("ffparity_vectors = vectors/parity_test_matrix.json other/more.json\n")
    result = project.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*a run has one list of paths*"])
    assert project.report()["verdict"] == "incomplete"


def test_a_matrix_that_changes_under_the_run_is_not_judged_by(project: Any) -> None:
    lax = json.loads((project.root / "vectors/cutover_parity_matrix.json").read_text())
    lax["rows"][0]["rule"] = "MAY_DIFFER"
    (project.root / "lax.json").write_text(json.dumps(lax))
    project.conftest(
        """
import os, shutil
def pytest_sessionstart(session):
    if not hasattr(session.config, "workerinput"):
        shutil.copy("lax.json", "vectors/cutover_parity_matrix.json")
"""
    )
    assert project.run("-n", "2").ret != 0
    assert project.report()["verdict"] == "incomplete"


def test_a_failure_in_one_line_is_its_headline(project: Any) -> None:
    project.vectors("V-1", "V-2", **{"V-2": "else"})
    result = project.run("--tb=line")
    result.stdout.fnmatch_lines(["V-2: 1 field diverges (R-1)"])


def test_a_report_that_is_no_regular_file_is_refused(project: Any) -> None:
    result = project.run("--ffparity-report=/dev/null")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*--ffparity-report: /dev/null is no regular file*"])


def test_a_report_written_to_a_link_leaves_the_link(project: Any) -> None:
    (project.root / "link.json").symlink_to(project.root / "real.json")
    assert project.run("--ffparity-report=link.json").ret == 0
    assert (project.root / "link.json").is_symlink()
    assert json.loads((project.root / "real.json").read_text())["verdict"] == "go"


@pytest.mark.parametrize("change", [{"document": "audit"}, {"rule": "MAY_DIFFER"}], ids=str)
def test_a_matrix_that_demands_nothing_proves_nothing(project: Any, change: Any) -> None:
    path = project.root / "vectors/cutover_parity_matrix.json"
    matrix = json.loads(path.read_text())
    matrix["rows"][0].update(change)
    path.write_text(json.dumps(matrix))
    result = project.run()
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*no row for decisions says MUST_MATCH*"])
