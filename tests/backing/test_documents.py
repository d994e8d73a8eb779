from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pytest_ffparity.backing.atomic import write_atomic
from pytest_ffparity.backing.documents import (
    DocumentError,
    read_overrides,
    read_registry,
    write_documents,
)
from pytest_ffparity.evaluator.model import Corrupt, Flag, Override
from pytest_ffparity.evaluator.records import RecordError

FLAG: dict[str, Any] = {
    "flag_key": "ff.x",
    "value_type": "bool",
    "default_value": False,
    "safe_value": False,
    "version": 1,
}
TENANT: dict[str, Any] = {"flag_key": "ff.x", "tenant_id": "t", "value": True, "version": 1}


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("{\n  ", "line 2"),
        ("", "line 1"),
        ("[]", "top level"),
        ('{"flags": [], "extra": 1}', "/extra"),
        ("{}", "/flags"),
        ('{"flags": {}}', "/flags"),
        ('{"flags": [], "flags": []}', "twice"),
        ('{"flags": [{"version": 1e999}]}', "beyond a double"),
        ("\ufeff{}", "byte-order mark"),
    ],
)
def test_a_document_that_is_none_is_refused_as_a_whole(text: str, where: str) -> None:
    with pytest.raises(DocumentError, match=where):
        read_registry(text.encode())


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(DocumentError, match="UTF-8"):
        read_registry(b"\xff")


def test_an_unsound_record_leaves_the_others_sound() -> None:
    bad = {**FLAG, "flag_key": "ff.bad", "default_value": "no"}
    found = read_registry(json.dumps({"flags": [FLAG, bad]}).encode())
    assert isinstance(found.flags["ff.x"], Flag)
    problem = found.flags["ff.bad"]
    assert isinstance(problem, Corrupt)
    assert "/flags/1/default_value" in problem.problem
    assert found.alarms == ()


def test_a_key_that_stands_twice_is_corrupt_for_both() -> None:
    other = {**TENANT, "value": False}
    document = {"tenant_overrides": [TENANT, other], "user_overrides": []}
    found = read_overrides(json.dumps(document).encode())
    assert isinstance(found.tenant["ff.x", "t"], Corrupt)


@pytest.mark.parametrize("record", [17, {}, {**FLAG, "flag_key": ""}, {**FLAG, "flag_key": ["x"]}])
def test_a_record_without_a_key_raises_an_alarm_and_nothing_else(record: object) -> None:
    found = read_registry(json.dumps({"flags": [record, FLAG]}).encode())
    assert list(found.flags) == ["ff.x"]
    assert len(found.alarms) == 1
    assert "/flags/0" in found.alarms[0]


def test_overrides_are_keyed_by_tenant_and_by_user_within_it() -> None:
    users = [{**TENANT, "user_id": "u"}, {**TENANT, "tenant_id": "other", "user_id": "u"}]
    document = {"tenant_overrides": [TENANT], "user_overrides": users}
    found = read_overrides(json.dumps(document).encode())
    assert isinstance(found.tenant["ff.x", "t"], Override)
    assert sorted(found.user) == [("ff.x", "other", "u"), ("ff.x", "t", "u")]


def test_what_is_written_reads_back_sound(tmp_path: Path) -> None:
    checked = write_documents(tmp_path, [FLAG], [TENANT], [{**TENANT, "user_id": "u"}])
    registry = read_registry((tmp_path / "registry.json").read_bytes())
    overrides = read_overrides((tmp_path / "override_examples.json").read_bytes())
    assert tuple(registry.flags.values()) == checked.flags
    assert tuple(overrides.tenant.values()) == checked.tenant_overrides
    assert tuple(overrides.user.values()) == checked.user_overrides
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "override_examples.json",
        "registry.json",
        "store.lock",
    ]


def test_a_refused_world_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="/tenant_overrides/0/value"):
        write_documents(tmp_path, [FLAG], [{**TENANT, "value": 1}], [])
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "registry.json"
    write_atomic(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomic(path, "\ud800")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_keeps_its_mode_and_a_new_one_can_be_read_by_others(tmp_path: Path) -> None:
    path = tmp_path / "registry.json"
    write_atomic(path, "1")
    assert path.stat().st_mode & 0o777 == 0o644
    path.chmod(0o640)
    write_atomic(path, "2")
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["registry.json"]  # noqa: PTH208 - hidden ones too
