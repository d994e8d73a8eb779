"""Walks the rules over complete facts and writes the decision down. Pure and total."""

from __future__ import annotations

from pytest_ffparity.evaluator.model import (
    BackingState,
    Decision,
    Failed,
    Identity,
    Meta,
    Step,
)
from pytest_ffparity.evaluator.names import AUTH_SOURCE, AuthMode, FailSafe, Rule, TTLState
from pytest_ffparity.evaluator.rules import (
    RULES,
    Decide,
    Facts,
    approval_state,
    fail_safe,
)
from pytest_ffparity.formats.strict_json import copied


def decide(facts: Facts, backing_state: BackingState, latency_ms: float = 0.0) -> Decision:
    """Give the decision that the facts lead to."""
    steps: list[Step] = []
    warnings: list[str] = []
    verdict: Decide | None = None
    for rule, consult in RULES:
        try:
            outcome = consult(facts)
        except Exception:  # noqa: BLE001 - facts of a kind that no rule foresees deny in that rule
            outcome = Failed(FailSafe.INTERNAL_ERROR)
        if isinstance(outcome, Failed):
            steps += [Step(rule, outcome.reason), Step(Rule.FAIL_SAFE, outcome.reason)]
            warnings.append(outcome.reason)
            verdict = fail_safe(facts, outcome.reason)
            break
        steps.append(Step(rule, outcome.outcome))
        if isinstance(outcome, Decide):
            verdict = outcome
            break
        warnings.extend(outcome.warnings)
    if verdict is None:
        # Rule 7 decides always; a chain that runs out is a defect, and a defect denies.
        steps.append(Step(Rule.FAIL_SAFE, FailSafe.INTERNAL_ERROR))
        warnings.append(FailSafe.INTERNAL_ERROR)
        verdict = fail_safe(facts, FailSafe.INTERNAL_ERROR)
    return Decision(
        flag_key=facts.request.flag_key,
        decision=verdict.decision,
        value=copied(verdict.value),
        reason=verdict.outcome,
        reason_chain=tuple(steps),
        override_scope=verdict.scope,
        http_status=verdict.http_status,
        code=verdict.code,
        warnings=tuple(warnings),
        meta=_meta(facts, backing_state, latency_ms),
    )


def _meta(facts: Facts, backing_state: BackingState, latency_ms: float) -> Meta:
    mode = facts.caller.mode if isinstance(facts.caller, Identity) else None
    sound = None if mode is None else facts.sound_flag
    sensitive = sound is not None and sound.sensitive
    state = None
    if sound is not None and sensitive and sound.enabled and mode is AuthMode.VERIFIED:
        state = _ttl_state(facts)
    return Meta(
        auth_mode=mode,
        auth_source=None if mode is None else AUTH_SOURCE.get(mode),
        approval_ref=facts.request.approval_ref if sensitive else None,
        ttl_state=state,
        backing_state=backing_state,
        flag_version=sound.flag_version if sound is not None else None,
        evaluated_at=facts.now,
        latency_ms=latency_ms,
    )


def _ttl_state(facts: Facts) -> TTLState | None:
    try:
        answer = approval_state(facts)
    except Exception:  # noqa: BLE001 - the rule has denied for it already
        return None
    return None if isinstance(answer, Failed) else answer
