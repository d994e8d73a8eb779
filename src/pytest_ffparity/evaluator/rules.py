"""The eight rules, pure: facts in, outcome out. `RULES` is their order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final, Literal, TypeAlias

import msgspec

from pytest_ffparity.evaluator.approval import ttl_state
from pytest_ffparity.evaluator.ids import legal_id
from pytest_ffparity.evaluator.model import (
    JSON,
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
from pytest_ffparity.evaluator.names import (
    AuthMode,
    FailSafe,
    Passed,
    Reason,
    Rule,
    Scope,
    TTLState,
    Warn,
)
from pytest_ffparity.evaluator.records import has_type, well_typed
from pytest_ffparity.evaluator.rollout import bucket, thousandths


class Facts(msgspec.Struct, frozen=True):
    """Everything the rules may look at; None where a question was not asked."""

    request: Request
    now: datetime
    caller: Identity | Rejection | Failed
    records: Records | Failed | None = None
    approval: Approval | Failed | None = None

    @property
    def identity(self) -> Identity:
        """The caller, once rule 1 let it pass."""
        if not isinstance(self.caller, Identity):
            raise TypeError("rule 1 has not let this caller pass")
        return self.caller

    @property
    def flag(self) -> Flag:
        """The sound flag record, once rule 2 found it."""
        if not isinstance(self.records, Records) or not isinstance(self.records.flag, Flag):
            raise TypeError("rule 2 has found no sound flag record")
        return self.records.flag

    @property
    def sound_flag(self) -> Flag | None:
        """The record of the flag that was asked for, if a sound one was read."""
        flag = self.records.flag if isinstance(self.records, Records) else None
        # A store that mixes up its answers must not open one flag by the record of another.
        if isinstance(flag, Flag) and flag.flag_key == self.request.flag_key and well_typed(flag):
            return flag
        return None

    @property
    def found(self) -> Records:
        """The records, once rule 2 got an answer."""
        if not isinstance(self.records, Records):
            raise TypeError("rule 2 has got no records")
        return self.records


class GoOn(msgspec.Struct, frozen=True):
    """The rule does not decide; the next one is consulted."""

    outcome: str
    warnings: tuple[str, ...] = ()


class Decide(msgspec.Struct, frozen=True):
    """The rule decides, and ends the chain."""

    outcome: str
    decision: Literal["allow", "deny"]
    value: JSON = None
    scope: Scope | None = None
    http_status: int = 200
    code: str | None = None


Outcome: TypeAlias = GoOn | Decide | Failed


def auth(facts: Facts) -> Outcome:
    """Rule 1: refuse bad credentials; else go on with the mode and its warnings."""
    caller = facts.caller
    if isinstance(caller, Identity):
        return GoOn(caller.mode, caller.warnings)
    if isinstance(caller, Failed):
        return caller
    return Decide(caller.code, "deny", http_status=caller.http_status, code=caller.code)


def lookup(facts: Facts) -> Outcome:
    """Rule 2: find the flag's record, and check it whole."""
    if isinstance(facts.records, Failed):
        return facts.records
    flag = facts.records.flag if facts.records is not None else None
    if flag is None:
        reason = Reason.FLAG_NOT_FOUND
        return Decide(reason, "deny", http_status=404, code=reason)
    if facts.sound_flag is None:
        return Failed(FailSafe.RECORD_INVALID)
    return GoOn(Passed.FOUND)


def kill_switch(facts: Facts) -> Outcome:
    """Rule 3: a flag that is switched off serves its `off_value`."""
    if not facts.flag.enabled:
        return Decide(Reason.FLAG_DISABLED, "deny", facts.flag.off_value)
    return GoOn(Passed.ON)


_DENIED_BY_STATE: Final = {
    TTLState.ABSENT: Reason.APPROVAL_MISSING,
    TTLState.REVOKED: Reason.APPROVAL_REVOKED,
    TTLState.NOT_YET_VALID: Reason.APPROVAL_NOT_YET_VALID,
    TTLState.EXPIRED: Reason.APPROVAL_EXPIRED,
}


def sensitive_overlay(facts: Facts) -> Outcome:
    """Rule 4: a sensitive flag needs a verified caller and a live approval."""
    if not facts.flag.sensitive:
        return GoOn(Passed.NOT_SENSITIVE)
    if facts.identity.mode is not AuthMode.VERIFIED:
        return Decide(Reason.AUTH_NOT_VERIFIED, "deny", facts.flag.safe_value)
    state = approval_state(facts)
    if isinstance(state, Failed):
        return state
    denied = _DENIED_BY_STATE.get(state)
    if denied is not None:
        return Decide(denied, "deny", facts.flag.safe_value)
    soon = state is TTLState.EXPIRING_SOON
    return GoOn(Passed.APPROVED, (Warn.APPROVAL_EXPIRING_SOON,) if soon else ())


