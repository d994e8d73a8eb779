"""Nothing that the parts around it may say makes the evaluator open what the definition keeps shut.

The oracle here is one sentence of the definition after the other, and shares no rule with the
evaluator. The parts answer soundly, wrongly, for somebody else, with garbage, or not at all.
"""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pytest_ffparity.evaluator.evaluator import Evaluator
from pytest_ffparity.evaluator.model import (
    Approval,
    Corrupt,
    Decision,
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

NOW = datetime(2026, 4, 19, tzinfo=UTC)
TICK = timedelta(microseconds=1)
GARBAGE: list[Any] = [None, "x", 0, True, [], {}, object(), SimpleNamespace(found=True)]
FAILED = [Failed(reason) for reason in FailSafe]
BROKEN: list[Any] = [ValueError("a defect"), KeyError("x"), TimeoutError(), RecursionError()]

MODES: list[Any] = [*AuthMode, "verified", "root", None, 1]
TENANTS: list[Any] = ["T", "t", "T ", None, "None", "", 7]
USERS: list[Any] = ["U", "u", None]
KEYS: list[Any] = ["ff.s", "ff.S", "ff.t", "", None]
REFS: list[Any] = ["APP-1", "app-1", "APP-2", "", None, "x" * 201, "\ud800"]
VALUES: list[Any] = ["o", 1, True, None, {}]
TIMES: list[Any] = [
    *(NOW + delta for delta in (-TICK, timedelta(), TICK, timedelta(minutes=15))),
    *(NOW + delta for delta in (-timedelta(days=1), timedelta(days=1), timedelta(minutes=16))),
    *(None, NOW.replace(tzinfo=None), "2026-05-01T00:00:00Z", 0),
    NOW.astimezone(timezone(timedelta(hours=14))),
]
FLAG = {
    "flag_key": "ff.s",
    "value_type": "string",
    "default_value": "default",
    "safe_value": "safe",
    "off_value": "off",
    "sensitive": True,
    "version": 1,
}
SOUND = read_flag(FLAG)
ROLLED = read_flag({**FLAG, "rollout": {"percentage": 100, "value": "rolled"}})
FLAGS: list[Any] = [
    read_flag({**FLAG, "enabled": False}),
    read_flag({**FLAG, "flag_key": "ff.t"}),
    Corrupt("x"),
    *GARBAGE,
]
TENANT_OVERRIDE = Override(
    flag_key="ff.s", tenant_id="T", user_id=None, value="o", expires_at=None, version=1
)
USER_OVERRIDE = replace(TENANT_OVERRIDE, user_id="U")
APPROVAL = Approval(
    found=True,
    approval_ref="APP-1",
    flag_key="ff.s",
    tenant_id="T",
    valid_from=NOW - timedelta(days=1),
    expires_at=NOW + timedelta(days=1),
)
OTHERS: list[Any] = [*FAILED, *BROKEN, *GARBAGE, Rejection("token_expired")]
# What may be other than it should: fields by part, None for the whole part, and what it may be.
OVERRIDE: dict[str | None, list[Any]] = {
    "flag_key": KEYS,
    "tenant_id": TENANTS,
    "user_id": USERS,
    "value": VALUES,
    "expires_at": TIMES,
    None: [Corrupt("x"), *GARBAGE],
}
WRONG: dict[str, dict[str | None, list[Any]]] = {
    "caller": {"mode": MODES, "tenant_id": TENANTS, "user_id": USERS, None: OTHERS},
    "user": OVERRIDE,
    "tenant": OVERRIDE,
    "approval": {
        "found": [True, False, None],
        "approval_ref": REFS,
        "flag_key": KEYS,
        "tenant_id": TENANTS,
        "valid_from": TIMES,
        "expires_at": TIMES,
        "revoked_at": TIMES,
        None: OTHERS,
    },
    "flag": {None: FLAGS},
    "records": {None: OTHERS},
    "key": {None: KEYS},
    "ref": {None: REFS},
}
EACH = [(part, field) for part, fields in WRONG.items() for field in fields]


def situation(seed: int) -> dict[str, Any]:
    """Say what the parts say: all sound, with up to three things that are not."""
    chance = Random(seed)  # noqa: S311 - no secret, a replay
    said: dict[str, Any] = {
        "caller": Identity(AuthMode.VERIFIED, "T", "U"),
        "flag": chance.choice([SOUND, ROLLED]),
        "user": chance.choice([None, USER_OVERRIDE]),
        "tenant": chance.choice([None, TENANT_OVERRIDE]),
        "approval": APPROVAL,
        "records": None,
        "key": "ff.s",
        "ref": "APP-1",
    }
    for part, field in chance.choices(EACH, k=chance.randrange(4)):
        wrong = chance.choice(WRONG[part][field])
        if field is None:
            said[part] = wrong
        elif isinstance(said[part], msgspec.Struct) and hasattr(said[part], field):
            said[part] = replace(said[part], **{field: wrong})
    if said["records"] is None:
        said["records"] = Records(said["flag"], said["user"], said["tenant"])
    return said


class Part:
    """Gives what was drawn, or raises it."""

    state = "db"

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    async def _give(self, *_: Any, **__: Any) -> Any:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    authenticate = read = check = _give


def aware(moment: object) -> bool:
    return isinstance(moment, datetime) and moment.tzinfo is not None


def may_open(caller: Any, found: Any, approval: Any, request: Request) -> bool:
    """Say whether the definition lets this caller through to a sensitive flag's live value."""
    if not isinstance(caller, Identity) or caller.mode is not AuthMode.VERIFIED:
        return False
    if not isinstance(caller.tenant_id, str) or caller.tenant_id == "":
        return False
    flag = found.flag if isinstance(found, Records) else None
    if not isinstance(flag, Flag) or flag.flag_key != request.flag_key or not flag.enabled:
        return False
    ref = request.approval_ref
    if ref is None or not ref.isascii() or not 1 <= len(ref) <= 200:
        return False
    if not isinstance(approval, Approval) or approval.found is not True:
        return False
    bound = (approval.approval_ref, approval.flag_key, approval.tenant_id)
    if bound != (ref, request.flag_key, caller.tenant_id):
        return False
    start, end, revoked = approval.valid_from, approval.expires_at, approval.revoked_at
    if not aware(start) or not aware(end) or not (revoked is None or aware(revoked)):
        return False
    assert start is not None
    assert end is not None
    return start <= NOW and end > NOW and (revoked is None or revoked > NOW)


def finished(work: Coroutine[Any, Any, Decision]) -> Decision:
    """Run what has nothing to wait for; an event loop would cost more than the decision."""
    try:
        work.send(None)
    except StopIteration as done:
        return cast("Decision", done.value)
    raise AssertionError("the evaluator waited for something")


# One number an example: what is drawn costs more than what is checked.
@settings(max_examples=5000, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**64))
def judged(opened: list[Any], seed: int) -> None:
    said = situation(seed)
    found = said["records"]
    request = Request(said["key"], (), said["ref"])
    records, caller, approval = Part(found), Part(said["caller"]), Part(said["approval"])
    evaluator = Evaluator(records, caller, approval, clock=lambda: NOW)  # type: ignore[arg-type]
    decision = finished(evaluator.evaluate(request))
    if decision.decision == "allow":
        assert may_open(said["caller"], found, said["approval"], request)
        opened.append(decision.reason)
        return
    flag = found.flag if isinstance(found, Records) else None
    expected = None
    if (
        isinstance(said["caller"], Identity)
        and isinstance(flag, Flag)
        and flag.flag_key == request.flag_key
    ):
        expected = "safe" if flag.enabled else "off"
    assert decision.value == expected
    assert decision.override_scope is None
    assert not {"user_override", "tenant_override"} & {s.outcome for s in decision.reason_chain}
    if decision.reason_chain[-1].rule == "fail_safe":
        assert decision.warnings[-1] == decision.reason
    decision.to_dict()


def test_nothing_opens_a_sensitive_flag_that_the_definition_keeps_shut() -> None:
    opened: list[Any] = []
    judged(opened)
    # The cases reach through to every rule that serves a value.
    assert set(opened) >= {"user_override", "tenant_override", "registry_default", "rollout_in"}
