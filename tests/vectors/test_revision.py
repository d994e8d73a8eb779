from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pytest_ffparity.errors import FFParityError
from pytest_ffparity.vectors import git_tree
from pytest_ffparity.vectors.errors import VectorFileError
from pytest_ffparity.vectors.git_tree import RevisionError
from pytest_ffparity.vectors.revision import read_standard_at
from pytest_ffparity.vectors.standard import Standard


@pytest.fixture(autouse=True)
def _only_the_tests_own_git(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    # A repository around the temporary folder is none of the tests'.
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


class Repository:
    """A repository of a gate's files."""

    def __init__(self, top: Path) -> None:
        self.top = top
        top.mkdir()
        git(top, "init", "--quiet", "--initial-branch=main")

    def write(self, name: str, document: Any) -> Path:
        path = self.top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = document if isinstance(document, str) else json.dumps(document)
        path.write_text(text, "utf-8")
        return path

    def commit(self) -> str:
        git(self.top, "add", "--all")
        git(self.top, "commit", "--quiet", "--allow-empty", "--message=so")
        return git(self.top, "rev-parse", "HEAD")

    def at(self, ref: str, *vectors: str, root: str = "", waivers: str | None = None) -> Standard:
        return read_standard_at(
            ref,
            self.top / root,
            [self.top / name for name in vectors or ("v/one.json",)],
            self.top / "v" / "matrix.json",
            None if waivers is None else self.top / waivers,
        )


def vectors(*names: str, **more: Any) -> dict[str, Any]:
    listed = [{"id": n, "title": "T", "request": n, "expected": {"a": 1}, **more} for n in names]
    return {"schema_version": "1", "vectors": listed}


def matrix(*required: str) -> dict[str, Any]:
    row = {"id": "R", "document": "decision", "fields": ["/a"], "rule": "MUST_MATCH", "why": "."}
    return {"schema_version": "1", "required": list(required), "rows": [row]}


def waivers(expires: str) -> dict[str, Any]:
    waiver = {"vector": "V-1", "field": "/a", "owner": "me", "reason": "so", "expires": expires}
    return {"schema_version": "1", "waivers": [waiver]}


def ids(standard: Standard) -> list[str]:
    return [vector.id for file in standard.files for vector in file.vectors]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository whose first commit holds one vector file and a matrix."""
    made = Repository(tmp_path / "repo")
    made.write("v/one.json", vectors("V-1", "V-2"))
    made.write("v/matrix.json", matrix("V-1"))
    made.commit()
    return made


def test_the_files_are_read_as_they_were(repository: Repository) -> None:
    repository.write("v/waivers.json", waivers("2027-01-31"))
    first = repository.commit()
    repository.write("v/one.json", vectors("V-2"))
    repository.write("v/matrix.json", matrix())
    repository.write("v/waivers.json", waivers("2028-01-31"))
    repository.commit()
    found = repository.at("main~1", waivers="v/waivers.json")
    assert ids(found) == ["V-1", "V-2"]
    assert found.matrix is not None
    assert found.matrix.required == ("V-1",)
    assert [w.expires.year for w in found.waivers] == [2027]
    assert (found.commit, found.notes) == (first, ())
    paths = [found.files[0].path, found.matrix.path]
    assert [path.name for path in paths] == ["one.json", "matrix.json"]
    assert all(path.exists() for path in paths)


def test_the_work_tree_and_the_index_do_not_count(repository: Repository) -> None:
    repository.write("v/one.json", vectors("V-3"))
    git(repository.top, "add", "--all")
    assert ids(repository.at("HEAD")) == ["V-1", "V-2"]


def test_the_root_may_be_a_folder_of_the_repository(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "repo")
    repository.write("sub/v/one.json", vectors("V-1"))
    repository.write("sub/v/matrix.json", matrix())
    repository.commit()
    root = repository.top / "sub"
    found = read_standard_at(
        "HEAD", root, [root / "v" / "one.json"], root / "v" / "matrix.json", None
    )
    assert ids(found) == ["V-1"]


def test_a_repository_behind_a_link_is_the_same(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(repository.top, target_is_directory=True)
    linked = tmp_path / "link" / "v"
    found = read_standard_at(
        "HEAD", repository.top, [linked / "one.json"], linked / "matrix.json", None
    )
    assert ids(found) == ["V-1", "V-2"]


def test_names_may_hold_blanks_quotes_and_any_letters(repository: Repository) -> None:
    name = 'v/ü "李" \t x.json'
    repository.write(name, vectors("V-3"))
    repository.commit()
    assert ids(repository.at("HEAD", name)) == ["V-3", "V-1", "V-2"]


@pytest.mark.parametrize("now", ["v/uno.json", "w/one.json"], ids=["renamed", "moved"])
def test_a_file_of_another_name_is_read_under_its_old_one(repository: Repository, now: str) -> None:
    (repository.top / now).parent.mkdir(exist_ok=True)
    (repository.top / "v" / "one.json").rename(repository.top / now)
    found = repository.at("HEAD", now)
    assert ids(found) == ["V-1", "V-2"]
    assert found.notes == (
        "HEAD: v/one.json: a vector file there that is none of this run's; its vectors count",
        f"HEAD: {now}: not there, so all that it holds is new",
    )


def test_a_whole_folder_of_another_name_is_read_under_its_old_one(repository: Repository) -> None:
    (repository.top / "v").rename(repository.top / "w")
    top = repository.top / "w"
    found = read_standard_at("HEAD", repository.top, [top / "one.json"], top / "matrix.json", None)
    assert ids(found) == ["V-1", "V-2"]
    assert found.matrix is not None
    assert "HEAD: w/matrix.json: not there; compared with v/matrix.json" in found.notes


def test_a_file_that_the_run_does_not_name_any_more_counts(repository: Repository) -> None:
    repository.write("v/two.json", vectors("V-3"))
    repository.commit()
    assert ids(repository.at("HEAD")) == ["V-1", "V-2", "V-3"]


def test_other_json_files_do_not_count(repository: Repository) -> None:
    repository.write("v/settings.json", {"vectors": ["a", "b"]})
    repository.write("v/commented.json", "{ // no strict JSON\n}")
    repository.write("v/list.json", [1])
    repository.write("elsewhere/gate.json", vectors("V-9"))
    repository.commit()
    found = repository.at("HEAD")
    assert ids(found) == ["V-1", "V-2"]
    assert found.notes == ()


def test_a_file_that_is_new_holds_nothing_yet(repository: Repository) -> None:
    repository.write("v/new.json", vectors("V-3"))
    found = repository.at("HEAD", "v/one.json", "v/new.json", waivers="v/waivers.json")
    assert ids(found) == ["V-1", "V-2"]
    assert found.waivers == ()
    assert "HEAD: v/new.json: not there, so all that it holds is new" in found.notes


def test_a_matrix_that_is_new_is_said_to_be(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "repo")
    repository.write("README", "hello")
    repository.commit()
    found = repository.at("HEAD")
    assert (found.files, found.matrix) == ((), None)
    assert found.notes[-1] == (
        "HEAD: no parity matrix there: rules and required vectors are all new"
    )


def test_a_capture_is_read_as_it_was(repository: Repository) -> None:
    cases = {"id": "V-1", "title": "T", "cases_file": "../captures/real.jsonl"}
    repository.write("v/one.json", {"schema_version": "1", "vectors": [cases]})
    repository.write("captures/real.jsonl", '{"id": "a", "request": 1}\n')
    repository.commit()
    repository.write("captures/real.jsonl", '{"id": "b", "request": 2}\n')
    (found,) = repository.at("HEAD").files[0].vectors
    assert [case.id for case in getattr(found, "cases", ())] == ["a"]


def refused(repository: Repository, ref: str, *names: str) -> str:
    with pytest.raises(FFParityError) as caught:
        repository.at(ref, *names)
    return str(caught.value)


@pytest.mark.parametrize("file", ["/outside.jsonl", "../../outside.jsonl"])
def test_a_capture_outside_the_repository_can_have_been_anything(
    repository: Repository, file: str
) -> None:
    cases = {"id": "V-1", "title": "T", "cases_file": file}
    repository.write("v/one.json", {"schema_version": "1", "vectors": [cases]})
    repository.commit()
    assert "HEAD:v/one.json: its cases_file" in refused(repository, "HEAD")


def test_a_broken_file_is_told_by_its_revision_and_line(repository: Repository) -> None:
    repository.write("v/one.json", '{"schema_version": "1",\n "vectors": [],\n "vectors": []}')
    repository.commit()
    repository.write("v/one.json", vectors("V-1"))
    with pytest.raises(VectorFileError) as caught:
        repository.at("HEAD")
    told = str(caught.value)
    assert told.startswith("HEAD:v/one.json:3: /vectors: ")
    assert "as it was at HEAD: name a revision in which it is sound" in told
    assert "ffparity-baseline" not in told


def test_a_broken_capture_is_told_by_its_own_name(repository: Repository) -> None:
    cases = {"id": "V-1", "title": "T", "cases_file": "gone.jsonl"}
    repository.write("v/one.json", {"schema_version": "1", "vectors": [cases]})
    repository.commit()
    assert refused(repository, "HEAD").startswith("HEAD:v/gone.jsonl: can't be read")


def test_a_broken_matrix_is_told_by_its_revision(repository: Repository) -> None:
    repository.write("v/matrix.json", {"schema_version": "1", "rows": [], "required": []})
    repository.commit()
    assert refused(repository, "HEAD").startswith("HEAD:v/matrix.json:1: /rows: ")


@pytest.mark.parametrize(
    "ref", ["nonsense", "HEAD~7", "", "-h", "--all", "a b", "x\ny", "HEAD:v", "main^{tree}"]
)
def test_what_is_no_revision_is_told_with_what_to_do(repository: Repository, ref: str) -> None:
    told = refused(repository, ref)
    assert f"baseline {ref!r}: " in told
    assert "name a branch, a tag or a commit" in told


def test_a_shallow_clone_is_told_how_to_get_its_history(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit()
    url = repository.top.as_uri()
    git(tmp_path, "clone", "--quiet", "--depth=1", url, "shallow")
    folder = tmp_path / "shallow"
    with pytest.raises(RevisionError, match="fetch-depth: 0"):
        read_standard_at("HEAD~1", folder, [], folder / "v" / "matrix.json", None)


def test_no_repository_is_told(tmp_path: Path) -> None:
    with pytest.raises(RevisionError, match="not in a git repository"):
        read_standard_at("HEAD", tmp_path, [], tmp_path / "matrix.json", None)


def test_git_that_is_not_there_is_told(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "install git" in refused(repository, "HEAD")


def test_a_file_outside_the_repository_is_told(repository: Repository, tmp_path: Path) -> None:
    outside = tmp_path / "outside.json"
    outside.write_text("{}")
    told = refused(repository, "HEAD", "../outside.json")
    assert "outside the git repository" in told
    assert "leave the baseline out" in told


def test_a_link_is_no_file_to_compare_with(repository: Repository) -> None:
    (repository.top / "v" / "link.json").symlink_to("one.json")
    repository.commit()
    assert "HEAD:v/link.json: is a symbolic link" in refused(repository, "HEAD", "v/link.json")


def test_a_file_of_a_submodule_is_told(repository: Repository, tmp_path: Path) -> None:
    Repository(tmp_path / "other").commit()
    url = (tmp_path / "other").as_uri()
    git(repository.top, "-c", "protocol.file.allow=always", "submodule", "add", "-q", url, "mod")
    repository.commit()
    assert "in the submodule mod" in refused(repository, "HEAD", "mod/one.json")


def test_more_than_one_old_matrix_is_not_guessed(repository: Repository) -> None:
    repository.write("v/second.json", matrix())
    repository.commit()
    folder = repository.top / "v"
    with pytest.raises(RevisionError, match=r"v/matrix\.json, v/second\.json"):
        read_standard_at("HEAD", repository.top, [folder / "one.json"], folder / "new.json", None)


def test_a_hook_of_another_repository_does_not_mislead(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Repository(tmp_path / "other")
    other.commit()
    monkeypatch.setenv("GIT_DIR", str(other.top / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.top / ".git" / "index"))
    assert ids(repository.at("HEAD")) == ["V-1", "V-2"]


def test_replaced_objects_of_one_machine_do_not_count(repository: Repository) -> None:
    old = git(repository.top, "rev-parse", "HEAD:v/one.json")
    repository.write("lax.json", vectors("V-2"))
    new = git(repository.top, "hash-object", "-w", "lax.json")
    git(repository.top, "replace", old, new)
    assert ids(repository.at("HEAD")) == ["V-1", "V-2"]


def test_content_that_git_has_lost_is_told(repository: Repository) -> None:
    lost = git(repository.top, "rev-parse", "HEAD:v/one.json")
    (repository.top / ".git" / "objects" / lost[:2] / lost[2:]).unlink()
    told = refused(repository, "HEAD")
    assert "HEAD:v/one.json: git does not hold its content; fetch the repository whole" in told


def test_a_git_that_does_not_come_back_is_given_up(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nexec /bin/sleep 600\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", str(slow.parent))
    monkeypatch.setattr(git_tree, "_TIMEOUT_S", 0.2)
    assert "git rev-parse took longer than 0.2 s" in refused(repository, "HEAD")
