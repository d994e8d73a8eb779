from __future__ import annotations

from typing import Any

import pytest

LOSES_ONE = """
sessions = []
def pytest_collection_modifyitems(session, items):
    del items[0]
    sessions.append(session)
"""

# What a conftest can do to the status of a run that is not go.
WAYS_OUT = {
    "a command that does nothing": """
def pytest_cmdline_main(config):
    return 0
""",
    "a command made harmless": """
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config):
    yield
    return 0
""",
    "the option taken back": """
def pytest_configure(config):
    config.option.ffparity = False
def pytest_sessionfinish(session):
    session.exitstatus = 0
""",
    "the gate taken out": """
def pytest_sessionstart(session):
    session.config.pluginmanager.unregister(name="ffparity-gate")
""",
    "a status that the system cuts to 0": """
@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    session.exitstatus = 256
""",
    "no status": """
@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    session.exitstatus = None
""",
    "a status set last": """
@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    sessions[0].exitstatus = 0
""",
    "a status set by a cleanup": """
def pytest_configure(config):
    config.add_cleanup(lambda: setattr(sessions[0], "exitstatus", 0))
""",
    "an exit at the end": """
def pytest_unconfigure(config):
    raise SystemExit(0)
""",
    "an exit at the start": "raise SystemExit(0)\n",
    "a collection without a run": """
def pytest_configure(config):
    config.option.collectonly = True
""",
}


@pytest.mark.parametrize("way", WAYS_OUT)
def test_no_conftest_makes_a_run_that_is_not_go_exit_0(project: Any, way: str) -> None:
    project.conftest(LOSES_ONE + WAYS_OUT[way])
    assert project.run().ret not in (0, None)
    assert project.report()["verdict"] == "incomplete"


@pytest.mark.parametrize(
    "addopts", ["--co", "--collect-only", "--help", "--markers", "--fixtures", "--setup-plan"]
)
def test_addopts_that_run_nothing_are_no_purpose(project: Any, addopts: str) -> None:
    project.ini(f"addopts = {addopts}\n")
    assert project.run().ret == 1
    assert project.report()["verdict"] == "incomplete"


@pytest.mark.parametrize("asked", ["--co", "--help", "--markers", "--fixtures", "--version"])
def test_a_question_that_runs_nothing_exits_0_without_verdict(project: Any, asked: str) -> None:
    result = project.run(asked)
    assert result.ret == 0
    assert "verdict  " not in result.stdout.str()
    assert not (project.root / "report.json").exists()


def test_the_value_of_an_option_is_no_node_id(project: Any) -> None:
    project.conftest(
        """
@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path):
    found = yield
    return [] if file_path.name == "more.json" else found
"""
    )
    project.vectors("W-1", name="more.json")
    project.ini("ffparity_vectors = vectors/parity_test_matrix.json vectors/more.json\n")
    result = project.run("--ffparity-dsn", "postgres://me@[::1]/db")
    assert result.ret != 0
    assert project.report()["reasons"]["narrowed"] == []
