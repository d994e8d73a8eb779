from __future__ import annotations

import json
from typing import Any

import pytest


def test_all_vectors_agreeing_is_go(project: Any) -> None:
    result = project.run()
    assert result.ret == 0
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["*verdict  GO  V 3 of 3*"])
    report = project.report()
    assert next(iter(report)) == "header"
    assert list(report)[-1] == "footer"
    assert report["verdict"] == "go"
    assert [v["outcome"] for v in report["vectors"]] == ["passed"] * 3
    assert report["vectors"][0]["paths"]["new"]["decision"] == {"answer": "V-1", "by": "new"}


def test_a_divergence_is_blocked_and_names_field_row_and_both_values(project: Any) -> None:
    project.conftest(
        """
class Wrong(Toy):
    async def evaluate(self, request):
        return {"answer": 1, "by": self.name} if request["ask"] == "V-2" else await super().evaluate(request)

@pytest.fixture(scope="session")
def ffparity_paths():
    return [Toy("old"), Wrong("new")]
"""
    )
    result = project.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "*/answer  R-1 MUST_MATCH*",
            '*expected  "V-2"*',
            '*old       "V-2"*',
            "*new       1*",
            "*^ new misses the expectation*",
            "*^ new differs from old*",
            "*verdict  BLOCKED*",
            "*V-2: R-1 broken at /answer*",
        ]
    )
    report = project.report()
    assert report["verdict"] == "blocked"
    (divergence,) = report["vectors"][1]["divergences"]
    assert (divergence["field"], divergence["rule"]) == ("/answer", "R-1")


def test_agreeing_on_a_wrong_answer_is_blocked(project: Any) -> None:
    project.vectors("V-1", **{"V-1": "something else"})
    result = project.run()
    assert result.ret == 1
    assert project.report()["verdict"] == "blocked"


def test_a_path_that_raises_is_blocked_and_its_secrets_stay_hidden(project: Any) -> None:
    project.conftest(
        """
class Broken(Toy):
    async def evaluate(self, request):
        raise RuntimeError("no route to postgres://me:hunter2@db/x with Bearer abc.def")

@pytest.fixture(scope="session")
def ffparity_paths():
    return [Toy("old"), Broken("new")]
"""
    )
    result = project.run()
    assert result.ret == 1
    text = result.stdout.str() + json.dumps(project.report())
    assert "no route to postgres://me:***@db/x" in text
    assert "hunter2" not in text
    assert "abc.def" not in text
    assert project.report()["verdict"] == "blocked"


def test_a_path_that_hangs_is_blocked(project: Any) -> None:
    project.ini("ffparity_deadline = 0.2\n")
    project.conftest(
        """
import asyncio
class Hanging(Toy):
    async def evaluate(self, request):
        await asyncio.sleep(3600)

@pytest.fixture(scope="session")
def ffparity_paths():
    return [Toy("old"), Hanging("new")]
"""
    )
    result = project.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*new raised*did not evaluate within 0.2 s*"])


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("None", "gave None, expected a Decision or a mapping"),
        ("{'answer': float('nan'), 'by': 'new'}", "NaN and infinities are no JSON numbers"),
        ("{'answer': {1, 2}, 'by': 'new'}", "a set is no JSON value"),
    ],
)
def test_an_answer_that_is_no_json_is_blocked(project: Any, answer: str, told: str) -> None:
    project.conftest(
        f"""
class Odd(Toy):
    async def evaluate(self, request):
        return {answer}

@pytest.fixture(scope="session")
def ffparity_paths():
    return [Toy("old"), Odd("new")]
"""
    )
    result = project.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines([f"*{told}*"])


@pytest.mark.parametrize(
    ("paths", "told"),
    [
        ("[Toy('old')]", "two or more paths"),
        ("[Toy('old'), Toy('old')]", "no two paths may share a name"),
        ("[Toy('old'), object()]", "object is no path"),
        ("None", "must give a list of paths"),
    ],
)
def test_paths_that_prove_nothing_are_never_go(project: Any, paths: str, told: str) -> None:
    project.conftest(
        f"""
@pytest.fixture(scope="session")
def ffparity_paths():
    return {paths}
"""
    )
    result = project.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines([f"*{told}*", "*verdict  INCOMPLETE*"])


