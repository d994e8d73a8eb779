from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_ffparity.vectors.acknowledged import read_acknowledgements
from pytest_ffparity.vectors.errors import VectorFileError

SEEN = {
    "change": "expectation-changed PT-03 /reason 0123456789abcdef",
    "who": "R. Okafor, platform lead",
    "why": "The tenant decides now.",
}


def written(folder: Path, acknowledged: Any, **changes: Any) -> Path:
    path = folder / "acknowledged.json"
    document = {"schema_version": "1", "acknowledged": acknowledged, **changes}
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False), "utf-8")
    return path


def refused(path: Path) -> VectorFileError:
    with pytest.raises(VectorFileError) as caught:
        read_acknowledgements(path)
    return caught.value


def test_acknowledgements_are_read_with_their_lines(tmp_path: Path) -> None:
    other = {**SEEN, "change": "vector-removed PT-09 fedcba9876543210", "who": "李雷"}
    path = written(tmp_path, [SEEN, other])
    first, second = read_acknowledgements(path).acknowledged
    assert (first.change, first.who, first.why) == tuple(SEEN.values())
    assert (second.change, second.who) == (other["change"], "李雷")
    lines = path.read_text("utf-8").splitlines()
    assert other["change"] in lines[second.line]


def test_a_file_may_acknowledge_nothing(tmp_path: Path) -> None:
    assert read_acknowledgements(written(tmp_path, [])).acknowledged == ()


def test_a_change_is_acknowledged_once(tmp_path: Path) -> None:
    path = written(tmp_path, [SEEN, {**SEEN, "who": "somebody else"}])
    error = refused(path)
    (problem,) = error.problems
    assert problem.pointer == "/acknowledged/1/change"
    assert "first at /acknowledged/0" in problem.sentence
    assert f"{path}:{problem.line}: " in str(error)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("who", ""),
        ("who", "   "),
        ("who", "\u00a0"),
        ("who", None),
        ("why", ""),
        ("why", "\t"),
        ("why", "because\nso"),
        ("why", ["because"]),
        ("change", ""),
        ("change", "PT-03"),
        ("change", "expectation-changed PT-03 /reason"),
        ("change", "expectation-changed PT-03 /reason *"),
        ("change", "expectation-changed PT-03 /reason 0123456789ABCDEF"),
        ("when", "2026-01-01"),
    ],
)
def test_what_is_blank_or_no_such_thing_is_refused(tmp_path: Path, key: str, value: Any) -> None:
    (problem,) = refused(written(tmp_path, [{**SEEN, key: value}])).problems
    assert problem.pointer == f"/acknowledged/0/{key}"


@pytest.mark.parametrize("key", sorted(SEEN))
def test_nothing_may_be_left_out(tmp_path: Path, key: str) -> None:
    less = {name: text for name, text in SEEN.items() if name != key}
    (problem,) = refused(written(tmp_path, [less])).problems
    assert problem.pointer == f"/acknowledged/0/{key}"


def test_a_missing_file_is_told_with_what_to_put_there(tmp_path: Path) -> None:
    error = refused(tmp_path / "none.json")
    starter = error.remedy[error.remedy.index("{") : error.remedy.rindex("}") + 1]
    (tmp_path / "none.json").write_text(starter)
    assert read_acknowledgements(tmp_path / "none.json").acknowledged == ()