def approval_state(facts: Facts) -> TTLState | Failed:
    """Give the state of a verified caller's approval of a sensitive flag."""
    if not asks_admin(facts):
        return TTLState.ABSENT
    if isinstance(facts.approval, Failed):
        return facts.approval
    if not isinstance(facts.approval, Approval):
        return Failed(FailSafe.INTERNAL_ERROR)
    return ttl_state(
        facts.approval,
        approval_ref=str(facts.request.approval_ref),
        flag_key=facts.flag.flag_key,
        tenant_id=str(facts.identity.tenant_id),
        now=facts.now,
    )


def asks_admin(facts: Facts) -> bool:
    """Tell whether rule 4 needs Admin's answer: sensitive, on, verified, and a legal ref given."""
    return (
        isinstance(facts.caller, Identity)
        and facts.caller.mode is AuthMode.VERIFIED
        and legal_id(facts.caller.tenant_id)
        and isinstance(facts.records, Records)
        and isinstance(facts.records.flag, Flag)
        and facts.records.flag.enabled
        and facts.records.flag.sensitive
        and legal_id(facts.request.approval_ref)
    )


def user_override(facts: Facts) -> Outcome:
    """Rule 5: the caller's own override, if it lives."""
    return _override(facts, facts.found.user_override, Scope.USER, Reason.USER_OVERRIDE)


def tenant_override(facts: Facts) -> Outcome:
    """Rule 6: the override of the caller's tenant, if it lives."""
    return _override(facts, facts.found.tenant_override, Scope.TENANT, Reason.TENANT_OVERRIDE)


def _override(
    facts: Facts, override: Override | Corrupt | None, scope: Scope, reason: Reason
) -> Outcome:
    if override is None:
        return GoOn(Passed.NONE)
    if (
        not isinstance(override, Override)
        or not has_type(override.value, facts.flag.value_type)
        or not _concerns(facts, override, scope)
    ):
        return Failed(FailSafe.RECORD_INVALID)
    if override.expires_at is not None and override.expires_at <= facts.now:
        return GoOn(Passed.EXPIRED)
    return Decide(reason, "allow", override.value, scope)


def _concerns(facts: Facts, override: Override, scope: Scope) -> bool:
    """Tell whether an override is the caller's, and not somebody else's that a store mixed up."""
    caller = facts.identity
    if caller.tenant_id is None or (scope is Scope.USER and caller.user_id is None):
        return False
    return (
        override.flag_key == facts.flag.flag_key
        and override.tenant_id == caller.tenant_id
        and override.user_id == (caller.user_id if scope is Scope.USER else None)
    )


def registry(facts: Facts) -> Outcome:
    """Rule 7: the rollout's value for those inside it, the default for everybody else."""
    flag, caller = facts.flag, facts.identity
    rollout = flag.rollout
    if rollout is None:
        return Decide(Reason.REGISTRY_DEFAULT, "allow", flag.default_value, Scope.DEFAULT)
    # A caller without a tenant has no unit to put into a bucket.
    inside = caller.tenant_id is not None and bucket(
        rollout.salt, flag.flag_key, caller.tenant_id, caller.user_id
    ) < thousandths(rollout.percentage)
    if inside:
        return Decide(Reason.ROLLOUT_IN, "allow", rollout.value, Scope.DEFAULT)
    return Decide(Reason.ROLLOUT_OUT, "allow", flag.default_value, Scope.DEFAULT)


def fail_safe(facts: Facts, reason: FailSafe) -> Decide:
    """Rule 8: a rule could not be carried out; deny, with the safe value if one is known."""
    if facts.sound_flag is not None:
        return Decide(reason, "deny", facts.sound_flag.safe_value)
    return Decide(reason, "deny", http_status=503, code=reason)


RULES: Final[tuple[tuple[Rule, Callable[[Facts], Outcome]], ...]] = (
    (Rule.AUTH, auth),
    (Rule.LOOKUP, lookup),
    (Rule.KILL_SWITCH, kill_switch),
    (Rule.SENSITIVE_OVERLAY, sensitive_overlay),
    (Rule.USER_OVERRIDE, user_override),
    (Rule.TENANT_OVERRIDE, tenant_override),
    (Rule.REGISTRY, registry),
)
