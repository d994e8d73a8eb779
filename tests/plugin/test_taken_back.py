"""What was asked for on the command line is not taken back by a conftest, nor by a second one."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize(
    ("name", "value", "typed"),
    [
        ("ffparity_require_go", "False", "--ffparity-require-go"),
        ("ffparity_fuzz", "0", "--ffparity-fuzz=10"),
        ("ffparity_selftest", "False", "--ffparity-selftest"),
        ("ffparity_baseline", "None", "--ffparity-baseline=HEAD"),
        ("ffparity_matrix", "'alt.json'", "--ffparity-matrix=vectors/cutover_parity_matrix.json"),
    ],
)
def test_a_conftest_that_takes_an_option_back_stops_the_run(
    project: Any, name: str, value: str, typed: str
) -> None:
    project.conftest(f"def pytest_configure(config):\n    config.option.{name} = {value}\n")
    result = project.run(typed)
    assert result.ret == 4
    option = name.replace("_", "-")
    result.stderr.fnmatch_lines([f"*--{option}: *was asked for, and a conftest or plugin made it*"])


ELSEWHERE = """
import pytest

class Other:
    def __init__(self, name):
        self.name = name
    async def evaluate(self, request):
        return {"answer": request["ask"], "by": self.name}

@pytest.fixture(scope="session")
def ffparity_paths():
    return [Other("old"), Other("new")]
"""


def test_two_workers_with_other_paths_of_the_same_names_are_not_go(project: Any) -> None:
    vectors = [{"id": "B-1", "title": "t", "request": {"ask": 1}, "expected": {"answer": 1}}]
    project.vectors("A-1")
    project.write("../sub/b.json", {"schema_version": "1", "vectors": vectors})
    (project.root / "sub/conftest.py").write_text(ELSEWHERE)
    named = ["--ffparity-vectors=vectors/parity_test_matrix.json", "--ffparity-vectors=sub/b.json"]
    result = project.run(*named, "-n", "2", "--dist", "loadfile")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["verdict  INCOMPLETE*", "*of several classes*"])


def test_files_on_the_command_line_and_generated_cases_can_be_go(project: Any) -> None:
    project.conftest(
        """
from hypothesis import strategies as st

class Case:
    def __init__(self, number, count):
        self.world, self.requests = {}, [{"ask": number}] * count

@pytest.fixture(scope="session")
def ffparity_cases():
    return lambda count: st.integers(0, 10**6).map(lambda number: Case(number, count))
"""
    )
    file = "vectors/parity_test_matrix.json"
    assert project.run("--ffparity-fuzz=20", "--ffparity-require-go", file).ret == 0


def test_another_seed_draws_another_first_world() -> None:
    from pytest_ffparity.paths.generated import cases  # noqa: PLC0415
    from pytest_ffparity.plugin.drawing import drawn  # noqa: PLC0415

    worlds = [drawn(cases(1), seed, 1)[0].world for seed in (1, 2, 999)]
    assert worlds[0] != worlds[1] != worlds[2]
    assert drawn(cases(1), 2, 1)[0].world == worlds[1]
