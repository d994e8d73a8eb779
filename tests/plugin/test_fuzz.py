"""Generated cases through the gate, on paths and a strategy of a user's own."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

CASES = """
from hypothesis import strategies as st

class Case:
    def __init__(self, world, requests):
        self.world, self.requests = world, requests

@pytest.fixture(scope="session")
def ffparity_cases():
    def cases(count):
        ask = st.fixed_dictionaries({"ask": st.integers(0, 1000), "more": st.booleans()})
        worlds = st.fixed_dictionaries({"flags": st.lists(st.integers(), max_size=5)})
        return st.builds(Case, worlds, st.lists(ask, min_size=count, max_size=count))
    return cases

class Faulty(Toy):
    async def evaluate(self, request):
        answer = await super().evaluate(request)
        if answer["answer"] > 900 and len(self.world["flags"]) > 1:
            return {**answer, "answer": -1}
        return answer
"""
BROKEN = """
@pytest.fixture(scope="session")
def ffparity_paths():
    return [Toy("old"), Faulty("new")]
"""


@pytest.mark.parametrize("workers", [[], ["-n", "2"], ["-p", "no:xdist"]], ids=" ".join)
def test_generated_cases_join_the_vectors(project: Any, workers: list[str]) -> None:
    project.conftest(CASES)
    result = project.run("--ffparity-fuzz", "600", "--ffparity-seed", "3", *workers)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "ffparity: *vectors declared: 3, decisions to generate: 600 (seed 3)",
            "fuzz     600 decisions generated; again: pytest --ffparity-fuzz 600 --ffparity-seed 3",
            "... and 3 more, 6 of all passed",
            "verdict  GO  V 3 of 3",
        ]
    )
    report = project.report()
    drawn = {"decisions": 600, "seed": 3, "command": "pytest"}
    assert report["header"]["generated"] == drawn
    shares = [v for v in report["vectors"] if v["id"].startswith("fuzz-")]
    assert [(v["id"], v["decisions"]) for v in shares] == [
        ("fuzz-1", 250),
        ("fuzz-2", 250),
        ("fuzz-3", 100),
    ]


@pytest.mark.parametrize("workers", [[], ["-n", "2"], ["-p", "no:xdist"]], ids=" ".join)
def test_a_divergence_is_shrunk_saved_and_found_again(project: Any, workers: list[str]) -> None:
    project.conftest(CASES + BROKEN)
    found = ["--ffparity-save=found", "--ffparity-seed=3"]
    result = project.run("--ffparity-fuzz=1000", *found, *workers)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "    /answer  R-1 MUST_MATCH  * of 250 decisions: new differs from old",
            "smallest example  of decision *",
            "      flags  [[]0,0[]]",
            "      ask  *",
            "/answer  R-1 MUST_MATCH",
            "    new  *-1",
            "    again: pytest --ffparity-fuzz 250 --ffparity-seed *",
            "verdict  BLOCKED*",
        ]
    )
    examples = [e for v in project.report()["vectors"] for e in v["examples"]]
    assert all(set(e["requests"][0]) == {"ask"} for e in examples)
    # The command finds the same example, in a process of its own.
    *_, decisions, _, seed = examples[0]["again"].split()
    project.run("--ffparity-fuzz", decisions, "--ffparity-seed", seed)
    again = [e for v in project.report()["vectors"] for e in v["examples"]]
    assert (again[0]["world"], again[0]["requests"]) == (
        examples[0]["world"],
        examples[0]["requests"],
    )
    saved = examples[0]["saved"]
    assert project.run(f"--ffparity-vectors={saved}").ret == 1
    assert json.loads(Path(saved).read_text())["vectors"][0]["expected"].keys() == {"answer"}
    project.conftest("")
    assert project.run(f"--ffparity-vectors={saved}").ret == 0


def test_the_command_to_run_again_names_the_files_that_were_typed(project: Any) -> None:
    project.conftest(CASES + BROKEN)
    project.matrix(required=[], name="my own.json")
    typed = ["--ffparity-vectors=vectors/parity_test_matrix.json"]
    typed += ["--ffparity-matrix", "vectors/my own.json"]
    project.run("--ffparity-fuzz=250", "--ffparity-seed=3", *typed)
    examples = [e for v in project.report()["vectors"] for e in v["examples"]]
    assert examples[0]["again"] == (
        "pytest --ffparity-vectors=vectors/parity_test_matrix.json"
        " '--ffparity-matrix=vectors/my own.json' --ffparity-fuzz 250 --ffparity-seed 3"
    )
    _, *options = shlex.split(examples[0]["again"])
    assert project.run(*options).ret == 1
    assert project.report()["header"]["generated"]["seed"] == 3


def test_a_generator_that_no_path_understands_proves_nothing(project: Any) -> None:
    project.conftest(CASES.replace('"ask"', '"asked"'))
    result = project.run("--ffparity-fuzz=10")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*decision 1: no path takes it: KeyError: 'ask'*"])


def test_an_unstable_path_is_not_taken_for_a_divergence(project: Any) -> None:
    project.conftest(
        CASES
        + """
import itertools
class Shaky(Toy):
    count = itertools.count()
    async def evaluate(self, request):
        return {"answer": next(Shaky.count), "by": self.name}

@pytest.fixture(scope="session")
def ffparity_paths():
    return [Toy("old"), Shaky("new")]
"""
    )
    result = project.run("--ffparity-fuzz=50", "-k", "fuzz")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["new is unstable at /answer (R-1)*"])
    (share,) = [v for v in project.report()["vectors"] if v["id"] == "fuzz-1"]
    assert share["divergences"] == []


def test_the_option_alone_switches_the_gate_on(project: Any) -> None:
    project.conftest(CASES)
    result = project.pytester.runpytest_subprocess("--ffparity-fuzz=5", timeout=120)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["verdict  GO  V 3 of 3"])


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--ffparity-fuzz=-1"], "*--ffparity-fuzz: expected a number from 0 up, found -1*"),
        (["--ffparity-seed=-1"], "*--ffparity-seed: expected a number from 0 up, found -1*"),
        (["--ffparity-fuzz=many"], "*invalid int value: 'many'*"),
    ],
    ids=["fewer than none", "a seed below 0", "no number"],
)
def test_numbers_that_make_no_sense(project: Any, args: list[str], told: str) -> None:
    result = project.run(*args)
    assert result.ret == 4
    result.stderr.fnmatch_lines([told])


def test_a_lost_share_is_not_a_pass(project: Any) -> None:
    project.conftest(
        CASES
        + "def pytest_collection_modifyitems(items):\n"
        + "    items[:] = [i for i in items if i.name != 'fuzz-2']\n"
    )
    result = project.run("--ffparity-fuzz=600")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["verdict  INCOMPLETE*", "*fuzz-2: removed from the run*"])
