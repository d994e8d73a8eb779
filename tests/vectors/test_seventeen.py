"""PT-01 to PT-17: each is what the definition says, and together they span every axis."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_ffparity.evaluator.approval import ttl_state
from pytest_ffparity.evaluator.model import Approval, Failed
from pytest_ffparity.formats import instant
from pytest_ffparity.vectors.model import StressVector, VectorFile

# Mode, scope of the override in the world, sensitive path, state of the approval; the outcome.
TABLE = {
    "PT-01": ("verified", "default", None, None, "registry_default"),
    "PT-02": ("verified", "tenant", None, None, "tenant_override"),
    "PT-03": ("verified", "user", None, None, "user_override"),
    "PT-04": ("verified", "default", "approved", "valid", "registry_default"),
    "PT-05": ("verified", "default", "not live", "expired", "approval_expired"),
    "PT-06": ("verified", "user", "missing", "absent", "approval_missing"),
    "PT-07": ("decode-only", "default", "auth not verified", "valid", "auth_not_verified"),
    "PT-09": ("decode-only", "tenant", None, None, "tenant_override"),
    "PT-10": ("decode-only", "user", None, None, "user_override"),
    "PT-11": ("dev-headers", "default", None, None, "registry_default"),
    "PT-12": ("dev-headers", "user", "auth not verified", "valid", "auth_not_verified"),
    "PT-13": ("anonymous", "default", None, None, "registry_default"),
    "PT-14": ("verified", "tenant", "approved", "expiring_soon", "tenant_override"),
    "PT-15": ("verified", "default", "not live", "revoked", "approval_revoked"),
    "PT-16": ("verified", "tenant", "not live", "not_yet_valid", "approval_not_yet_valid"),
    "PT-17": ("verified", "tenant", "Admin unreachable", "valid", "admin_unreachable"),
}
DENIED = {"PT-05", "PT-06", "PT-07", "PT-12", "PT-15", "PT-16", "PT-17"}
DECODED = ["auth_not_verified", "jwks_unreachable"]
WARNINGS = {
    "PT-07": DECODED,
    "PT-09": DECODED,
    "PT-10": ["auth_not_verified", "kid_not_found"],
    "PT-11": ["auth_not_verified"],
    "PT-12": ["auth_not_verified"],
    "PT-14": ["approval_expiring_soon"],
    "PT-17": ["admin_unreachable"],
}


def scope_of(case: Any) -> str:
    if case.user_override:
        return "user"
    return "tenant" if case.tenant_override else "default"


def state_of(case: Any) -> str | None:
    if not case.flag.get("sensitive"):
        return None
    record = case.approval
    if record is None:
        return "absent"
    times = ("valid_from", "expires_at", "revoked_at")
    bounds: dict[str, Any] = {key: instant.parse(record[key]) for key in times if record.get(key)}
    state = ttl_state(
        Approval(
            found=True,
            approval_ref=record["approval_ref"],
            flag_key=record["flag_key"],
            tenant_id=record["tenant_id"],
            **bounds,
        ),
        approval_ref=case.request["approval_ref"],
        flag_key=case.request["flag_key"],
        tenant_id=case.caller[0],
        now=instant.parse(case.now),
    )
    assert not isinstance(state, Failed)
    return str(state)


def sensitive_path_of(case: Any) -> str | None:
    if not case.flag.get("sensitive"):
        return None
    if case.mode != "verified":
        return "auth not verified"
    if case.request["approval_ref"] is None:
        return "missing"
    if not case.admin_reachable:
        return "Admin unreachable"
    return "approved" if state_of(case) in {"valid", "expiring_soon"} else "not live"


@pytest.fixture(scope="module")
def axes(plain_cases: Any) -> dict[str, tuple[str | None, ...]]:
    return {
        key: (case.mode, scope_of(case), sensitive_path_of(case), state_of(case))
        for key, case in plain_cases.items()
    }


def test_the_file_holds_the_seventeen_in_order(vector_file: VectorFile) -> None:
    assert [v.id for v in vector_file.vectors] == [f"PT-{n:02}" for n in range(1, 18)]
    assert isinstance(vector_file.vectors[7], StressVector)


@pytest.mark.parametrize("key", TABLE)
def test_a_vector_is_what_the_table_says(plain_cases: Any, axes: Any, key: str) -> None:
    expected = plain_cases[key].expected
    assert (*axes[key], expected["reason"]) == TABLE[key]
    assert expected["decision"] == ("deny" if key in DENIED else "allow")
    assert expected["warnings"] == WARNINGS.get(key, [])
    assert expected["http_status"] == 200


def test_every_value_of_every_axis_is_there(axes: Any) -> None:
    mode, scope, path, state = (
        {value for value in column if value is not None}
        for column in zip(*axes.values(), strict=True)
    )
    assert mode == {"verified", "decode-only", "dev-headers", "anonymous"}
    assert scope == {"default", "tenant", "user"}
    assert path == {"approved", "missing", "not live", "auth not verified", "Admin unreachable"}
    assert state == {"valid", "expiring_soon", "expired", "revoked", "not_yet_valid", "absent"}


def test_the_names_that_were_given_are_used(plain_cases: Any) -> None:
    request = {key: case.request for key, case in plain_cases.items()}
    assert request["PT-02"]["flag_key"] == "ff.x"
    assert plain_cases["PT-02"].caller[0] == "T-pty-pilot-01"
    assert request["PT-03"]["flag_key"] == "ff.y"
    assert plain_cases["PT-03"].caller[1] == "U1001"
    assert plain_cases["PT-03"].tenant_override is not None
    assert request["PT-04"]["approval_ref"] == "APP-100001-abcd"
    assert request["PT-05"]["approval_ref"] == "APP-100004-expired"


def test_the_two_ways_into_decode_only_are_told_apart(plain_cases: Any) -> None:
    for key in ("PT-07", "PT-09"):
        assert not plain_cases[key].world["jwks"]["reachable"]
        assert plain_cases[key].world["jwks"]["held"] is None
    jwks = plain_cases["PT-10"].world["jwks"]
    bearer = plain_cases["PT-10"].request["headers"]["Authorization"]["$bearer"]
    assert not jwks["reachable"]
    assert jwks["held"]
    assert bearer["key"] not in jwks["held"]


@pytest.mark.parametrize("key", sorted(DENIED))
def test_a_deny_serves_the_safe_value_and_no_override(plain_cases: Any, key: str) -> None:
    case = plain_cases[key]
    leaks = [o["value"] for o in (case.user_override, case.tenant_override) if o]
    assert case.expected["value"] == case.flag["safe_value"]
    assert case.expected["value"] not in [*leaks, case.flag["default_value"]]
    assert case.expected["override_scope"] is None


def test_an_anonymous_caller_meets_a_world_with_overrides(plain_cases: Any) -> None:
    world = plain_cases["PT-13"].world
    assert "ff.y" in {record["flag_key"] for record in world["tenant_overrides"]}
    assert "ff.y" in {record["flag_key"] for record in world["user_overrides"]}


def test_a_timestamp_cut_to_seconds_or_a_tenant_in_lower_case_would_be_seen(
    plain_cases: Any,
) -> None:
    case = plain_cases["PT-02"]
    expires = case.tenant_override["expires_at"]
    assert instant.parse(expires) > instant.parse(case.now)
    assert instant.parse(expires).replace(microsecond=0) <= instant.parse(case.now)
    assert case.caller[0] != case.caller[0].lower()
