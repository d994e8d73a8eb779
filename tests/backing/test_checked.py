from __future__ import annotations

import json
from typing import Any

import pytest

from pytest_ffparity.backing.checked import check_world
from pytest_ffparity.evaluator.records import RecordError

FLAG: dict[str, Any] = {
    "flag_key": "ff.x",
    "value_type": "bool",
    "default_value": False,
    "safe_value": False,
    "version": 1,
}
TENANT: dict[str, Any] = {"flag_key": "ff.x", "tenant_id": "t", "value": True, "version": 1}
USER: dict[str, Any] = {**TENANT, "user_id": "u"}


@pytest.mark.parametrize(
    ("flags", "tenants", "users", "pointer"),
    [
        ([{**FLAG, "default_value": 1}], [], [], "/flags/0/default_value"),
        ([FLAG, FLAG], [], [], "/flags/1"),
        ([FLAG, "x"], [], [], "/flags/1"),
        ([{**FLAG, "safe_value": float("nan")}], [], [], "/flags/0/safe_value"),
        ([{**FLAG, "default_value": 2**63}], [], [], "/flags/0/default_value"),
        ([{**FLAG, "flag_key": "ff\x00"}], [], [], "/flags/0/flag_key"),
        ([{**FLAG, "flag_key": "x" * 201}], [], [], "/flags/0/flag_key"),
        ([FLAG], [TENANT, TENANT], [], "/tenant_overrides/1"),
        ([FLAG], [{**TENANT, "flag_key": "ff.gone"}], [], "/tenant_overrides/0/flag_key"),
        ([FLAG], [{**TENANT, "value": "yes"}], [], "/tenant_overrides/0/value"),
        ([FLAG], [{**TENANT, "value": None}], [], "/tenant_overrides/0/value"),
        ([FLAG], [{**TENANT, "tenant_id": ""}], [], "/tenant_overrides/0/tenant_id"),
        (
            [FLAG],
            [{**TENANT, "expires_at": "2026-04-19T00:00:00.1234567Z"}],
            [],
            "/tenant_overrides/0/expires_at",
        ),
        ([FLAG], [], [USER, USER], "/user_overrides/1"),
        ([FLAG], [], [TENANT], "/user_overrides/0/user_id"),
        ([FLAG], [TENANT], [{**USER, "value": 0}], "/user_overrides/0/value"),
        ([FLAG], [{**TENANT, "note": ""}], [], "/tenant_overrides/0/note"),
    ],
)
def test_an_unsound_world_is_refused_at_its_place(
    flags: list[object], tenants: list[object], users: list[object], pointer: str
) -> None:
    with pytest.raises(RecordError) as caught:
        check_world(flags, tenants, users)
    assert caught.value.pointer == pointer


def test_ids_that_look_alike_are_different_keys() -> None:
    tenants = ["t", "T", "t ", " t", "jos\u00e9", "jose\u0301"]
    checked = check_world([FLAG], [{**TENANT, "tenant_id": tenant} for tenant in tenants], [])
    assert [override.tenant_id for override in checked.tenant_overrides] == tenants


def test_what_was_checked_does_not_change_with_what_was_handed_in() -> None:
    value = {"a": [1]}
    flag = {**FLAG, "value_type": "object", "default_value": value, "safe_value": {}}
    checked = check_world([flag], [], [])
    value["a"].append(2)
    assert json.dumps(checked.flags[0].default_value) == '{"a": [1]}'
