from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from pytest_ffparity.evaluator.decide import decide
from pytest_ffparity.evaluator.model import (
    Approval,
    Corrupt,
    Failed,
    Flag,
    Identity,
    Override,
    Records,
    Rejection,
    Request,
)
from pytest_ffparity.evaluator.names import AuthMode, FailSafe
from pytest_ffparity.evaluator.records import read_flag
from pytest_ffparity.evaluator.rules import Facts

NOW = datetime(2026, 4, 19, tzinfo=UTC)
MICRO = timedelta(microseconds=1)
USER = Identity(AuthMode.VERIFIED, "T", "U")
OPEN = ["auth:verified", "lookup:found", "kill_switch:on"]
PLAIN = [*OPEN, "sensitive_overlay:not_sensitive"]


def flag(**changes: Any) -> Flag:
    record: dict[str, Any] = {
        "flag_key": "f",
        "value_type": "string",
        "default_value": "default",
        "safe_value": "safe",
        "version": 1,
    }
    return read_flag({**record, **changes})


def override(
    value: Any = "over", expires_at: datetime | None = None, user: str | None = None
) -> Override:
    return Override(
        flag_key="f", tenant_id="T", user_id=user, value=value, expires_at=expires_at, version=1
    )


def approval(**changes: Any) -> Approval:
    fields: dict[str, Any] = {
        "found": True,
        "approval_ref": "A",
        "flag_key": "f",
        "tenant_id": "T",
        "valid_from": NOW - timedelta(days=1),
        "expires_at": NOW + timedelta(days=1),
    }
    return Approval(**{**fields, **changes})


def decided(
    records: Records | Failed | None = None, *, caller: Any = USER, **more: Any
) -> dict[str, Any]:
    ref = more.pop("ref", None)
    facts = Facts(Request("f", (), ref), NOW, caller, records, more.pop("approval", None))
    return decide(facts, "file", 1.0).to_dict()


def chain(decision: dict[str, Any]) -> list[str]:
    return [f"{step['rule']}:{step['outcome']}" for step in decision["reason_chain"]]


def test_the_whole_decision_of_a_default() -> None:
    one = flag()
    assert decided(Records(one)) == {
        "flag_key": "f",
        "decision": "allow",
        "value": "default",
        "reason": "registry_default",
        "reason_chain": [
            {"rule": "auth", "outcome": "verified"},
            {"rule": "lookup", "outcome": "found"},
            {"rule": "kill_switch", "outcome": "on"},
            {"rule": "sensitive_overlay", "outcome": "not_sensitive"},
            {"rule": "user_override", "outcome": "none"},
            {"rule": "tenant_override", "outcome": "none"},
            {"rule": "registry", "outcome": "registry_default"},
        ],
        "override_scope": "default",
        "http_status": 200,
        "code": None,
        "warnings": [],
        "meta": {
            "auth_mode": "verified",
            "auth_source": "jwt",
            "approval_ref": None,
            "ttl_state": None,
            "backing_state": "file",
            "flag_version": one.flag_version,
            "evaluated_at": "2026-04-19T00:00:00.000000Z",
            "latency_ms": 1.0,
        },
    }


@pytest.mark.parametrize(
    ("code", "status"), [("signature_invalid", 401), ("jwks_unreachable", 503)]
)
def test_a_rejected_caller_ends_the_chain_and_tells_nothing(code: str, status: int) -> None:
    found = decided(None, caller=Rejection(code, status))
    assert chain(found) == [f"auth:{code}"]
    assert (found["decision"], found["value"], found["http_status"]) == ("deny", None, status)
    assert (found["code"], found["reason"], found["warnings"]) == (code, code, [])
    assert set(found["meta"].values()) == {None, "file", "2026-04-19T00:00:00.000000Z", 1.0}


def test_an_unknown_flag_is_not_found() -> None:
    for records in (Records(None), None):
        found = decided(records)
        assert chain(found) == ["auth:verified", "lookup:flag_not_found"]
        assert (found["http_status"], found["code"], found["value"]) == (
            404,
            "flag_not_found",
            None,
        )
        assert found["meta"]["flag_version"] is None
        assert found["override_scope"] is None


@pytest.mark.parametrize(("changes", "value"), [({}, "safe"), ({"off_value": "off"}, "off")])
def test_a_disabled_flag_serves_its_off_value(changes: dict[str, Any], value: str) -> None:
    found = decided(Records(flag(enabled=False, **changes), override(), override()))
    assert chain(found) == ["auth:verified", "lookup:found", "kill_switch:flag_disabled"]
    assert (found["decision"], found["value"], found["http_status"]) == ("deny", value, 200)


def test_a_disabled_sensitive_flag_shows_the_ref_but_no_state() -> None:
    found = decided(Records(flag(enabled=False, sensitive=True)), ref="A")
    assert (found["meta"]["approval_ref"], found["meta"]["ttl_state"]) == ("A", None)


