"""Faults of the rules: bounds, order, and what a rule falls back to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from hashlib import blake2b
from typing import Any, Final

import msgspec

from pytest_ffparity.evaluator import decide, rules
from pytest_ffparity.evaluator.model import Flag, Records
from pytest_ffparity.evaluator.names import Rule
from pytest_ffparity.evaluator.rollout import BUCKETS, bucket
from pytest_ffparity.evaluator.rules import Decide, Facts, GoOn
from pytest_ffparity.paths.seeded.fault import Fault, Seed, patched

_BY_NAME: Final = dict(rules.RULES)
_INSTANT: Final = timedelta(microseconds=1)


def _order(*names: Rule) -> Seed:
    """Give the rules in another order, or fewer of them."""
    return patched(decide, RULES=tuple((name, _BY_NAME[name]) for name in names))


def _instead(name: Rule, rule: Callable[[Facts], Any]) -> Seed:
    return patched(decide, RULES=tuple((n, rule if n is name else r) for n, r in rules.RULES))


def _earlier(name: Rule) -> Seed:
    """Read the clock one microsecond late in one rule: `<` for `<=` at an expiry."""
    rule = _BY_NAME[name]
    return _instead(name, lambda f: rule(msgspec.structs.replace(f, now=f.now - _INSTANT)))


def _later(name: Rule) -> Seed:
    rule = _BY_NAME[name]
    return _instead(name, lambda f: rule(msgspec.structs.replace(f, now=f.now + _INSTANT)))


def _with_flag(name: Rule, **fields: Any) -> Seed:
    """Let one rule see another flag record than the one that is stored."""
    rule = _BY_NAME[name]

    def seen(facts: Facts) -> Any:
        records = facts.records
        if not isinstance(records, Records) or not isinstance(records.flag, Flag):
            return rule(facts)
        flag = msgspec.structs.replace(records.flag, **fields)
        changed = msgspec.structs.replace(records, flag=flag)
        return rule(msgspec.structs.replace(facts, records=changed))

    return _instead(name, seen)


def _off_serves_safe(facts: Facts) -> Any:
    found = rules.kill_switch(facts)
    if isinstance(found, Decide):
        return msgspec.structs.replace(found, value=facts.flag.safe_value)
    return found


def _open_when_admin_is_gone(facts: Facts) -> Any:
    found = rules.sensitive_overlay(facts)
    return found if isinstance(found, GoOn | Decide) else GoOn("approved")


def _allow_override_without_chain(facts: Facts) -> Any:
    found = rules.user_override(facts)
    return GoOn("none") if isinstance(found, GoOn) else found


def _sized(text: str) -> bytes:
    return len(text.encode()).to_bytes(4, "big") + text.encode()


def _divided_by(buckets: int) -> Callable[..., int]:
    def of(salt: str, flag_key: str, tenant_id: str, user_id: str | None) -> int:
        digest = blake2b(b"".join(map(_sized, (salt, flag_key, tenant_id))), digest_size=8)
        digest.update(b"t" + _sized(tenant_id) if user_id is None else b"u" + _sized(user_id))
        return int.from_bytes(digest.digest(), "big") * buckets >> 64

    return of


def _utf16(salt: str, flag_key: str, tenant_id: str, user_id: str | None) -> int:
    unit = None if user_id is None else user_id.encode("utf-16-le").decode("latin-1")
    return bucket(salt, flag_key, tenant_id, unit)


def _fault(name: str, why: str, rows: str, probe: str, seed: Seed) -> Fault:
    listed = tuple(rows.split())
    return Fault(name=name, level="rule", why=why, rows=listed, probes=(probe,), seed=seed)


def _rollout(name: str, why: str, probe: str, **parts: Any) -> Fault:
    return Fault(
        name=name,
        level="rollout",
        why=why,
        rows=("PV-01", "PV-02"),
        probes=(probe,),
        seed=patched(rules, **parts),
    )


def faults() -> Iterator[Fault]:
    """Give the faults of the rules."""
    r = Rule
    yield _fault(
        "override-expiry-inclusive",
        "`<` for `<=` at an override's expiry",
        "PV-01 PV-02 PV-04",
        "expires-now",
        _earlier(r.USER_OVERRIDE),
    )
    yield _fault(
        "override-expires-early",
        "An override ends one microsecond before its time",
        "PV-01 PV-02 PV-04",
        "expires-next",
        _later(r.USER_OVERRIDE),
    )
    yield _fault(
        "approval-expiry-inclusive",
        "`<` for `<=` at an approval's expiry",
        "PV-01 PV-02",
        "approval-expired",
        _earlier(r.SENSITIVE_OVERLAY),
    )
    yield _fault(
        "approval-begins-late",
        "`<` for `<=` where an approval begins",
        "PV-01 PV-02",
        "approval-from",
        _earlier(r.SENSITIVE_OVERLAY),
    )
    yield _fault(
        "approval-begins-early",
        "An approval is live a microsecond before it begins",
        "PV-01 PV-02",
        "approval-notyet",
        _later(r.SENSITIVE_OVERLAY),
    )
    yield _fault(
        "approval-revoked-late",
        "A revocation takes effect one microsecond late",
        "PV-01 PV-02",
        "approval-revoked",
        _earlier(r.SENSITIVE_OVERLAY),
    )
    yield _fault(
        "expiring-soon-late",
        "The warning comes a microsecond late",
        "PV-03",
        "approval-soon",
        _earlier(r.SENSITIVE_OVERLAY),
    )
    yield _fault(
        "tenant-before-user",
        "The tenant's override is consulted first",
        "PV-01 PV-02 PV-04",
        "user",
        _order(
            r.AUTH,
            r.LOOKUP,
            r.KILL_SWITCH,
            r.SENSITIVE_OVERLAY,
            r.TENANT_OVERRIDE,
            r.USER_OVERRIDE,
            r.REGISTRY,
        ),
    )
    yield _fault(
        "overlay-after-override",
        "An override opens a sensitive flag",
        "PV-01 PV-02 PV-04",
        "approval-missing",
        _order(
            r.AUTH,
            r.LOOKUP,
            r.KILL_SWITCH,
            r.USER_OVERRIDE,
            r.TENANT_OVERRIDE,
            r.SENSITIVE_OVERLAY,
            r.REGISTRY,
        ),
    )
    yield _fault(
        "no-overlay",
        "Sensitive flags are not guarded at all",
        "PV-01 PV-02",
        "approval-unverified",
        _order(r.AUTH, r.LOOKUP, r.KILL_SWITCH, r.USER_OVERRIDE, r.TENANT_OVERRIDE, r.REGISTRY),
    )
    yield _fault(
        "no-kill-switch",
        "A flag that is off is served",
        "PV-01 PV-02",
        "off",
        _order(
            r.AUTH, r.LOOKUP, r.SENSITIVE_OVERLAY, r.USER_OVERRIDE, r.TENANT_OVERRIDE, r.REGISTRY
        ),
    )
    yield _fault(
        "no-user-overrides",
        "One user's setting is not looked for",
        "PV-01 PV-02 PV-04",
        "user",
        _order(r.AUTH, r.LOOKUP, r.KILL_SWITCH, r.SENSITIVE_OVERLAY, r.TENANT_OVERRIDE, r.REGISTRY),
    )
    yield _fault(
        "off-serves-safe",
        "A flag that is off serves the safe value",
        "PV-01",
        "off",
        _instead(r.KILL_SWITCH, _off_serves_safe),
    )
    yield _fault(
        "outage-opens",
        "Without Admin's answer the chain goes on",
        "PV-01 PV-02",
        "admin-down",
        _instead(r.SENSITIVE_OVERLAY, _open_when_admin_is_gone),
    )
    yield _fault(
        "expired-told-as-none",
        "An override that has expired is told as if there were none",
        "PV-02",
        "expired",
        _instead(r.USER_OVERRIDE, _allow_override_without_chain),
    )
    yield _fault(
        "default-for-safe",
        "A deny serves the default",
        "PV-01",
        "approval-missing",
        _with_flag(r.SENSITIVE_OVERLAY, safe_value="opened"),
    )
    yield from _rollouts()


def _rollouts() -> Iterator[Fault]:
    yield _rollout(
        "rollout-divisor", "One bucket too few", "rollout-edge", bucket=_divided_by(BUCKETS - 1)
    )
    yield _rollout(
        "rollout-inclusive",
        "`<=` for `<` at the percentage",
        "rollout-edge",
        thousandths=lambda percentage: round(percentage * 1000) + 1,
    )
    yield _rollout("rollout-utf16", "Ids are hashed as UTF-16", "rollout-edge", bucket=_utf16)
    yield _rollout(
        "rollout-no-salt",
        "The salt is left out",
        "rollout-in",
        bucket=lambda _salt, *rest: bucket("", *rest),
    )
    yield _rollout(
        "rollout-by-tenant",
        "The whole tenant is in or out",
        "rollout-in",
        bucket=lambda s, f, tenant, _user: bucket(s, f, tenant, None),
    )
    yield _rollout(
        "rollout-id-folded",
        "Ids are folded before they are hashed",
        "rollout-in",
        bucket=lambda s, f, t, user: bucket(s, f, t, user and user.lower()),
    )
    yield _rollout(
        "rollout-whole-percent",
        "Percentages lose their decimals",
        "rollout-in",
        thousandths=lambda percentage: int(percentage) * 1000,
    )
    yield _rollout(
        "rollout-tenant-as-user",
        "A tenant is hashed as if it were a user",
        "rollout-tenant",
        bucket=lambda s, f, t, user: bucket(s, f, t, user or "U1001"),
    )
