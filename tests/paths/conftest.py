"""What a decision must be, read from its definition sentence by sentence.

The oracle shares no code with the evaluator, so that a mistake which both paths make is seen too.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

import pytest

# decision, reason, value, override_scope, http_status
Answer: TypeAlias = tuple[str, str, Any, str | None, int]

FLAG: dict[str, Any] = {"enabled": True, "sensitive": False, "rollout": None}
WORLD: dict[str, Any] = {
    "environment": {},
    **{name: [] for name in ("tenant_overrides", "user_overrides", "approvals", "corrupt")},
    "writes": [],
    "admin": {"reachable": True},
    "jwks": {"held": None, "published": ["k1"], "reachable": True, "fetched_seconds_ago": None},
    "backing": "available",
}
TYPES = {bool: "bool", str: "string", int: "number", float: "number", dict: "object"}
SOURCES = {
    "verified": "jwt",
    "decode-only": "jwt-unverified",
    "dev-headers": "dev-headers",
    "anonymous": "none",
}


@pytest.fixture(scope="session")
def oracle() -> type[Oracle]:
    return Oracle


class RejectedError(Exception):
    """Rule 1 refuses."""


class Oracle:
    """What the definition says of one request."""

    def __init__(self, world: dict[str, Any]) -> None:
        self.world = {**WORLD, **world, **after_writes(world)}
        self.world["jwks"] = {**WORLD["jwks"], **self.world["jwks"]}
        self.now = moment(world["now"])
        self.fallback = self.world["environment"].get("FF_ALLOW_DEV_HEADERS") == "true"
        self.warnings: list[str] = []
        self.chain: list[tuple[str, str]] = []
        self.flag: dict[str, Any] | None = None
        self.ttl: str | None = None
        self.mode: str | None = None
        self.corrupt = {
            (c["flag_key"], c.get("tenant_id"), c.get("user_id")): c["value"]
            for c in self.world["corrupt"]
        }

    def decision(self, request: dict[str, Any]) -> dict[str, Any]:
        decision, reason, value, scope, status = self.decide(request)
        sensitive = self.flag is not None and self.flag["sensitive"]
        return {
            "flag_key": request["flag_key"],
            "decision": decision,
            "value": value,
            "reason": reason,
            "reason_chain": [{"rule": rule, "outcome": outcome} for rule, outcome in self.chain],
            "override_scope": scope,
            "http_status": status,
            "code": None if status == 200 else reason,
            "warnings": self.warnings,
            "meta": {
                "auth_mode": self.mode,
                "auth_source": SOURCES.get(str(self.mode)),
                "approval_ref": request.get("approval_ref") if sensitive else None,
                "ttl_state": self.ttl,
                "flag_version": None if self.flag is None else version_of(self.flag),
                "evaluated_at": f"{self.now.replace(tzinfo=None).isoformat(timespec='microseconds')}Z",
                "backing_state": "?",
                "latency_ms": 0.0,
            },
        }

    def decide(self, request: dict[str, Any]) -> Answer:
        try:
            self.mode, tenant, user, warnings = self.caller(request.get("headers", {}))
        except RejectedError as rejected:
            code = str(rejected)
            self.chain.append(("auth", code))
            return "deny", code, None, None, 503 if code == "jwks_unreachable" else 401
        self.warnings += warnings
        self.chain.append(("auth", self.mode))
        flag = self.lookup(request["flag_key"])
        if not isinstance(flag, dict):
            return flag
        self.flag = flag
        self.chain.append(("lookup", "found"))
        return self.guards(flag, request, tenant) or self.served(flag, tenant, user)

    def lookup(self, key: str) -> Answer | dict[str, Any]:
        flag = next((f for f in self.world["flags"] if f["flag_key"] == key), None)
        if legal(key):
            if self.world["backing"] == "missing":
                return self.failed("lookup", "backing_unavailable")
            if flag is not None:
                flag = {**FLAG, "off_value": flag["safe_value"], **flag}
                if flag["rollout"] is not None:
                    flag["rollout"] = {"salt": "", **flag["rollout"]}
                if (key, None, None) in self.corrupt:
                    flag["default_value"] = self.corrupt[key, None, None]
                    if not typed(flag["default_value"], flag["value_type"]):
                        return self.failed("lookup", "record_invalid")
        else:
            flag = None
        if flag is None:
            self.chain.append(("lookup", "flag_not_found"))
            return "deny", "flag_not_found", None, None, 404
        return flag

    def guards(
        self, flag: dict[str, Any], request: dict[str, Any], tenant: str | None
    ) -> Answer | None:
        if not flag["enabled"]:
            self.chain.append(("kill_switch", "flag_disabled"))
            return "deny", "flag_disabled", flag["off_value"], None, 200
        self.chain.append(("kill_switch", "on"))

        if not flag["sensitive"]:
            self.chain.append(("sensitive_overlay", "not_sensitive"))
            return None
        outcome = self.overlay(request, str(tenant))
        if outcome in ("admin_unreachable", "admin_invalid"):
            return self.failed("sensitive_overlay", outcome)
        self.chain.append(("sensitive_overlay", outcome))
        if outcome != "approved":
            return "deny", outcome, flag["safe_value"], None, 200
        if self.ttl == "expiring_soon":
            self.warnings.append("approval_expiring_soon")
        return None

    def served(self, flag: dict[str, Any], tenant: str | None, user: str | None) -> Answer:
        key = flag["flag_key"]
        for rule, scope, unit in (
            ("user_override", "user", user),
            ("tenant_override", "tenant", None),
        ):
            override = self.override(key, tenant, unit, user_rule=scope == "user")
            if override is None:
                self.chain.append((rule, "none"))
                continue
            if not typed(override["value"], flag["value_type"]):
                return self.failed(rule, "record_invalid")
            if (
                override.get("expires_at") is not None
                and moment(override["expires_at"]) <= self.now
            ):
                self.chain.append((rule, "expired"))
                continue
            self.chain.append((rule, rule))
            return "allow", rule, override["value"], scope, 200

        rollout = flag["rollout"]
        if rollout is None:
            outcome, value = "registry_default", flag["default_value"]
        elif (
            tenant is not None
            and bucket(rollout["salt"], key, tenant, ("t", tenant) if user is None else ("u", user))
            < Decimal(repr(rollout["percentage"])) * 1000
        ):
            outcome, value = "rollout_in", rollout["value"]
        else:
            outcome, value = "rollout_out", flag["default_value"]
        self.chain.append(("registry", outcome))
        return "allow", outcome, value, "default", 200

    def failed(self, rule: str, reason: str) -> Answer:
        self.chain += [(rule, reason), ("fail_safe", reason)]
        self.warnings.append(reason)
        if self.flag is None:
            return "deny", reason, None, None, 503
        return "deny", reason, self.flag["safe_value"], None, 200

    def overlay(self, request: dict[str, Any], tenant: str) -> str:
        if self.mode != "verified":
            return "auth_not_verified"
        ref = request.get("approval_ref")
        if ref is None or not legal(ref):
            self.ttl = "absent"
            return "approval_missing"
        if not self.world["admin"]["reachable"]:
            return "admin_unreachable"
        record = next((a for a in self.world["approvals"] if a["approval_ref"] == ref), None)
        if record is not None and None in (record["valid_from"], record["expires_at"]):
            return "admin_invalid"
        if record is None or (record["flag_key"], record["tenant_id"]) != (
            request["flag_key"],
            tenant,
        ):
            self.ttl = "absent"
            return "approval_missing"
        start, end = moment(record["valid_from"]), moment(record["expires_at"])
        if record.get("revoked_at") is not None and moment(record["revoked_at"]) <= self.now:
            self.ttl = "revoked"
        elif self.now < start:
            self.ttl = "not_yet_valid"
        elif end <= self.now:
            self.ttl = "expired"
        else:
            soon = end - self.now <= timedelta(minutes=15)
            self.ttl = "expiring_soon" if soon else "valid"
            return "approved"
        return f"approval_{self.ttl}"

    def override(
        self, key: str, tenant: str | None, user: str | None, *, user_rule: bool
    ) -> dict[str, Any] | None:
        if tenant is None or (user_rule and user is None):
            return None
        name = "user_overrides" if user_rule else "tenant_overrides"
        for record in self.world[name]:
            ids = (record["flag_key"], record["tenant_id"], record.get("user_id"))
            if ids == (key, tenant, user):
                return {**record, "value": self.corrupt[ids]} if ids in self.corrupt else record
        return None

    def caller(self, headers: dict[str, Any]) -> tuple[str, str | None, str | None, list[str]]:
        given = {name.lower(): value for name, value in headers.items()}
        if "authorization" in given:
            credentials = given["authorization"]
            if isinstance(credentials, dict):
                return self.bearer(credentials["$bearer"])
            other = isinstance(credentials, str) and not credentials.startswith("Bearer")
            raise RejectedError("auth_scheme_unsupported" if other else "token_malformed")
        if not self.fallback or "x-ff-tenant" not in given:
            return "anonymous", None, None, []
        tenant, user = given["x-ff-tenant"], given.get("x-ff-user")
        if not named(tenant) or not (user is None or named(user)):
            raise RejectedError("dev_headers_invalid")
        return "dev-headers", tenant, user, ["auth_not_verified"]

    def bearer(self, spec: dict[str, Any]) -> tuple[str, str, str, list[str]]:
        faults, claims = spec.get("faults", []), spec.get("claims", {})
        if "malformed" in faults:
            raise RejectedError("token_malformed")
        if "alg_none" in faults or "hs256_public_key" in faults:
            raise RejectedError("alg_not_allowed")
        kid = "unpublished" if "unknown_kid" in faults else spec.get("key", "k1")
        mode, warnings = self.proven(kid, sound="signature" not in faults)
        self.in_time(claims, faults)
        if "wrong_issuer" in faults:
            raise RejectedError("issuer_invalid")
        audience = claims.get("aud", "pty-feature-flags")
        ours = "pty-feature-flags" in (audience if isinstance(audience, list) else [audience])
        if not ours or "wrong_audience" in faults:
            raise RejectedError("audience_invalid")
        if "no_subject" in faults:
            raise RejectedError("claim_missing")
        if "numeric_subject" in faults:
            raise RejectedError("claim_invalid")
        for name in ("sub", "tenant_id"):
            if claims.get(name) is None:
                raise RejectedError("claim_missing")
            if not named(claims[name]):
                raise RejectedError("claim_invalid")
        if "jti" in claims:  # no text wherever it is given here
            raise RejectedError("claim_invalid")
        return mode, claims["tenant_id"], claims["sub"], warnings

    def in_time(self, claims: dict[str, Any], faults: list[str]) -> None:
        seconds = int(self.now.timestamp() // 1)
        times: dict[str, Any] = {"exp": seconds + 3600, "iat": seconds - 60, **claims}
        for fault in faults:
            if fault == "expired":
                times |= {"exp": seconds - 3600, "iat": seconds - 7200}
            if fault == "not_yet_valid":
                times |= {"nbf": seconds + 3600, "exp": seconds + 7200}
        for name in ("exp", "nbf", "iat"):
            if name not in times:
                continue
            found = times[name]
            if type(found) is not int or found > 253402300799:
                raise RejectedError("claim_invalid")
            if name == "exp" and found + 30 <= self.now.timestamp():
                raise RejectedError("token_expired")
            if name != "exp" and found - 30 > self.now.timestamp():
                raise RejectedError("token_not_yet_valid")

    def proven(self, kid: str, *, sound: bool) -> tuple[str, list[str]]:
        jwks = self.world["jwks"]
        age = jwks["fetched_seconds_ago"] or 0
        held = jwks["held"] or []
        usable = bool(held) and age < 3600
        renewed = jwks["reachable"] and bool(jwks["published"])
        if usable and age < 300 and kid in held:
            warnings: list[str] = []
        elif renewed and (kid in jwks["published"] or (usable and kid in held)):
            warnings = []
        elif renewed:
            raise RejectedError("kid_not_found")
        elif usable and kid in held:
            warnings = ["jwks_stale"]
        elif not self.fallback:
            raise RejectedError("jwks_unreachable")
        else:
            why = "kid_not_found" if usable else "jwks_unreachable"
            return "decode-only", ["auth_not_verified", why]
        if not sound:
            raise RejectedError("signature_invalid")
        return "verified", warnings


def after_writes(world: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Give the records as the world's writes leave them: made, or refused without a trace."""
    lists = ("flags", "tenant_overrides", "user_overrides")
    there = {ids_of(record): record for name in lists for record in world.get(name, [])}
    top = 0
    for write in world.get("writes", []):
        ids, record = ids_of(write), write["record"]
        old = there.get(ids)
        version = None if old is None else old["version"]
        if write.get("expects") != version or (old is None and record is None):
            continue  # a conflict
        if record is None:
            lost = [i for i in there if i == ids or (len(ids) == 1 and i[:1] == ids)]
            top = max([top, *(there.pop(i)["version"] for i in lost)])
            continue
        flag = there.get(ids[:1])
        if writable(ids, record, flag) and version != 2**63 - 1:
            number = (top if version is None else version) + 1
            if number < 2**63:
                names = dict(zip(("flag_key", "tenant_id", "user_id"), ids, strict=False))
                there[ids] = {**names, **record, "version": number}
                top = max(top, number)
    return {
        name: [there[ids] for ids in there if len(ids) == size]
        for size, name in enumerate(lists, start=1)
    }