@pytest.mark.parametrize(
    ("expires_at", "outcome"),
    [
        (None, "user_override"),
        (NOW + MICRO, "user_override"),
        (NOW, "expired"),
        (NOW - MICRO, "expired"),
    ],
)
def test_an_override_lives_until_the_instant_before_it_expires(
    expires_at: datetime | None, outcome: str
) -> None:
    found = decided(Records(flag(), override(expires_at=expires_at, user="U")))
    assert chain(found)[4] == f"user_override:{outcome}"
    assert found["override_scope"] == ("user" if outcome == "user_override" else "default")


def test_a_user_override_goes_before_a_tenant_override() -> None:
    both = decided(Records(flag(), override("mine", user="U"), override("ours")))
    assert (both["value"], both["reason"], both["override_scope"]) == (
        "mine",
        "user_override",
        "user",
    )
    one = decided(Records(flag(), None, override("ours")))
    assert (one["value"], chain(one)[4:]) == (
        "ours",
        ["user_override:none", "tenant_override:tenant_override"],
    )


@pytest.mark.parametrize(
    ("percentage", "caller", "outcome"),
    [
        (0, USER, "rollout_out"),
        (100, USER, "rollout_in"),
        (100, Identity(AuthMode.ANONYMOUS), "rollout_out"),
        (100, Identity(AuthMode.DEV_HEADERS, "T"), "rollout_in"),
    ],
)
def test_rollouts(percentage: int, caller: Identity, outcome: str) -> None:
    found = decided(
        Records(flag(rollout={"percentage": percentage, "value": "new"})), caller=caller
    )
    assert (found["reason"], found["override_scope"]) == (outcome, "default")
    assert found["value"] == ("new" if outcome == "rollout_in" else "default")


def test_the_border_of_a_rollout_is_exact() -> None:
    caller = Identity(AuthMode.VERIFIED, "T-pty-pilot-01", "U1001")  # bucket 42803

    def reason(percentage: float) -> Any:
        rollout = {"percentage": percentage, "value": "new", "salt": "s1"}
        records = Records(flag(flag_key="ff.x", rollout=rollout))
        return decide(Facts(Request("ff.x"), NOW, caller, records), "file").reason

    assert reason(42.803) == "rollout_out"
    assert reason(42.804) == "rollout_in"


STATES = [
    ("valid", {}, "allow"),
    ("expiring_soon", {"expires_at": NOW + timedelta(minutes=15)}, "allow"),
    ("valid", {"expires_at": NOW + timedelta(minutes=15) + MICRO}, "allow"),
    ("expired", {"expires_at": NOW}, "approval_expired"),
    ("revoked", {"revoked_at": NOW}, "approval_revoked"),
    ("valid", {"revoked_at": NOW + MICRO}, "allow"),
    ("valid", {"valid_from": NOW}, "allow"),
    ("not_yet_valid", {"valid_from": NOW + MICRO}, "approval_not_yet_valid"),
    (
        "revoked",
        {"revoked_at": NOW, "expires_at": NOW, "valid_from": NOW + MICRO},
        "approval_revoked",
    ),
    ("absent", {"found": False}, "approval_missing"),
    ("absent", {"flag_key": "F"}, "approval_missing"),
    ("absent", {"tenant_id": "t"}, "approval_missing"),
    ("absent", {"approval_ref": "B"}, "approval_missing"),
]


@pytest.mark.parametrize(("state", "changes", "expected"), STATES)
def test_the_states_of_an_approval(state: str, changes: dict[str, Any], expected: str) -> None:
    found = decided(Records(flag(sensitive=True)), ref="A", approval=approval(**changes))
    assert (found["meta"]["approval_ref"], found["meta"]["ttl_state"]) == ("A", state)
    if expected == "allow":
        assert chain(found)[3] == "sensitive_overlay:approved"
        soon = ["approval_expiring_soon"] if state == "expiring_soon" else []
        assert found["warnings"] == soon
    else:
        assert (found["decision"], found["reason"], found["value"]) == ("deny", expected, "safe")
        assert chain(found) == [*OPEN, f"sensitive_overlay:{expected}"]


def test_a_denied_sensitive_flag_does_not_leak_an_override() -> None:
    found = decided(Records(flag(sensitive=True), override(), override()))
    assert (found["value"], found["reason"]) == ("safe", "approval_missing")
    assert (found["meta"]["approval_ref"], found["meta"]["ttl_state"]) == (None, "absent")


@pytest.mark.parametrize("ref", ["", "x" * 201, "a\x00b"])
def test_an_illegal_ref_is_a_missing_approval(ref: str) -> None:
    found = decided(Records(flag(sensitive=True)), ref=ref)
    assert (found["reason"], found["meta"]["ttl_state"]) == ("approval_missing", "absent")


