"""What asks less than at a git revision blocks, unless somebody answers for it."""

from __future__ import annotations

import os
import subprocess
from typing import Any

import pytest

NOBODY = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


def git(project: Any, *args: str) -> None:
    named = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *args]
    subprocess.run(named, cwd=project.root, check=True, env={**os.environ, **NOBODY})


def commit(project: Any) -> None:
    """Commit all as it is, in a repository that is made where there is none."""
    git(project, "init", "-q")
    git(project, "add", ".")
    git(project, "commit", "-q", "-m", "as it is")


@pytest.fixture
def committed(project: Any) -> Any:
    project.matrix(required=["V-1", "V-2", "V-3"])
    commit(project)
    return project


def weakened_acknowledged_and_mended(project: Any) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """Commit an acknowledgement of a weakening that is there no more."""
    project.vectors("V-1", "V-2", "V-3", **{"V-3": "else"})
    project.run("--ffparity-baseline=HEAD")
    (change,) = project.report()["baseline"]["weakenings"]
    project.vectors("V-1", "V-2", "V-3")
    named = [{"change": change["id"], "who": "ada", "why": "T-7"}]
    project.write("acknowledged.json", {"schema_version": "1", "acknowledged": named})
    commit(project)
    return change, named


@pytest.mark.parametrize("workers", [[], ["-n", "2"], ["-p", "no:xdist"]], ids=" ".join)
def test_what_is_weakened_is_listed_and_blocks(committed: Any, workers: list[str]) -> None:
    committed.vectors("V-1", "V-2")
    committed.matrix(required=["V-1", "V-2"])
    result = committed.run("--ffparity-baseline=HEAD", *workers)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "baseline HEAD: weakened since: 2",
            "         - V-3: *removed*",
            "           to acknowledge: vector-removed V-3 *",
            "         - V-3: no longer required*",
            "verdict  BLOCKED  V 2 of 2",
            "         - weakened since HEAD: V-3: *",
        ]
    )
    assert committed.run(*workers).ret == 0


def test_nothing_weakened_is_go(committed: Any) -> None:
    committed.vectors("V-1", "V-2", "V-3", "V-4")
    result = committed.run("--ffparity-baseline=HEAD", "--ffparity-require-go")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["baseline HEAD: weakened since: nothing", "verdict  GO  V 4 of 4"])


def test_an_acknowledged_change_passes_and_is_told_with_its_owner(committed: Any) -> None:
    committed.vectors("V-1", "V-2", "V-3", **{"V-3": "else"})
    assert committed.run("--ffparity-baseline=HEAD").ret == 1
    changes = committed.report()["baseline"]["weakenings"]
    assert [change["who"] for change in changes] == [None]
    named = [{"change": c["id"], "who": "ada", "why": "T-7"} for c in changes]
    committed.write("acknowledged.json", {"schema_version": "1", "acknowledged": named})
    committed.conftest(
        """
@pytest.fixture(scope="session")
def ffparity_paths():
    class Other(Toy):
        async def evaluate(self, request):
            answer = await super().evaluate(request)
            return {**answer, "answer": answer["answer"].replace("V-3", "else")}
    return [Other("old"), Other("new")]
"""
    )
    result = committed.run("--ffparity-baseline=HEAD")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["         - V-3*(acknowledged by ada: T-7)", "verdict  GO*"])


def test_an_acknowledgement_covers_no_later_change(committed: Any) -> None:
    committed.vectors("V-1", "V-2", "V-3", **{"V-3": "else"})
    committed.run("--ffparity-baseline=HEAD")
    (change,) = committed.report()["baseline"]["weakenings"]
    named = [{"change": change["id"], "who": "ada", "why": "T-7"}]
    committed.write("acknowledged.json", {"schema_version": "1", "acknowledged": named})
    committed.vectors("V-1", "V-2", "V-3", **{"V-3": "another"})
    committed.run("--ffparity-baseline=HEAD")
    (later,) = committed.report()["baseline"]["weakenings"]
    assert later["who"] is None


@pytest.mark.parametrize(
    ("ref", "told"),
    [("nowhere", "*no such revision*"), ("--all", "*")],
    ids=["unknown", "an option"],
)
def test_a_revision_that_can_not_be_read_stops_the_run(committed: Any, ref: str, told: str) -> None:
    result = committed.run(f"--ffparity-baseline={ref}")
    assert result.ret == 4
    result.stderr.fnmatch_lines([f"ERROR: --ffparity-baseline: {told}"])


def test_blank_acknowledgements_stop_the_run(committed: Any) -> None:
    named = [{"change": "x", "who": " ", "why": "y"}]
    committed.write("acknowledged.json", {"schema_version": "1", "acknowledged": named})
    result = committed.run("--ffparity-baseline=HEAD")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*acknowledged.json:*/acknowledged/0/who*"])


def test_an_acknowledgement_that_the_baseline_holds_is_spent(committed: Any) -> None:
    change, _ = weakened_acknowledged_and_mended(committed)
    committed.vectors("V-1", "V-2", "V-3", **{"V-3": "else"})
    committed.run("--ffparity-baseline=HEAD")
    (again,) = committed.report()["baseline"]["weakenings"]
    assert (again["id"], again["who"]) == (change["id"], None)