def ids_of(record: dict[str, Any]) -> tuple[str, ...]:
    return tuple(record[n] for n in ("flag_key", "tenant_id", "user_id") if n in record)


def writable(ids: tuple[str, ...], record: dict[str, Any], flag: dict[str, Any] | None) -> bool:
    if not all(map(legal, ids)):
        return False
    if len(ids) == 1:
        # Nothing else is wrong with a flag in any world here.
        return flag is None or flag["value_type"] == record["value_type"]
    if flag is None or record.keys() - {"value", "expires_at"} or "value" not in record:
        return False
    if record["value"] == 2**63 or not typed(record["value"], flag["value_type"]):
        return False
    ends = record.get("expires_at")
    if ends is None:
        return True
    fraction = re.match(r"\d*", ends.partition(".")[2])
    return ends[10] == "T" and fraction is not None and len(fraction[0]) <= len("123456")


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def legal(text: str) -> bool:
    return (
        not any("\ud800" <= c <= "\udfff" for c in text)
        and "\x00" not in text
        and 1 <= len(text.encode()) <= 200
    )


def named(text: object) -> bool:
    control = [*map(chr, range(32)), *map(chr, range(127, 160))]
    return isinstance(text, str) and legal(text) and not any(c in control for c in text)


def typed(value: object, kind: str) -> bool:
    return TYPES.get(type(value)) == kind


def bucket(salt: str, flag: str, tenant: str, unit: tuple[str, str]) -> int:
    kind, name = unit
    digest = hashlib.blake2b(digest_size=8)
    for text in (salt, flag, tenant, None, name):
        raw = b"" if text is None else text.encode()
        digest.update(kind.encode() if text is None else len(raw).to_bytes(4, "big") + raw)
    return int.from_bytes(digest.digest(), "big") * 100_000 >> 64


def version_of(flag: dict[str, Any]) -> str:
    record = {k: v for k, v in flag.items() if k not in ("version", "description")}
    text = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
