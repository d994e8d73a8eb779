from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pytest_ffparity.vectors.errors import VectorFileError
from pytest_ffparity.vectors.waivers import read_waivers

WAIVER = {
    "vector": "PT-05",
    "field": "/reason",
    "owner": "platform team",
    "reason": "the old store says it in other words",
    "expires": "2026-12-31",
}


def written(folder: Path, waivers: Any, **changes: Any) -> Path:
    path = folder / "waivers.json"
    path.write_text(json.dumps({"schema_version": "1", "waivers": waivers, **changes}, indent=2))
    return path


def refused(path: Path) -> VectorFileError:
    with pytest.raises(VectorFileError) as caught:
        read_waivers(path)
    return caught.value


def test_waivers_are_read_with_their_days_and_lines(tmp_path: Path) -> None:
    path = written(tmp_path, [WAIVER, {**WAIVER, "field": "/a~1b/0", "expires": "2028-02-29"}])
    file = read_waivers(path)
    first, second = file.waivers
    assert (first.vector, first.field) == ("PT-05", "/reason")
    assert (first.owner, first.reason) == (WAIVER["owner"], WAIVER["reason"])
    assert first.expires == date(2026, 12, 31)
    assert (second.field, second.expires) == ("/a~1b/0", date(2028, 2, 29))
    lines = path.read_text().splitlines()
    assert [lines[w.line].strip() for w in file.waivers] == ['"vector": "PT-05",'] * 2
    assert file.path == path


def test_a_file_may_waive_nothing_and_its_digest_follows_what_it_waives(tmp_path: Path) -> None:
    empty = read_waivers(written(tmp_path, []))
    assert empty.waivers == ()
    assert read_waivers(written(tmp_path, [WAIVER])).digest != empty.digest


def test_one_field_of_one_vector_is_waived_once(tmp_path: Path) -> None:
    elsewhere = {**WAIVER, "vector": "PT-06"}
    again = {**WAIVER, "owner": "somebody else", "expires": "2027-01-01"}
    path = written(tmp_path, [WAIVER, elsewhere, again])
    (problem,) = refused(path).problems
    assert problem.pointer == "/waivers/2"
    assert "PT-05 /reason waived again" in problem.sentence
    assert "first at /waivers/0" in problem.sentence
    assert problem.line is not None
    assert '"somebody else"' in path.read_text().splitlines()[problem.line + 2]


@pytest.mark.parametrize(
    "day",
    ["2026-02-30", "2027-02-29", "2026-13-01", "2026-00-10", "0000-01-01", "2026-06-31"],
)
def test_a_day_that_no_calendar_has_is_refused(tmp_path: Path, day: str) -> None:
    (problem,) = refused(written(tmp_path, [{**WAIVER, "expires": day}])).problems
    assert problem.pointer == "/waivers/0/expires"
    assert day in problem.sentence


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("expires", "20261231"),
        ("expires", "2026-W53-4"),
        ("expires", "2026-12-31T00:00:00Z"),
        ("expires", " 2026-12-31"),
        ("expires", "2026-12-31\n"),
        ("expires", "٢٠٢٦-12-31"),
        ("expires", None),
        ("expires", 20261231),
        ("field", ""),
        ("field", "reason"),
        ("field", " "),
        ("field", "/~2"),
        ("vector", ""),
        ("vector", "PT 05"),
        ("owner", ""),
        ("owner", " \t"),
        ("owner", "\u00a0\u3000"),
        ("owner", "me\nand you"),
        ("owner", "\u001b[31mme"),
        ("owner", 7),
        ("reason", ""),
        ("reason", "  "),
        ("reason", None),
        ("reason", "x" * 501),
        ("expiry", "2026-12-31"),
    ],
)
def test_what_is_blank_or_no_such_thing_is_refused(tmp_path: Path, key: str, value: Any) -> None:
    problems = refused(written(tmp_path, [{**WAIVER, key: value}])).problems
    assert {problem.pointer for problem in problems} == {f"/waivers/0/{key}"}


@pytest.mark.parametrize("key", sorted(WAIVER))
def test_nothing_of_a_waiver_may_be_left_out(tmp_path: Path, key: str) -> None:
    less = {name: text for name, text in WAIVER.items() if name != key}
    (problem,) = refused(written(tmp_path, [less])).problems
    assert problem.pointer == f"/waivers/0/{key}"
    assert "found nothing" in problem.sentence


def test_a_missing_file_is_told_with_what_to_put_there(tmp_path: Path) -> None:
    error = refused(tmp_path / "none.json")
    starter = error.remedy[error.remedy.index("{") : error.remedy.rindex("}") + 1]
    (tmp_path / "none.json").write_text(starter)
    assert [w.vector for w in read_waivers(tmp_path / "none.json").waivers] == ["PT-01"]
