from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest

from pytest_ffparity.evaluator.records import (
    RecordError,
    flag_record,
    override_record,
    read_flag,
    read_tenant_override,
    read_user_override,
)

FLAG: dict[str, Any] = {
    "flag_key": "ff.x",
    "value_type": "bool",
    "default_value": True,
    "safe_value": False,
    "version": 3,
}
OVERRIDE: dict[str, Any] = {"flag_key": "ff.x", "tenant_id": "T", "value": 1, "version": 1}


def test_defaults_are_filled_in_and_read_back() -> None:
    flag = read_flag(FLAG)
    assert flag_record(flag) == {
        **FLAG,
        "off_value": False,
        "enabled": True,
        "sensitive": False,
        "rollout": None,
        "description": "",
    }
    assert read_flag(flag_record(flag)) == flag
    over = read_user_override({**OVERRIDE, "user_id": "U", "expires_at": "2026-01-01T00:00:00Z"})
    assert read_user_override(override_record(over)) == over


def test_flag_version_is_the_hash_of_the_canonical_record() -> None:
    whole = {
        k: v for k, v in flag_record(read_flag(FLAG)).items() if k not in ("version", "description")
    }
    text = json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert read_flag(FLAG).flag_version == sha256(text.encode()).hexdigest()[:16]
    same = read_flag({**FLAG, "version": 9, "description": "other words"})
    assert same.flag_version == read_flag(FLAG).flag_version


@pytest.mark.parametrize(
    "other", [{"default_value": False}, {"enabled": False}, {"off_value": True}]
)
def test_flag_version_changes_with_the_content(other: dict[str, Any]) -> None:
    assert read_flag({**FLAG, **other}).flag_version != read_flag(FLAG).flag_version


def test_integers_and_floats_have_versions_of_their_own() -> None:
    number = {**FLAG, "value_type": "number", "default_value": 1, "safe_value": 0}
    other = {**number, "default_value": 1.0}
    assert read_flag(number).flag_version != read_flag(other).flag_version


BAD_FLAGS = [
    ({"flag_key": ""}, "/flag_key"),
    ({"flag_key": "é" * 101}, "/flag_key"),
    ({"flag_key": "a\x00"}, "/flag_key"),
    ({"flag_key": "\ud800"}, "/flag_key"),
    ({"flag_key": 7}, "/flag_key"),
    ({"value_type": "boolean"}, "/value_type"),
    ({"value_type": None}, "/value_type"),
    ({"default_value": 1}, "/default_value"),
    ({"default_value": None}, "/default_value"),
    ({"safe_value": "false"}, "/safe_value"),
    ({"off_value": None}, "/off_value"),
    ({"value_type": "number", "default_value": True}, "/default_value"),
    ({"value_type": "number", "default_value": float("nan")}, "/default_value"),
    ({"value_type": "number", "default_value": 2**63}, "/default_value"),
    ({"value_type": "object", "default_value": {"a": {"b": "\x00"}}}, "/default_value/a/b"),
    ({"value_type": "object", "default_value": []}, "/default_value"),
    ({"enabled": 1}, "/enabled"),
    ({"sensitive": "yes"}, "/sensitive"),
    ({"version": 0}, "/version"),
    ({"version": True}, "/version"),
    ({"version": 1.0}, "/version"),
    ({"description": "\x00"}, "/description"),
    ({"rollout": []}, "/rollout"),
    ({"rollout": {"percentage": 10}}, "/rollout/value"),
    ({"rollout": {"percentage": 33.3333, "value": True}}, "/rollout/percentage"),
    ({"rollout": {"percentage": True, "value": True}}, "/rollout/percentage"),
    ({"rollout": {"percentage": float("nan"), "value": True}}, "/rollout/percentage"),
    ({"rollout": {"percentage": 1, "value": 1}}, "/rollout/value"),
    ({"rollout": {"percentage": 1, "value": True, "salt": None}}, "/rollout/salt"),
    ({"rollout": {"percentage": 1, "value": True, "seed": ""}}, "/rollout/seed"),
    ({"colour": "red"}, "/colour"),
]


@pytest.mark.parametrize(("changes", "pointer"), BAD_FLAGS)
def test_a_flag_that_may_not_be_written(changes: dict[str, Any], pointer: str) -> None:
    with pytest.raises(RecordError) as caught:
        read_flag({**FLAG, **changes})
    assert caught.value.pointer == pointer


@pytest.mark.parametrize("key", FLAG)
def test_a_missing_key_is_named(key: str) -> None:
    with pytest.raises(RecordError) as caught:
        read_flag({k: v for k, v in FLAG.items() if k != key})
    assert (caught.value.pointer, caught.value.problem) == (f"/{key}", "missing")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"tenant_id": None}, "/tenant_id"),
        ({"user_id": "U"}, "/user_id"),
        ({"expires_at": "2026-01-01"}, "/expires_at"),
        ({"expires_at": "2026-01-01T00:00:00.1234567Z"}, "/expires_at"),
        ({"expires_at": 0}, "/expires_at"),
        ({"value": float("inf")}, "/value"),
    ],
)
def test_an_override_that_may_not_be_written(changes: dict[str, Any], pointer: str) -> None:
    with pytest.raises(RecordError) as caught:
        read_tenant_override({**OVERRIDE, **changes})
    assert caught.value.pointer == pointer
