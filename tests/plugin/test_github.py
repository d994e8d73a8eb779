from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

WRONG = """
class Wrong(Toy):
    async def evaluate(self, request):
        return {"answer": 1, "by": self.name} if request["ask"] == "V-2" else await super().evaluate(request)

@pytest.fixture(scope="session")
def ffparity_paths():
    return [Toy("old"), Wrong("new")]
"""
WORKERS = pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "two workers"])


@pytest.fixture
def step(project: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put the run into a step of a workflow, in a folder of the repository; give its summary."""
    file: Path = project.root / "step_summary"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
    monkeypatch.setenv("GITHUB_WORKSPACE", str(project.root.parent))
    return file


def commands(result: pytest.RunResult) -> list[str]:
    return [line for line in result.outlines if line.startswith("::")]


def line_of(project: Any, name: str, id_: str) -> int:
    """Where a vector begins in its file: the line before that of its id."""
    lines: list[str] = (project.root / "vectors" / name).read_text().splitlines()
    return lines.index(f'   "id": {json.dumps(id_)},')


@WORKERS
def test_a_failed_vector_is_annotated_once_and_summed_up_once(
    project: Any, step: Path, workers: tuple[str, ...]
) -> None:
    project.conftest(WRONG)
    result = project.run(*workers)
    assert result.ret == 1
    (told,) = commands(result)
    place = f"{project.root.name}/vectors/parity_test_matrix.json"
    line = line_of(project, "parity_test_matrix.json", "V-2")
    assert told == (
        f"::error file={place},line={line},title=V-2%3A failed::V-2: 1 field diverges (R-1)"
        '%0A/answer: expected "V-2", old "V-2", new 1'
    )
    text = step.read_text("utf-8")
    assert text.count("## ffparity: ❌ BLOCKED · V 2 of 3") == 1
    assert '| `V-2` | `R-1 MUST_MATCH` | `/answer` | `"V-2"` | `"V-2"` | ✗ `1` |' in text
    assert f"workers: {len(workers)}" in text


@WORKERS
def test_a_run_that_is_go_is_summed_up_without_annotations(
    project: Any, step: Path, workers: tuple[str, ...]
) -> None:
    step.write_text("the step before, without a line's end")
    result = project.run(*workers)
    assert result.ret == 0
    assert commands(result) == []
    before, *rest = step.read_text("utf-8").splitlines()
    assert before == "the step before, without a line's end"
    assert rest[0] == "## ffparity: ✅ GO · V 3 of 3"


def test_nothing_is_said_elsewhere(
    project: Any, step: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS")
    project.conftest(WRONG)
    assert commands(project.run()) == []
    assert not step.exists()


@pytest.mark.parametrize("switch", ["--collect-only", "--version"])
def test_nothing_is_said_where_nothing_runs(project: Any, step: Path, switch: str) -> None:
    assert commands(project.run(switch)) == []
    assert not step.exists()


def test_a_summary_that_cannot_be_written_is_told_and_fails_nothing(
    project: Any, step: Path
) -> None:
    step.mkdir()
    result = project.run()
    assert result.ret == 0
    result.stdout.fnmatch_lines(["ffparity: can't write GITHUB_STEP_SUMMARY *: Is a directory"])


def test_without_a_summary_file_the_annotations_are_told(
    project: Any, step: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY")
    project.conftest(WRONG)
    assert len(commands(project.run())) == 1
    assert not step.exists()


def test_without_a_terminal_plugin_they_are_told_too(project: Any, step: Path) -> None:
    project.conftest(WRONG)
    result = project.run("-p", "no:terminal")
    assert result.ret == 1
    assert len(commands(result)) == 1
    assert "BLOCKED" in step.read_text("utf-8")


def test_a_required_vector_in_no_file_is_an_annotation_without_a_place(
    project: Any, step: Path
) -> None:
    project.matrix(required=["V-9"])
    result = project.run("-q")
    assert commands(result) == [
        "::error title=ffparity%3A incomplete::V-9: required by the matrix, but in no vector file"
    ]
    assert "❓ INCOMPLETE" in step.read_text("utf-8")


def test_a_skipped_vector_is_missing_at_its_line(project: Any, step: Path) -> None:
    project.conftest(
        """
def pytest_collection_modifyitems(items):
    items[1].add_marker(pytest.mark.skip(reason="flaky"))
"""
    )
    (told,) = commands(project.run())
    line = line_of(project, "parity_test_matrix.json", "V-2")
    assert told.endswith(f"parity_test_matrix.json,line={line},title=V-2%3A missing::skipped")
    assert "| `V-2` |  | no judgement on record |" in step.read_text("utf-8")


def test_a_project_outside_the_workspace_is_named_whole(
    project: Any, step: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(step / "elsewhere"))
    project.conftest(WRONG)
    (told,) = commands(project.run())
    assert f"file={project.root.as_posix()}/vectors/parity_test_matrix.json,line=" in told


@pytest.mark.usefixtures("step")
def test_a_file_that_can_not_be_read_is_annotated_where_it_is_wrong(project: Any) -> None:
    text = '{"schema_version": "1",\n "vectors": [\n  {"id": "V-7", "title": "t"}\n]}\n'
    (project.root / "vectors" / "broken.json").write_text(text)
    project.ini("ffparity_vectors = vectors/broken.json vectors/parity_test_matrix.json\n")
    assert project.run().ret == 1
    (told,) = [each for each in commands(project.run()) if "broken.json" in each]
    assert told.startswith(f"::error file={project.root.name}/vectors/broken.json,line=3,")
    assert "::none of its vectors was run, problems: " in told
