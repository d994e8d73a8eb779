"""What the shipped files expect is complete, well formed, and what the rules give."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

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
    ValueType,
)
from pytest_ffparity.evaluator.names import AuthMode, FailSafe
from pytest_ffparity.evaluator.records import (
    RecordError,
    has_type,
    read_flag,
    read_tenant_override,
    read_user_override,
)
from pytest_ffparity.evaluator.rules import Facts, asks_admin
from pytest_ffparity.formats import instant, schema, strict_json
from pytest_ffparity.formats.pointer import split
from pytest_ffparity.vectors.model import MatrixFile

VARYING = {"backing_state": "file", "latency_ms": 0.0}


def whole(expected: dict[str, Any]) -> dict[str, Any]:
    return {**expected, "meta": {**expected["meta"], **VARYING}}


def test_every_world_request_and_expected_decision_fits_its_schema(cases: Any) -> None:
    for case in cases:
        assert schema.problems("world.v1", case.world) == [], case.label
        assert schema.problems("request.v1", case.request) == [], case.label
        assert schema.problems("decision.v1", whole(case.expected)) == [], case.label


def test_the_matrix_names_every_field_of_a_decision_once(matrix_file: MatrixFile) -> None:
    decision = json.loads(schema.text("decision.v1"))
    fields = {f"/{field}" for field in decision["properties"] if field != "meta"}
    fields |= {f"/meta/{field}" for field in decision["$defs"]["meta"]["properties"]}
    named = [f for row in matrix_file.rows if row.document == "decision" for f in row.fields]
    assert sorted(named) == sorted(fields)
    assert {row.id for row in matrix_file.rows} == {f"PV-{n:02}" for n in range(1, 9)}


def test_the_matrix_requires_the_seventeen_and_the_ten(matrix_file: MatrixFile) -> None:
    ten = [f"JWT-EX-{n:02}" for n in range(1, 11)]
    assert list(matrix_file.required) == [f"PT-{n:02}" for n in range(1, 18)] + ten


def test_every_field_that_must_match_is_expected_and_no_other(
    cases: Any, matrix_file: MatrixFile
) -> None:
    rows = [row for row in matrix_file.rows if row.document == "decision"]
    named = {f for row in rows if row.rule == "MUST_MATCH" for f in row.fields}
    assert {f for row in rows for f in row.fields} - named == {f"/meta/{f}" for f in VARYING}
    for case in cases:
        found = {f"/{key}" for key in case.expected if key != "meta"}
        found |= {f"/meta/{key}" for key in case.expected["meta"]}
        assert found == named, case.label
        assert all(split(field) for field in found)


def test_every_expected_decision_is_what_the_rules_give(cases: Any) -> None:
    for case in cases:
        given = decide(facts(case), "file").to_dict()
        assert strict_json.same(given, whole(case.expected)), case.label


def facts(case: Any) -> Facts:
    """Gather the facts by hand; who is calling is taken as rule 1 is expected to find it."""
    request = Request(case.request["flag_key"], (), case.request.get("approval_ref"))
    now = instant.parse(case.now)
    if case.mode is None:
        code = case.expected["code"]
        return Facts(request, now, Rejection(code, case.expected["http_status"]))
    by_auth = [
        w for w in case.expected["warnings"] if w not in {*FailSafe, "approval_expiring_soon"}
    ]
    tenant, user = case.caller
    caller = Identity(AuthMode(case.mode), tenant, user, tuple(by_auth))
    if not 0 < len(request.flag_key.encode()) <= 200:
        return Facts(request, now, caller)
    if case.world.get("backing") == "missing":
        return Facts(request, now, caller, Failed(FailSafe.BACKING_UNAVAILABLE))
    first = Facts(request, now, caller, records(case))
    return (
        Facts(request, now, caller, records(case), approval(case)) if asks_admin(first) else first
    )


def records(case: Any) -> Records:
    flag = sound(case, read_flag, case.flag, "default_value")
    user = sound(case, read_user_override, case.user_override, "value")
    tenant = sound(case, read_tenant_override, case.tenant_override, "value")
    value_type: ValueType = case.flag["value_type"] if case.flag else "bool"
    overrides = [
        Corrupt("type") if isinstance(o, Override) and not has_type(o.value, value_type) else o
        for o in (user, tenant)
    ]
    return Records(flag, *overrides)


def sound(
    case: Any,
    read: Callable[[object], Flag | Override],
    record: dict[str, Any] | None,
    overwritten: str,
) -> Any:
    if record is None:
        return None
    ids = {key: record[key] for key in ("flag_key", "tenant_id", "user_id") if key in record}
    for corruption in case.world.get("corrupt", []):
        if {key: member for key, member in corruption.items() if key != "value"} == ids:
            record = {**record, overwritten: corruption["value"]}
    try:
        return read(record)
    except RecordError as error:
        return Corrupt(str(error))


def approval(case: Any) -> Approval | Failed:
    if not case.admin_reachable:
        return Failed(FailSafe.ADMIN_UNREACHABLE)
    record = case.approval
    if record is None:
        return Approval(found=False)
    if record["valid_from"] is None or record["expires_at"] is None:
        return Failed(FailSafe.ADMIN_INVALID)
    read: dict[str, Any] = {
        key: at if key in ("approval_ref", "flag_key", "tenant_id") else instant.parse(at)
        for key, at in record.items()
        if at is not None
    }
    return Approval(found=True, **read)