def test_a_name_that_git_has_to_guess_at_stops_the_run(committed: Any) -> None:
    git(committed, "branch", "twice")
    git(committed, "tag", "twice")
    result = committed.run("--ffparity-baseline=twice")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*a branch and a tag have this name*"])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("ffparity_vectors = strict/v.json strict/w.json", "ffparity_vectors = strict/v.json"),
        ("ffparity_vectors = strict/v.json other/w.json", "ffparity_vectors = strict/v.json"),
    ],
    ids=["in the same folder", "in another"],
)
def test_a_vector_file_that_is_no_longer_named_is_seen(
    project: Any, before: str, after: str
) -> None:
    (project.root / "vectors" / "parity_test_matrix.json").unlink()
    for name in before.split()[2:]:
        (project.root / name).parent.mkdir(exist_ok=True)
        project.vectors(f"V-{name[-6]}", name=f"../{name}")
    project.ini(before)
    commit(project)
    assert project.run("--ffparity-baseline=HEAD").ret == 0
    project.ini(after)
    result = project.run("--ffparity-baseline=HEAD")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["         - V-w: *removed*", "verdict  BLOCKED  V 1 of 1"])


def test_another_matrix_that_was_always_there_is_held_against_the_one_in_force(
    project: Any,
) -> None:
    project.matrix(required=[], name="lax.json")
    project.matrix(required=["V-1"])
    commit(project)
    project.ini("ffparity_matrix = vectors/lax.json")
    result = project.run("--ffparity-baseline=HEAD")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["         - V-1: no longer required*"])


def test_other_waivers_that_were_always_there_are_new(project: Any) -> None:
    waived = {
        "vector": "V-1",
        "field": "/answer",
        "owner": "ada",
        "reason": "T-7",
        "expires": "2999-01-01",
    }
    project.write("put-by.json", {"schema_version": "1", "waivers": [waived]})
    commit(project)
    project.ini("ffparity_waivers = vectors/put-by.json")
    result = project.run("--ffparity-baseline=HEAD")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["         - *waive*V-1*/answer*"])


def test_answers_of_then_are_spent_under_any_name(committed: Any) -> None:
    change, named = weakened_acknowledged_and_mended(committed)
    committed.write("again.json", {"schema_version": "1", "acknowledged": named})
    committed.ini("ffparity_acknowledged = vectors/again.json")
    committed.vectors("V-1", "V-2", "V-3", **{"V-3": "else"})
    committed.run("--ffparity-baseline=HEAD")
    (again,) = committed.report()["baseline"]["weakenings"]
    assert (again["id"], again["who"]) == (change["id"], None)


def test_a_configuration_that_was_a_link_is_noted(committed: Any) -> None:
    (committed.root / "pytest.ini").symlink_to("tox.ini")
    commit(committed)
    result = committed.run("--ffparity-baseline=HEAD")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["         HEAD: pytest.ini: a symbolic link there, so what *"])


def test_a_matrix_in_force_that_was_a_link_stops_the_run(committed: Any) -> None:
    (committed.root / "strict.json").symlink_to("vectors/cutover_parity_matrix.json")
    committed.ini("ffparity_matrix = strict.json")
    commit(committed)
    committed.ini("")
    result = committed.run("--ffparity-baseline=HEAD")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*HEAD:strict.json: is a symbolic link there*"])


EASY = "--ffparity-vectors=easy/v.json --ffparity-matrix=easy/m.json"


def strict_and_easy(project: Any) -> None:
    project.matrix(required=["V-1"])
    (project.root / "easy").mkdir()
    project.matrix(required=[], name="../easy/m.json")
    project.vectors("V-9", name="../easy/v.json")


def test_addopts_are_no_command_line(project: Any) -> None:
    strict_and_easy(project)
    commit(project)
    project.ini(f"addopts = {EASY}")
    result = project.run("--ffparity-baseline=HEAD", "--ffparity-require-go")
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["         - V-1: *removed*", "         - V-1: no longer required*"]
    )
    project.ini("")
    assert project.run("--ffparity-baseline=HEAD", *EASY.split()).ret == 0


def test_addopts_of_then_count(project: Any) -> None:
    strict_and_easy(project)
    project.ini("ffparity_matrix = easy/m.json\naddopts = --ffparity-matrix=vectors/hard.json")
    project.matrix(required=["V-2"], name="hard.json")
    commit(project)
    project.ini("ffparity_matrix = easy/m.json")
    result = project.run("--ffparity-baseline=HEAD")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["         - V-2: no longer required*"])


def test_the_configuration_of_then_is_the_one_that_pytest_read(project: Any) -> None:
    strict_and_easy(project)
    ini = project.root / "pytest.ini"
    ini.write_text("[pytest]\nffparity_matrix = vectors/cutover_parity_matrix.json\n")
    project.ini("ffparity_matrix = easy/m.json")
    commit(project)
    assert project.run("--ffparity-baseline=HEAD").ret == 0
    ini.unlink()
    result = project.run("--ffparity-baseline=HEAD")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["         - V-1: no longer required*"])


def test_a_configuration_above_today_s_counts(project: Any) -> None:
    strict_and_easy(project)
    commit(project)
    below = project.root / "below"
    below.mkdir()
    (below / "pytest.ini").write_text(
        "[pytest]\nffparity_vectors = ../vectors/parity_test_matrix.json\n"
        "ffparity_matrix = ../easy/m.json\n"
    )
    (project.root / "conftest.py").rename(below / "conftest.py")
    result = project.run("--rootdir=below", "-c", "below/pytest.ini", "--ffparity-baseline=HEAD")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["         - V-1: no longer required*"])
