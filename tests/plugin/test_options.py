from __future__ import annotations

from typing import Any

import pytest

NARROWING = [
    ["-k", "V-1"],
    ["-kV-1"],
    ["-m", "not ffparity"],
    ["--deselect", "vectors/parity_test_matrix.json::V-2"],
    ["vectors/parity_test_matrix.json::V-3"],
]


@pytest.mark.parametrize("args", NARROWING, ids=" ".join)
def test_a_run_narrowed_on_purpose_exits_by_its_tests(project: Any, args: list[str]) -> None:
    result = project.run(*args)
    assert result.ret in (0, 5)
    result.stdout.fnmatch_lines(["*INCOMPLETE*", "*this is no gate run*"])
    assert project.report()["gate_run"] is False


@pytest.mark.parametrize("args", NARROWING, ids=" ".join)
def test_require_go_takes_no_narrowed_run(project: Any, args: list[str]) -> None:
    assert project.run("--ffparity-require-go", *args).ret == 1


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["one", "two"])
def test_last_failed_runs_what_failed(project: Any, workers: list[str]) -> None:
    project.vectors("V-1", "V-2", "V-3", **{"V-2": "else"})
    assert project.run(*workers).ret == 1
    project.vectors("V-1", "V-2", "V-3")
    result = project.run("--lf", *workers)
    assert result.ret == 0
    result.assert_outcomes(passed=1)
    assert set(project.report()["reasons"]["narrowed"]) == {
        "vectors/parity_test_matrix.json::V-1",
        "vectors/parity_test_matrix.json::V-3",
    }


def test_stepwise_goes_on_where_it_stopped(project: Any) -> None:
    project.vectors("V-1", "V-2", "V-3", **{"V-2": "else"})
    assert project.run("--sw").ret != 0
    project.vectors("V-1", "V-2", "V-3")
    result = project.run("--sw")
    assert result.ret == 0
    result.assert_outcomes(passed=2, deselected=1)


def test_a_narrowed_run_that_loses_something_else_is_not_excused(project: Any) -> None:
    project.conftest("def pytest_collection_modifyitems(items):\n    del items[0]\n")
    assert project.run("-k", "V-1 or V-2").ret == 1


def test_two_workers_say_what_one_process_says(project: Any) -> None:
    project.vectors("V-1", "V-2", "V-3", **{"V-2": "else"})
    assert project.run("-n", "0").ret == 1
    one = project.report()
    result = project.run("-n", "2")
    assert result.ret == 1
    result.stdout.fnmatch_lines(['*new       "V-2"*', "*verdict  BLOCKED  V 2 of 3*"])
    assert "without a verdict" not in result.stderr.str()
    two = project.report()
    assert two["header"]["workers"] == 2
    for report in (one, two):
        report["header"].pop("workers")
        for part in [report["header"], report["footer"]]:
            part.pop("timing")
        for vector in report["vectors"]:
            vector.pop("worker")
            for path in vector["paths"].values():
                path.pop("timing")
    assert one == two


@pytest.mark.parametrize(
    "without", ["xdist", "terminal", "cacheprovider", "rerunfailures", "benchmark", "capture"]
)
def test_the_gate_does_without_other_plugins(project: Any, without: str) -> None:
    result = project.run("-p", f"no:{without}")
    assert result.ret == 0
    assert "verdict  GO" in result.stdout.str() + result.stderr.str()
    assert project.report()["verdict"] == "go"


def test_options_override_the_ini_file(project: Any) -> None:
    project.vectors("W-1", name="mine.json")
    project.matrix(required=["W-1"], name="mine_matrix.json")
    result = project.run(
        "--ffparity-vectors=vectors/mine.json", "--ffparity-matrix=vectors/mine_matrix.json"
    )
    assert result.ret == 0
    assert [v["id"] for v in project.report()["vectors"]] == ["W-1"]
    assert project.report()["header"]["matrix"]["file"] == "vectors/mine_matrix.json"


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--ffparity-vectors=nowhere.json"], "vector file not found*nowhere.json"),
        (["--ffparity-matrix=nowhere.json"], "nowhere.json*no such file"),
        (["-o", "ffparity_deadline=soon"], "ffparity_deadline: expected seconds"),
        (["--no-such-option"], "unrecognized arguments"),
    ],
)
def test_a_usage_error_leaves_a_report_that_says_incomplete(
    project: Any, args: list[str], told: str
) -> None:
    (project.root / "report.json").write_text('{"verdict": "go"}')
    result = project.run(*args)
    assert result.ret == 4
    result.stderr.fnmatch_lines([f"*{told}*"])
    report = project.report()
    assert report["verdict"] == "incomplete"
    assert list(report)[-1] == "footer"


def test_a_crash_leaves_a_report_that_says_incomplete(project: Any) -> None:
    project.conftest("import os\ndef pytest_runtest_teardown(item):\n    os._exit(0)\n")
    project.run()
    assert project.report()["verdict"] == "incomplete"


def test_an_internal_error_leaves_a_report_that_says_incomplete(project: Any) -> None:
    project.conftest("def pytest_runtest_logstart(nodeid):\n    raise RuntimeError('boom')\n")
    assert project.run().ret == 3
    assert project.report()["verdict"] == "incomplete"


def test_the_report_makes_its_folder(project: Any) -> None:
    assert project.run("--ffparity-report=deep/er/report.json").ret == 0
    assert (project.root / "deep/er/report.json").is_file()


def test_a_node_id_selects_one_vector(project: Any) -> None:
    result = project.run("vectors/parity_test_matrix.json::V-2", "-v")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["vectors/parity_test_matrix.json::V-2 PASSED*"])


def test_quiet_runs_still_give_the_verdict(project: Any) -> None:
    result = project.run("-q")
    result.stdout.fnmatch_lines(["verdict  GO*"])


def test_a_rootdir_that_moved_is_explained(project: Any, tmp_path_factory: Any) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "r.json").write_text("{}")
    result = project.pytester.runpytest_subprocess(
        "--ffparity", "--ffparity-report", str(elsewhere / "r.json")
    )
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*took*for the rootdir*--option=VALUE*"])


def test_an_evaluate_that_is_not_async_is_told_how_to_be(project: Any) -> None:
    project.conftest(
        """
class Plain(Toy):
    def evaluate(self, request):
        return {"answer": request["ask"], "by": self.name}

@pytest.fixture(scope="session")
def ffparity_paths():
    return [Toy("old"), Plain("new")]
"""
    )
    result = project.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*evaluate gave a dict at once: write it as `async def`*"])
