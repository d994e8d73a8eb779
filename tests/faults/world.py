"""The flags of a service that is about to be broken, what is asked of it, and what it must say."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from pytest_ffparity.evaluator.names import FailSafe
from pytest_ffparity.evaluator.records import read_flag

NOW: Final = datetime(2026, 4, 19, 12, 0, tzinfo=UTC)
TENANT: Final = "T-pty-pilot-01"
USER: Final = "U1001"
REF: Final = "APP-100001-abcd"
SAFE: Final = "closed"
SENSITIVE: Final = "ff.sensitive"

_LATER: Final = "2026-12-31T00:00:00.000000Z"


def _flag(key: str, **more: Any) -> dict[str, Any]:
    values = {"value_type": "string", "default_value": "default", "safe_value": SAFE}
    return {"flag_key": key, **values, "version": 1, **more}


def _override(key: str, value: str, **more: Any) -> dict[str, Any]:
    return {"flag_key": key, "tenant_id": TENANT, "value": value, "version": 1, **more}


# The description makes the registry longer than the trail that a full disk has to end.
FLAGS: Final = [
    _flag("ff.plain", description="x" * 8000),
    _flag("ff.tenant"),
    _flag("ff.user"),
    _flag(SENSITIVE, sensitive=True),
]
# Below every user's override lies a tenant's, and below that a default: a rule that fails and
# lets a lower one answer is seen by its value.
TENANTS: Final = [_override(key, "tenant") for key in ("ff.tenant", "ff.user", SENSITIVE)]
USERS: Final = [
    _override(key, "user", user_id=USER, expires_at=_LATER) for key in ("ff.user", SENSITIVE)
]
OLDER: Final = [_flag("ff.plain", default_value="older"), *FLAGS[1:]]
APPROVAL: Final = {
    "found": True,
    "approval_ref": REF,
    "flag_key": SENSITIVE,
    "tenant_id": TENANT,
    "valid_from": "2026-04-01T00:00:00Z",
    "expires_at": "2026-05-01T00:00:00Z",
    "revoked_at": None,
}


class Ask(msgspec.Struct, frozen=True):
    """One question, and its right answer: rules 2 to 7 as they go, the value, its scope."""

    name: str
    flag_key: str
    steps: tuple[tuple[str, str], ...]
    value: str | None
    scope: str | None = None
    approval_ref: str | None = None


_FOUND: Final = (("lookup", "found"), ("kill_switch", "on"))
_OPEN: Final = (*_FOUND, ("sensitive_overlay", "not_sensitive"))
_BY_USER: Final = ("user_override", "user_override")
_NO_USER: Final = ("user_override", "none")
PLAIN: Final = Ask(
    "plain",
    "ff.plain",
    (*_OPEN, _NO_USER, ("tenant_override", "none"), ("registry", "registry_default")),
    "default",
    "default",
)
BY_TENANT: Final = Ask(
    "tenant",
    "ff.tenant",
    (*_OPEN, _NO_USER, ("tenant_override", "tenant_override")),
    "tenant",
    "tenant",
)
BY_USER: Final = Ask("user", "ff.user", (*_OPEN, _BY_USER), "user", "user")
APPROVED: Final = Ask(
    "approved",
    SENSITIVE,
    (*_FOUND, ("sensitive_overlay", "approved"), _BY_USER),
    "user",
    "user",
    REF,
)
UNAPPROVED: Final = Ask(
    "unapproved", SENSITIVE, (*_FOUND, ("sensitive_overlay", "approval_missing")), SAFE
)
UNKNOWN: Final = Ask("unknown", "ff.unknown", (("lookup", "flag_not_found"),), None)
ASKS: Final = (PLAIN, BY_TENANT, BY_USER, APPROVED, UNAPPROVED, UNKNOWN)

_TTL: Final = {
    "approved": "valid",
    "approval_missing": "absent",
    "approval_expired": "expired",
    "approval_revoked": "revoked",
}


class End(msgspec.Struct, frozen=True):
    """How an answer under a fault comes about.

    Attributes:
        rule: Where the chain ends instead; None for the right answer.
        reason: With which reason.
        mode: The auth mode.
        warnings: Those of rule 1.
        flags: The registry that is in force.
    """

    rule: str | None = None
    reason: str = ""
    mode: str = "verified"
    warnings: tuple[str, ...] = ()
    flags: tuple[dict[str, Any], ...] = tuple(FLAGS)


RIGHT: Final = End()
UNAVAILABLE: Final = End("lookup", "backing_unavailable")


def expected(ask: Ask, end: End, path: str) -> dict[str, Any]:
    """Give the whole decision, worked out by hand: `Decision.to_dict()` without the latency."""
    steps = _steps(ask, end)
    rule, reason = steps[-1]
    failed = reason in set(FailSafe)
    raw = next((f for f in end.flags if f["flag_key"] == ask.flag_key), None)
    sound = raw is not None and rule not in {"auth", "lookup"}
    value, scope = ask.value, ask.scope
    if end.rule is not None or steps[-1] != ask.steps[-1]:
        value, scope = (SAFE if sound else None), None
    elif raw is not None and rule == "registry":
        value = raw["default_value"]
    status, code = 200, None
    if rule in {"auth", "lookup"}:
        status, code = (404 if reason == "flag_not_found" else 503), reason
    if failed:
        steps.append(("fail_safe", reason))
    sensitive = sound and raw is not None and raw.get("sensitive", False)
    known = rule != "auth"
    overlay = dict(steps).get("sensitive_overlay")
    return {
        "flag_key": ask.flag_key,
        "decision": "allow" if scope else "deny",
        "value": value,
        "reason": reason,
        "reason_chain": [{"rule": name, "outcome": outcome} for name, outcome in steps],
        "override_scope": scope,
        "http_status": status,
        "code": code,
        "warnings": [*end.warnings, *([reason] if failed else [])],
        "meta": {
            "auth_mode": end.mode if known else None,
            "auth_source": _source(end.mode) if known else None,
            "approval_ref": ask.approval_ref if sensitive else None,
            "ttl_state": _TTL.get(str(overlay)) if sensitive else None,
            "backing_state": path,
            "flag_version": read_flag(raw).flag_version if sound else None,
            "evaluated_at": "2026-04-19T12:00:00.000000Z",
        },
    }


def _steps(ask: Ask, end: End) -> list[tuple[str, str]]:
    steps = [("auth", end.mode), *ask.steps]
    if end.mode != "verified" and ask.flag_key == SENSITIVE:
        steps = [("auth", end.mode), *_FOUND, ("sensitive_overlay", "auth_not_verified")]
    if end.rule is None:
        return steps
    place = [name for name, _ in steps].index(end.rule)
    return [*steps[:place], (end.rule, end.reason)]


def _source(mode: str) -> str:
    return "jwt" if mode == "verified" else "jwt-unverified"