@pytest.mark.parametrize("mode", [AuthMode.DECODE_ONLY, AuthMode.DEV_HEADERS, AuthMode.ANONYMOUS])
def test_only_verified_passes_the_overlay(mode: AuthMode) -> None:
    caller = Identity(mode, "T", "U", ("auth_not_verified",))
    found = decided(Records(flag(sensitive=True)), caller=caller, ref="A", approval=approval())
    assert (found["decision"], found["reason"]) == ("deny", "auth_not_verified")
    assert (found["meta"]["approval_ref"], found["meta"]["ttl_state"]) == ("A", None)
    assert found["warnings"] == ["auth_not_verified"]


@pytest.mark.parametrize("reason", [FailSafe.ADMIN_UNREACHABLE, FailSafe.ADMIN_INVALID])
def test_no_answer_from_admin_ends_in_the_fail_safe(reason: FailSafe) -> None:
    records = Records(flag(sensitive=True), override(), override())
    found = decided(records, ref="A", approval=Failed(reason))
    assert chain(found) == [*OPEN, f"sensitive_overlay:{reason}", f"fail_safe:{reason}"]
    assert (found["decision"], found["value"], found["http_status"]) == ("deny", "safe", 200)
    assert (found["warnings"], found["code"]) == ([reason], None)
    assert (found["meta"]["approval_ref"], found["meta"]["ttl_state"]) == ("A", None)


def test_an_approval_without_a_bound_is_admins_mistake() -> None:
    found = decided(Records(flag(sensitive=True)), ref="A", approval=approval(expires_at=None))
    assert found["reason"] == "admin_invalid"


@pytest.mark.parametrize(
    ("records", "reason"),
    [
        (Failed(FailSafe.BACKING_UNAVAILABLE), "backing_unavailable"),
        (Records(Corrupt("x"), override()), "record_invalid"),
    ],
)
def test_without_a_sound_flag_record_there_is_no_value(records: Any, reason: str) -> None:
    found = decided(records)
    assert chain(found) == ["auth:verified", f"lookup:{reason}", f"fail_safe:{reason}"]
    assert (found["value"], found["http_status"], found["code"]) == (None, 503, reason)
    assert found["warnings"] == [reason]


@pytest.mark.parametrize("bad", [Corrupt("x"), override(value=7)])
def test_a_corrupt_override_denies_and_no_lower_rule_is_tried(bad: Any) -> None:
    found = decided(Records(flag(), bad, override("ours")))
    assert chain(found) == [*PLAIN, "user_override:record_invalid", "fail_safe:record_invalid"]
    assert (found["decision"], found["value"], found["http_status"]) == ("deny", "safe", 200)


def test_a_corrupt_override_that_no_rule_reaches_changes_nothing() -> None:
    found = decided(Records(flag(), override("mine", user="U"), Corrupt("x")))
    assert found["value"] == "mine"


def test_what_is_handed_out_is_nobody_elses() -> None:
    value = {"a": [1]}
    whole = flag(value_type="object", default_value=value, safe_value={})
    decided(Records(whole))["value"]["a"].append(2)
    assert whole.default_value == {"a": [1]}


@pytest.mark.parametrize("changes", [{"flag_key": "g"}, {"tenant_id": "t"}, {"user_id": "u"}])
@pytest.mark.parametrize("scope", ["user", "tenant"])
def test_an_override_of_somebody_else_is_a_store_that_mixes_up_its_answers(
    changes: dict[str, str], scope: str
) -> None:
    own = override("mine", user="U") if scope == "user" else override("ours")
    mixed = msgspec.structs.replace(own, **changes)
    records = Records(flag(), mixed) if scope == "user" else Records(flag(), None, mixed)
    found = decided(records)
    assert (found["decision"], found["reason"]) == ("deny", "record_invalid")


def test_the_record_of_another_flag_is_one_as_well() -> None:
    found = decided(Records(flag(flag_key="g")))
    assert (found["decision"], found["reason"], found["value"]) == ("deny", "record_invalid", None)
    assert found["meta"]["flag_version"] is None


@pytest.mark.parametrize("caller", [USER, Identity(AuthMode.ANONYMOUS)])
@pytest.mark.parametrize(
    "changes",
    [
        {"sensitive": None},
        {"sensitive": 0},
        {"enabled": "false"},
        {"safe_value": 1},
        {"rollout": 5},
    ],
)
def test_a_flag_that_a_store_made_ill_typed_is_no_sound_record(
    caller: Identity, changes: dict[str, Any]
) -> None:
    records = Records(msgspec.structs.replace(flag(sensitive=True), **changes))
    found = decided(records, caller=caller, ref="A", approval=approval())
    assert (found["reason"], found["value"], found["http_status"]) == ("record_invalid", None, 503)


@pytest.mark.parametrize("tenant", ["", "x" * 201, 7])
def test_a_tenant_that_can_be_no_id_has_no_approval(tenant: Any) -> None:
    caller = Identity(AuthMode.VERIFIED, tenant, "U")
    answer = approval(tenant_id=str(tenant))
    found = decided(Records(flag(sensitive=True)), caller=caller, ref="A", approval=answer)
    assert (found["reason"], found["value"]) == ("approval_missing", "safe")
