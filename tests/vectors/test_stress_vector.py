"""PT-08: together its phases hold every outcome of every rule that needs no time-out."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_ffparity.auth.codes import AuthCode
from pytest_ffparity.evaluator.names import AuthMode, FailSafe, TTLState, Warn
from pytest_ffparity.formats import instant
from pytest_ffparity.vectors.model import StressVector

OUTCOMES = {
    "auth": {*AuthMode, *AuthCode},
    "lookup": {"found", "flag_not_found", "backing_unavailable", "record_invalid"},
    "kill_switch": {"on", "flag_disabled"},
    "sensitive_overlay": {
        "not_sensitive",
        "approved",
        "auth_not_verified",
        "approval_missing",
        "approval_expired",
        "approval_revoked",
        "approval_not_yet_valid",
        "admin_unreachable",
        "admin_invalid",
    },
    "user_override": {"none", "expired", "user_override", "record_invalid"},
    "tenant_override": {"none", "expired", "tenant_override", "record_invalid"},
    "registry": {"rollout_in", "rollout_out", "registry_default"},
    "fail_safe": set(FailSafe) - {FailSafe.INTERNAL_ERROR},
}


@pytest.mark.parametrize("rule", OUTCOMES)
def test_every_outcome_of_the_rule_is_expected_somewhere(stress_cases: Any, rule: str) -> None:
    seen = {
        step["outcome"]
        for case in stress_cases
        for step in case.expected["reason_chain"]
        if step["rule"] == rule
    }
    assert seen == {str(outcome) for outcome in OUTCOMES[rule]}


def test_there_are_thirteen_codes_of_rule_one() -> None:
    assert len(AuthCode) == 13


def test_at_least_ten_thousand_calls_at_a_stated_concurrency(stress_vector: StressVector) -> None:
    stress = stress_vector.stress
    assert sum(phase.calls for phase in stress.phases) >= 10_000
    assert stress.concurrency == 16
    assert stress.p99_ms == 100


def test_a_hundredth_of_a_phase_is_several_calls(stress_vector: StressVector) -> None:
    assert all(phase.calls >= 500 for phase in stress_vector.stress.phases)


def test_every_mode_source_scope_status_and_warning_is_expected(stress_cases: Any) -> None:
    expected = [case.expected for case in stress_cases]
    assert {e["meta"]["auth_mode"] for e in expected} == {*map(str, AuthMode), None}
    assert {e["meta"]["auth_source"] for e in expected} == {
        "jwt",
        "jwt-unverified",
        "dev-headers",
        "none",
        None,
    }
    assert {e["override_scope"] for e in expected} == {"default", "tenant", "user", None}
    assert {e["http_status"] for e in expected} == {200, 401, 404, 503}
    warnings = {warning for e in expected for warning in e["warnings"]}
    assert warnings == {*map(str, Warn), *map(str, OUTCOMES["fail_safe"])}


def test_every_state_of_an_approval_is_expected(stress_cases: Any) -> None:
    states = {case.expected["meta"]["ttl_state"] for case in stress_cases}
    assert states == {*map(str, TTLState), None}


def test_every_value_type_is_served_on_an_allow(stress_cases: Any) -> None:
    allowed = [case for case in stress_cases if case.expected["decision"] == "allow"]
    assert {case.flag["value_type"] for case in allowed} == {"bool", "string", "number", "object"}


def test_rollouts_at_nothing_a_third_and_everything(stress_cases: Any) -> None:
    seen = {
        (case.flag["rollout"]["percentage"], case.expected["reason"])
        for case in stress_cases
        if case.expected["reason"].startswith("rollout_") and case.mode != "anonymous"
    }
    assert {(0, "rollout_out"), (100, "rollout_in")} <= seen
    assert {(33.3, "rollout_in"), (33.3, "rollout_out")} <= seen
    assert (0, "rollout_in") not in seen
    assert (100, "rollout_out") not in seen


def test_one_thousandth_of_a_percent_decides_about_a_user(stress_cases: Any) -> None:
    seen = {
        (case.flag["rollout"]["percentage"], case.expected["reason"])
        for case in stress_cases
        if case.request["flag_key"] == "ff.x"
        and case.expected["reason"].startswith("rollout_")
        and case.caller == ("T-pty-pilot-01", "U1001")
    }
    assert seen == {(42.803, "rollout_out"), (42.804, "rollout_in")}


def test_overrides_at_their_very_instant_of_expiry(stress_cases: Any) -> None:
    expired = set()
    for case in stress_cases:
        for step in case.expected["reason_chain"]:
            if step["outcome"] == "expired":
                record = getattr(case, step["rule"])
                expired.add((step["rule"], instant.parse(record["expires_at"])))
    now = instant.parse("2026-04-19T00:00:00Z")
    assert expired == {("user_override", now), ("tenant_override", now)}


def test_ids_and_values_that_stores_like_to_change_are_there(stress_cases: Any) -> None:
    users = {case.caller[1] for case in stress_cases}
    tenants = {case.caller[0] for case in stress_cases}
    assert {"U1001", "u1001", "U1001 ", "jos\u00e9", "jose\u0301", "李雷"} <= users
    assert {"T-pty-pilot-01", "t-pty-pilot-01"} <= tenants
    keys = {case.request["flag_key"] for case in stress_cases if case.flag is not None}
    assert {"ff.y", "ff.y ", "ff.Größe"} <= keys
    assert max(len(key.encode()) for key in keys) == 200
    served = {repr(case.expected["value"]) for case in stress_cases}
    assert {"1", "1.0", "1e+22", "9007199254740993", "-9223372036854775808", "{}", "''"} <= served


def test_a_disabled_flag_serves_its_off_value_or_else_the_safe_one(stress_cases: Any) -> None:
    off = [case for case in stress_cases if case.expected["reason"] == "flag_disabled"]
    assert {"off_value" in case.flag for case in off} == {True, False}
    for case in off:
        assert case.expected["value"] == case.flag.get("off_value", case.flag["safe_value"])
