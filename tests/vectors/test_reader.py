from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_ffparity.vectors.errors import VectorFileError
from pytest_ffparity.vectors.model import StressVector, Vector
from pytest_ffparity.vectors.reader import read_vector_file

VECTOR = {"id": "V-1", "title": "One", "world": "base", "request": {"x": [1.0]}, "expected": {}}
CASE = {"id": "C-1", "weight": 2, "request": None, "expected": {"a": 1}}
PHASE = {"name": "P-1", "calls": 4, "mix": [CASE]}


def file(**changes: Any) -> dict[str, Any]:
    return {"schema_version": "1", "worlds": {"base": {"a": 1}}, "vectors": [VECTOR], **changes}


def vector(**changes: Any) -> dict[str, Any]:
    return file(vectors=[{**VECTOR, **changes}])


def stress(**changes: Any) -> dict[str, Any]:
    load = {"concurrency": 2, "p99_ms": 1.5, "phases": [PHASE], **changes}
    return file(vectors=[{"id": "S-1", "title": "Load", "stress": load}])


def phase(**changes: Any) -> dict[str, Any]:
    return stress(phases=[{**PHASE, **changes}])


def written(folder: Path, content: Any) -> Path:
    path = folder / "vectors.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=2))
    return path


def refused(path: Path) -> VectorFileError:
    with pytest.raises(VectorFileError) as caught:
        read_vector_file(path)
    return caught.value


def test_a_vector_is_read_with_its_line_and_its_merged_world(tmp_path: Path) -> None:
    worlds = {
        "c": {"$extends": "b", "z": 3},
        "b": {"$extends": "a", "y": {"new": 1}},
        "a": {"x": 0, "y": {"old": 1, "gone": 2}},
    }
    path = written(tmp_path, file(worlds=worlds, vectors=[{**VECTOR, "world": "c"}]))
    found = read_vector_file(path)
    (read,) = found.vectors
    assert isinstance(read, Vector)
    assert (read.id, read.title, read.request, read.expected) == ("V-1", "One", {"x": [1.0]}, {})
    assert read.world == {"x": 0, "y": {"new": 1}, "z": 3}
    lines = path.read_text().split("\n")
    assert lines[read.line].strip() == '"id": "V-1",'
    assert found.path == path


def test_a_vector_without_a_world_gets_none(tmp_path: Path) -> None:
    bare = {key: value for key, value in VECTOR.items() if key != "world"}
    (read,) = read_vector_file(written(tmp_path, file(vectors=[bare]))).vectors
    assert isinstance(read, Vector)
    assert read.world is None


def test_a_stress_vector_is_read_phase_by_phase(tmp_path: Path) -> None:
    (read,) = read_vector_file(written(tmp_path, phase(world="base"))).vectors
    assert isinstance(read, StressVector)
    assert (read.stress.concurrency, read.stress.p99_ms) == (2, 1.5)
    (first,) = read.stress.phases
    assert (first.name, first.world, first.calls) == ("P-1", {"a": 1}, 4)
    assert [(case.id, case.weight, case.expected) for case in first.mix] == [("C-1", 2, {"a": 1})]


def test_digests_tell_content_and_not_layout(tmp_path: Path) -> None:
    first = read_vector_file(written(tmp_path, file()))
    again = read_vector_file(written(tmp_path, json.dumps(file(), sort_keys=True)))
    other = read_vector_file(written(tmp_path, vector(request={"x": [1]})))
    assert (first.digest, first.worlds_digest) == (again.digest, again.worlds_digest)
    assert first.digest != other.digest
    assert first.worlds_digest == other.worlds_digest