def test_three_paths_are_compared_and_closed(project: Any) -> None:
    project.conftest(
        """
class Closing(Toy):
    async def close(self):
        open("closed.txt", "a").write(self.name + " ")

@pytest.fixture(scope="session")
def ffparity_paths():
    return [Closing("old"), Closing("new"), Closing("third")]
"""
    )
    assert project.run().ret == 0
    assert (project.root / "closed.txt").read_text() == "old new third "
    assert [p["name"] for p in project.report()["header"]["paths"]] == ["old", "new", "third"]


def test_a_required_vector_in_no_file_is_incomplete(project: Any) -> None:
    project.matrix(required=["V-1", "V-9"])
    result = project.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*INCOMPLETE*", "*V-9: required by the matrix*"])


def test_the_same_id_in_two_files_is_incomplete(project: Any) -> None:
    project.vectors("V-1", name="more.json")
    project.ini("ffparity_vectors = vectors/parity_test_matrix.json vectors/more.json\n")
    result = project.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*V-1: declared in more than one file*"])


def test_two_files_are_judged_and_counted_by_their_prefix(project: Any) -> None:
    project.vectors("W-1", "W-2", name="more.json")
    project.ini("ffparity_vectors = vectors/parity_test_matrix.json vectors/more.json\n")
    result = project.run()
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*GO  V 3 of 3 · W 2 of 2*"])


def test_a_broken_file_fails_alone_and_the_others_still_run(project: Any) -> None:
    project.write(
        "broken.json",
        {"schema_version": "1", "vectors": [{"id": "X-1", "title": "x", "requst": {}}]},
    )
    project.ini("ffparity_vectors = vectors/broken.json vectors/parity_test_matrix.json\n")
    result = project.run()
    assert result.ret == 1
    result.assert_outcomes(passed=3, errors=1)
    result.stdout.fnmatch_lines(["*broken.json:*/vectors/0/requst*request*"])
    assert project.report()["verdict"] == "incomplete"


def test_an_expectation_that_lacks_a_must_match_field_is_an_error(project: Any) -> None:
    vector = {"id": "V-1", "title": "x", "request": {"ask": 1}, "expected": {}}
    project.write("parity_test_matrix.json", {"schema_version": "1", "vectors": [vector]})
    result = project.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*/vectors/0/expected/answer*R-1 says MUST_MATCH*"])


def test_without_the_option_nothing_is_collected_or_imported(project: Any) -> None:
    (project.root / "test_x.py").write_text(
        "import sys\n"
        "def test_x():\n"
        "    heavy = {'asyncpg', 'httpx', 'cryptography', 'jwt', 'alembic', 'deepdiff', 'msgspec'}\n"
        "    assert not heavy & set(sys.modules)\n"
    )
    result = project.pytester.runpytest_subprocess("vectors", "test_x.py")
    result.assert_outcomes(passed=1)
    assert "ffparity:" not in result.stdout.str()


def test_collect_only_lists_ids_and_gives_no_verdict(project: Any) -> None:
    result = project.run("--co", "-q")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["vectors/parity_test_matrix.json::V-2"])
    assert "verdict" not in result.stdout.str()
    assert not (project.root / "report.json").exists()


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["one process", "two workers"])
def test_what_fails_beside_the_vectors_is_counted_once(project: Any, workers: list[str]) -> None:
    project.pytester.makepyfile(
        test_own="def test_a(): assert 0\ndef test_b(): pass\n", test_broken="import nowhere"
    )
    result = project.run(".", *workers)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["verdict  GO  V 3 of 3", "         failed beside the vectors: 2;*"]
    )
    footer = project.report()["footer"]
    assert (footer["verdict"], footer["exit_status"], footer["failed_beside"]) == ("go", 1, 2)
