"""What goes into a decision and what comes out: frozen values, cheap to make."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, TypeAlias

import msgspec

from pytest_ffparity.evaluator.names import AuthMode, FailSafe
from pytest_ffparity.formats import instant
from pytest_ffparity.formats.strict_json import copied

JSON: TypeAlias = Any
ValueType: TypeAlias = Literal["bool", "string", "number", "object"]
BackingState: TypeAlias = Literal["file", "db"]


class Rollout(msgspec.Struct, frozen=True):
    """A share of units that gets another value; `percentage` as it was written, 0..100."""

    percentage: int | float
    value: JSON
    salt: str = ""


class Flag(msgspec.Struct, frozen=True, kw_only=True):
    """One record of the registry, defaults filled in.

    `flag_version` is the content hash that a decision carries; `version` counts the writes.
    """

    flag_key: str
    value_type: ValueType
    default_value: JSON
    safe_value: JSON
    off_value: JSON
    enabled: bool
    sensitive: bool
    rollout: Rollout | None
    description: str
    version: int
    flag_version: str


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant's override, or with `user_id` that of one user of the tenant."""

    flag_key: str
    tenant_id: str
    user_id: str | None
    value: JSON
    expires_at: datetime | None
    version: int


class Corrupt(msgspec.Struct, frozen=True):
    """A record that was found and can't be trusted; `problem` says why."""

    problem: str


class Records(msgspec.Struct, frozen=True):
    """What one round trip to a backing gives for a flag, a tenant and a user."""

    flag: Flag | Corrupt | None
    user_override: Override | Corrupt | None = None
    tenant_override: Override | Corrupt | None = None


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """Admin's answer about one approval; the bounds are null only where it was not found."""

    found: bool
    approval_ref: str | None = None
    flag_key: str | None = None
    tenant_id: str | None = None
    valid_from: datetime | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


class Identity(msgspec.Struct, frozen=True):
    """Who is asking, and how that is known."""

    mode: AuthMode
    tenant_id: str | None = None
    user_id: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def verified(self) -> bool:
        """Whether the caller is proven; anything else may read, and nothing more."""
        return self.mode is AuthMode.VERIFIED


class Rejection(msgspec.Struct, frozen=True):
    """Credentials that were refused: 401, or 503 where it was not the caller's fault."""

    code: str
    http_status: int = 401
    retry_after: int | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The headers of an HTTP answer: a challenge (RFC 6750) with a 401, when to come back."""
        said = {}
        if self.http_status == 401:  # noqa: PLR2004
            said["WWW-Authenticate"] = 'Bearer error="invalid_token"'
        if self.retry_after is not None:
            said["Retry-After"] = str(self.retry_after)
        return said


class Failed(msgspec.Struct, frozen=True):
    """A question that got no sound answer; the rule that needed it ends in the fail-safe."""

    reason: FailSafe


class Request(msgspec.Struct, frozen=True):
    """One question: which value does this flag have for the caller of these headers?"""

    flag_key: str
    headers: tuple[tuple[str, str], ...] = ()
    approval_ref: str | None = None


class Step(msgspec.Struct, frozen=True):
    """One rule that was consulted, and its outcome."""

    rule: str
    outcome: str


class Meta(msgspec.Struct, frozen=True, kw_only=True):
    """How a decision came about."""

    auth_mode: str | None
    auth_source: str | None
    approval_ref: str | None
    ttl_state: str | None
    backing_state: BackingState
    flag_version: str | None
    evaluated_at: datetime
    latency_ms: float


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one request, with the whole chain of rules that led to it."""

    flag_key: str
    decision: Literal["allow", "deny"]
    value: JSON
    reason: str
    reason_chain: tuple[Step, ...]
    override_scope: str | None
    http_status: int
    code: str | None
    warnings: tuple[str, ...]
    meta: Meta

    def to_dict(self) -> dict[str, Any]:
        """Give the decision as plain JSON (schema `decision.v1`); the caller owns the result."""
        meta = self.meta
        return {
            "flag_key": self.flag_key,
            "decision": self.decision,
            "value": copied(self.value),
            "reason": str(self.reason),
            "reason_chain": [
                {"rule": str(s.rule), "outcome": str(s.outcome)} for s in self.reason_chain
            ],
            "override_scope": None if self.override_scope is None else str(self.override_scope),
            "http_status": self.http_status,
            "code": None if self.code is None else str(self.code),
            "warnings": [str(w) for w in self.warnings],
            "meta": {
                "auth_mode": None if meta.auth_mode is None else str(meta.auth_mode),
                "auth_source": meta.auth_source,
                "approval_ref": meta.approval_ref,
                "ttl_state": None if meta.ttl_state is None else str(meta.ttl_state),
                "backing_state": meta.backing_state,
                "flag_version": meta.flag_version,
                "evaluated_at": instant.text(meta.evaluated_at),
                "latency_ms": meta.latency_ms,
            },
        }
