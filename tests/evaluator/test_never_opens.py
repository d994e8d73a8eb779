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
    Rollout,
)
from pytest_ffparity.evaluator.names import AuthMode, FailSafe
from pytest_ffparity.evaluator.records import read_flag

NOW = datetime(2026, 4, 19, tzinfo=UTC)
TICK = timedelta(microseconds=1)
GARBAGE: list[Any] = [None, "x", 0, True, [], {}, object(), SimpleNamespace(found=True)]
FAILED = [Failed(reason) for reason in FailSafe]
BROKEN: list[Any] = [ValueError("a defect"), KeyError("x"), TimeoutError(), RecursionError()]

MODES: list[Any] = [*AuthMode, "verified", "root", None, 1]
TENANTS: list[Any] = ["T", "t", "T ", None, "None", "", 7, "7", "x" * 201]
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
OFF = read_flag({**FLAG, "enabled": False})
OTHER = read_flag({**FLAG, "flag_key": "ff.t"})
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
CALLER = Identity(AuthMode.VERIFIED, "T", "U")
# They have all that the sound ones have, and are none of them.
ALIKE: list[Any] = [
    SimpleNamespace(**msgspec.structs.asdict(sound))
    for sound in (CALLER, APPROVAL, SOUND, USER_OVERRIDE, Records(SOUND, USER_OVERRIDE))
]
OTHERS: list[Any] = [*FAILED, *BROKEN, *GARBAGE, *ALIKE, Rejection("token_expired")]
# A store of somebody else's making may hand out what `read_flag` would have refused.
ILL_TYPED: dict[str, list[Any]] = {
    "value_type": ["text", "number", None, []],
    "default_value": [1, None, {}],
    "safe_value": [1, None, {}],
    "off_value": [1, None, {}],
    "enabled": [None, 1, "false"],
    "sensitive": [None, 0, "", "false", "true"],
    "rollout": [
        *("x", 100, {}, Rollout(100, 1), Rollout(101, "x"), Rollout(-1, "x")),
        *(Rollout(0.0001, "x"), Rollout("all", "x"), Rollout(None, "x")),  # type: ignore[arg-type]
    ],
}
FLAGS: list[Any] = [
    *(replace(SOUND, **{field: odd}) for field, odds in ILL_TYPED.items() for odd in odds),
    *(OFF, OFF, OFF, OTHER, Corrupt("x"), *ALIKE, *GARBAGE),
]
# What may be other than it should: fields by part, None for the whole part, and what it may be.
OVERRIDE: dict[str | None, list[Any]] = {
    "flag_key": KEYS,
    "tenant_id": TENANTS,
    "user_id": USERS,
    "value": VALUES,
    "expires_at": TIMES,
    None: [Corrupt("x"), *ALIKE, *GARBAGE],
}
WRONG: dict[str, dict[str | None, list[Any]]] = {
    "caller": {"mode": MODES, "tenant_id": TENANTS, "user_id": USERS, None: OTHERS},
    "user": OVERRIDE,
    "tenant": OVERRIDE,
    "approval": {
        "found": [True, False, None, 1, "no"],
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
        "caller": CALLER,
        "flag": chance.choice([SOUND, ROLLED]),
        "user": chance.choice([None, USER_OVERRIDE]),
        "tenant": chance.choice([None, TENANT_OVERRIDE]),
        "approval": APPROVAL,
        "records": None,
        "key": "ff.s",
        "ref": "APP-1",
    }
    if chance.random() < 0.2:  # an odd one, on which all parts agree
        odd = chance.choice(TENANTS)
        for part in ("caller", "approval", "user", "tenant"):
            if said[part] is not None:
                said[part] = replace(said[part], tenant_id=chance.choice([odd, odd, str(odd)]))
    if chance.random() < 0.1 and said["user"] is not None:
        odd = chance.choice(USERS)
        said |= {part: replace(said[part], user_id=odd) for part in ("caller", "user")}
    if chance.random() < 0.1:
        said["ref"] = chance.choice(REFS)
        said["approval"] = replace(said["approval"], approval_ref=said["ref"])
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


def sound(found: Any, request: Request) -> Flag | None:
    flag = found.flag if isinstance(found, Records) else None
    whole = [one for one in (SOUND, ROLLED, OFF, OTHER) if one is flag]
    return whole[0] if whole and whole[0].flag_key == request.flag_key else None


def served(caller: Identity, found: Records, flag: Flag) -> tuple[str, Any] | None:
    """Give the reason and the value for a caller who was let through; None is a deny."""
    for reason, override, user in (
        ("user_override", found.user_override, caller.user_id),
        ("tenant_override", found.tenant_override, None),
    ):
        if override is None:
            continue
        if not isinstance(override, Override) or not isinstance(override.value, str):
            return None
        if (reason == "user_override") != isinstance(user, str):
            return None
        ids = (override.flag_key, override.tenant_id, override.user_id)
        if ids != (flag.flag_key, caller.tenant_id, user):
            return None
        if override.expires_at is None:
            return reason, override.value
        if not aware(override.expires_at):
            return None
        if override.expires_at > NOW:
            return reason, override.value
    if flag is ROLLED:
        return "rollout_in", "rolled"
    return "registry_default", "default"


def may_open(caller: Identity, flag: Flag, approval: Any, request: Request) -> bool:
    """Say whether the definition lets this caller through to a sensitive flag's live value."""
    if caller.mode is not AuthMode.VERIFIED or flag is OFF:
        return False
    if not isinstance(caller.tenant_id, str) or not 1 <= len(caller.tenant_id) <= 200:
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
    caller, approval = said["caller"], said["approval"]
    parts: list[Any] = [Part(found), Part(caller), Part(approval), lambda: NOW]
    decision = finished(Evaluator(*parts).evaluate(request))
    decision.to_dict()
    flag = sound(found, request) if isinstance(caller, Identity) else None
    live = None
    if flag is not None and may_open(caller, flag, approval, request):
        live = served(caller, found, flag)
    if live is not None:
        assert (decision.decision, decision.reason, decision.value) == ("allow", *live)
        opened.append(decision.reason)
        return
    assert decision.decision == "deny"
    expected = None
    if flag is not None:
        expected = "off" if flag is OFF else "safe"
    assert decision.value == expected
    assert decision.override_scope is None
    assert not {"user_override", "tenant_override"} & {s.outcome for s in decision.reason_chain}
    if decision.reason_chain[-1].rule == "fail_safe":
        assert decision.warnings[-1] == decision.reason


def test_nothing_opens_a_sensitive_flag_that_the_definition_keeps_shut() -> None:
    opened: list[Any] = []
    judged(opened)
    # The cases reach through to every rule that serves a value.
    assert set(opened) >= {"user_override", "tenant_override", "registry_default", "rollout_in"}
