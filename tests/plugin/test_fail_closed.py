from __future__ import annotations

from typing import Any

import pytest

# What a conftest can do to a run; each leaves pytest itself content.
TRICKS = {
    "an item removed": """
def pytest_collection_modifyitems(items):
    del items[1]
""",
    "an item deselected": """
def pytest_collection_modifyitems(config, items):
    config.hook.pytest_deselected(items=[items.pop(1)])
""",
    "an item listed twice": """
def pytest_collection_modifyitems(items):
    items.append(items[1])
""",
    "a protocol that does nothing": """
def pytest_runtest_protocol(item):
    return True if item.name == "V-2" else None
""",
    "a call that does nothing": """
def pytest_pyfunc_call(pyfuncitem):
    return True if pyfuncitem.name == "V-2" else None
""",
    "a lax xfail": """
def pytest_collection_modifyitems(items):
    items[1].add_marker(pytest.mark.xfail(strict=False))
""",
    "a skip": """
def pytest_collection_modifyitems(items):
    items[1].add_marker(pytest.mark.skip(reason="flaky"))
""",
    "a file ignored": """
@pytest.hookimpl(wrapper=True)
def pytest_collect_file():
    yield
    return []
""",
    "a judgement dropped": """
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_logreport(report):
    report.ffparity_judgements = []
    return (yield)
""",
    "a session that stops early": """
def pytest_runtest_teardown(item):
    item.session.shouldstop = "enough"
""",
    "an exit with status 0": """
def pytest_runtest_teardown(item):
    pytest.exit("enough", returncode=0)
""",
    "a status made harmless": """
def pytest_collection_modifyitems(items):
    del items[1]
@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    session.exitstatus = 0
def pytest_unconfigure(config):
    pass
""",
    "a vector changed in memory": """
def pytest_collection_modifyitems(items):
    import msgspec
    item = items[1]
    item.vector = msgspec.structs.replace(item.vector, request={"ask": "V-1"})
    item.obj = items[0].obj
""",
}


@pytest.mark.parametrize("trick", TRICKS)
def test_what_a_conftest_takes_away_is_incomplete(project: Any, trick: str) -> None:
    project.conftest(TRICKS[trick])
    result = project.run()
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*verdict  INCOMPLETE*"])
    assert project.report()["verdict"] == "incomplete"
    assert project.report()["footer"]["exit_status"] != 0


@pytest.mark.parametrize("trick", ["a judgement dropped", "a lax xfail", "an item removed"])
def test_the_same_holds_on_workers(project: Any, trick: str) -> None:
    project.conftest(TRICKS[trick])
    result = project.run("-n", "2")
    assert result.ret != 0
    assert project.report()["verdict"] == "incomplete"


SWALLOWED = {
    "an xfail": """
def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.xfail)
""",
    "a swallowed exception": """
@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    try:
        return (yield)
    except Exception:
        return True
""",
    "a report made green": """
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item, call):
    report = yield
    report.outcome = "passed"
    return report
""",
}


@pytest.mark.parametrize("trick", SWALLOWED)
def test_a_failed_judgement_that_is_swallowed_is_still_blocked(project: Any, trick: str) -> None:
    project.vectors("V-1", "V-2", **{"V-2": "else"})
    project.conftest(SWALLOWED[trick])
    result = project.run()
    assert result.ret == 1
    assert project.report()["verdict"] == "blocked"


def test_addopts_that_narrow_are_no_purpose(project: Any) -> None:
    project.ini("addopts = -k V-1\n")
    result = project.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*V-2, V-3: deselected, not by this command line*"])


def test_a_failure_in_any_attempt_blocks(project: Any) -> None:
    project.conftest(
        """
class Flaky(Toy):
    asked = 0
    async def evaluate(self, request):
        Flaky.asked += 1
        return {"answer": "odd" if Flaky.asked == 1 else request["ask"], "by": self.name}

@pytest.fixture(scope="session")
def ffparity_paths():
    return [Toy("old"), Flaky("new")]
"""
    )
    result = project.run("--reruns", "2")
    assert result.ret == 1
    result.assert_outcomes(passed=3)
    report = project.report()
    assert report["verdict"] == "blocked"
    assert report["vectors"][0]["judgements"] == 2


def test_blocked_wins_over_incomplete(project: Any) -> None:
    project.vectors("V-1", "V-2", **{"V-2": "else"})
    project.conftest("def pytest_collection_modifyitems(items):\n    del items[0]\n")
    project.run()
    assert project.report()["verdict"] == "blocked"
    assert any("V-1" in gap for gap in project.report()["reasons"]["gaps"])


def test_a_fixture_that_fails_is_incomplete_and_says_why(project: Any) -> None:
    project.conftest(
        """
@pytest.fixture(scope="session")
def ffparity_paths():
    raise RuntimeError("nobody home")
"""
    )
    result = project.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*nobody home*", "*verdict  INCOMPLETE*"])


def test_a_worker_killed_mid_run_is_incomplete(project: Any) -> None:
    project.vectors(*(f"V-{i}" for i in range(8)))
    project.conftest(
        """
import os, signal
class Deadly(Toy):
    async def evaluate(self, request):
        if request["ask"] == "V-5":
            os.kill(os.getpid(), signal.SIGKILL)
        return await super().evaluate(request)

@pytest.fixture(scope="session")
def ffparity_paths():
    return [Toy("old"), Deadly("new")]
"""
    )
    result = project.run("-n", "2")
    assert result.ret != 0
    report = project.report()
    assert report["verdict"] == "incomplete"
    assert any("died" in gap for gap in report["reasons"]["gaps"])
    assert [v["id"] for v in report["vectors"] if v["outcome"] == "missing"] == ["V-5"]


def test_other_tests_that_fail_fail_the_run_but_not_the_verdict(project: Any) -> None:
    (project.root / "test_x.py").write_text("def test_x():\n    assert False\n")
    result = project.run("vectors/parity_test_matrix.json", "test_x.py")
    assert result.ret == 1
    assert project.report()["verdict"] == "go"


def test_a_path_argument_that_misses_the_vectors_is_incomplete(project: Any) -> None:
    (project.root / "test_x.py").write_text("def test_x():\n    pass\n")
    result = project.run("test_x.py")
    assert result.ret == 1
    assert project.report()["verdict"] == "incomplete"