@pytest.mark.parametrize(
    ("content", "pointer", "sentence", "on_line"),
    [
        (file(extra=1), "/extra", "unknown key", '"extra": 1'),
        (file(schema_version="2"), "/schema_version", 'found the text "2", expected "1"', '"2"'),
        (file(vectors=[]), "/vectors", "expected 1 or more items", '"vectors"'),
        (file(vectors={}), "/vectors", "expected an array", '"vectors"'),
        (file(worlds={"base": 1}), "/worlds/base", "expected an object", '"base": 1'),
        (file(worlds={"a b": {}}), "/worlds/a b", "expected an id", '"a b"'),
        (file(worlds={"base": {"$extend": ""}}), "/worlds/base/$extend", '"$extends"', "$extend"),
        (file(worlds={"base": {"$extends": 1}}), "/worlds/base/$extends", "text", "$extends"),
        (file(worlds={"base": {"$extends": "bas"}}), "/worlds/base/$extends", '"base"', "bas"),
        (file(worlds={"base": {"$extends": "base"}}), "/worlds/base/$extends", "an end", "base"),
        (vector(world="bsae"), "/vectors/0/world", 'did you mean "base"', '"bsae"'),
        (vector(world={}), "/vectors/0/world", "expected text", '"world"'),
        (vector(expected=[]), "/vectors/0/expected", "expected an object", '"expected"'),
        (vector(id="-x"), "/vectors/0/id", "expected an id", '"-x"'),
        (vector(id="x" * 101), "/vectors/0/id", "expected an id", '"id"'),
        (vector(title="a\nb"), "/vectors/0/title", "printable", '"title"'),
        (vector(expcted={}), "/vectors/0/expcted", 'did you mean "expected"', '"expcted"'),
        (file(vectors=[{"id": "V-1"}, VECTOR]), "/vectors/0/request", '"request"', "{"),
        (file(vectors=[VECTOR, VECTOR]), "/vectors/1/id", "first at /vectors/0", '"id"'),
        (vector(stress={}), "/vectors/0/world", "unknown key", '"world"'),
        (stress(concurrency=0), "/vectors/0/stress/concurrency", "1 or more", "concurrency"),
        (stress(p99_ms=0), "/vectors/0/stress/p99_ms", "more than 0", "p99_ms"),
        (stress(phases=[]), "/vectors/0/stress/phases", "1 or more items", "phases"),
        (
            stress(phases=[PHASE, PHASE]),
            "/vectors/0/stress/phases/1/name",
            'the name "P-1" again',
            '"name"',
        ),
        (phase(calls=1.5), "/vectors/0/stress/phases/0/calls", "a whole number", '"calls"'),
        (phase(calls=1), "/vectors/0/stress/phases/0/calls", "at least 2", '"calls"'),
        (phase(world="none"), "/vectors/0/stress/phases/0/world", "one of base", '"none"'),
        (phase(mix=[]), "/vectors/0/stress/phases/0/mix", "1 or more items", '"mix"'),
        (
            phase(mix=[CASE, CASE]),
            "/vectors/0/stress/phases/0/mix/1/id",
            "first at /vectors/0/stress/phases/0/mix/0",
            '"id"',
        ),
        (
            phase(mix=[{**CASE, "weight": 0}]),
            "/vectors/0/stress/phases/0/mix/0/weight",
            "1 or more",
            '"weight"',
        ),
        ('{"vectors":\n[NaN]}', "/vectors/0", "NaN is no JSON number", "NaN"),
        ('{"vectors": 1,\n"vectors": 2}', "/vectors", "stands twice", '"vectors": 2'),
        ('{\n"vectors": [,]}', None, "not JSON", "[,]"),
    ],
)
def test_a_fault_is_told_with_file_line_and_pointer(
    tmp_path: Path, content: Any, pointer: str | None, sentence: str, on_line: str
) -> None:
    path = written(tmp_path, content)
    error = refused(path)
    problem = next(p for p in error.problems if p.pointer == pointer)
    assert sentence in problem.sentence
    assert problem.line is not None
    assert on_line in path.read_text().split("\n")[problem.line - 1]
    place = f"{path}:{problem.line}: " + (f"{pointer}: " if pointer else "")
    assert f"{place}{problem.sentence}" in str(error).split("\n")


def test_all_faults_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    broken = {**VECTOR, "title": 1, "expected": 2}
    error = refused(written(tmp_path, file(vectors=[broken, VECTOR, broken], zzz=1)))
    assert [p.pointer for p in error.problems] == [
        "/vectors/0/title",
        "/vectors/0/expected",
        "/vectors/2/title",
        "/vectors/2/expected",
        "/zzz",
    ]
    lines = [p.line for p in error.problems if p.line is not None]
    assert lines == sorted(lines)


def test_the_remedy_names_the_command_that_writes_the_schemas(tmp_path: Path) -> None:
    assert f"ffparity schemas {tmp_path}" in refused(written(tmp_path, file(x=1))).remedy


def test_a_missing_file_is_told_with_what_to_put_there(tmp_path: Path) -> None:
    error = refused(tmp_path / "none.json")
    assert str(error).startswith(f"{tmp_path / 'none.json'}: found no such file")
    starter = error.remedy[error.remedy.index("{") : error.remedy.rindex("}") + 1]
    assert read_vector_file(written(tmp_path, starter)).vectors[0].id == "V-01"


def test_a_folder_is_no_vector_file(tmp_path: Path) -> None:
    assert "can't be read" in str(refused(tmp_path))


def test_bytes_that_are_not_utf_8_are_told_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.json"
    path.write_bytes(b'{\n"title": "\xe9"}')
    (problem,) = refused(path).problems
    assert (problem.line, problem.pointer) == (2, None)
    assert "UTF-8" in problem.sentence


def test_ten_thousand_vectors_are_read_each_with_its_own_line(tmp_path: Path) -> None:
    many = [{**VECTOR, "id": f"V-{n}", "request": {"n": n}} for n in range(10_000)]
    found = read_vector_file(written(tmp_path, file(vectors=many)))
    lines = [read.line for read in found.vectors]
    assert len(found.vectors) == 10_000
    assert lines == sorted(set(lines))
    first, last = found.vectors[0], found.vectors[-1]
    assert isinstance(first, Vector)
    assert isinstance(last, Vector)
    assert first.world is last.world
