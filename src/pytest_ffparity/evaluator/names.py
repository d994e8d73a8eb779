"""The closed vocabulary of a decision: rules, outcomes, reasons, warnings, modes and states."""

from __future__ import annotations

from enum import StrEnum


class Rule(StrEnum):
    """The eight rules, in the order in which they are consulted."""

    AUTH = "auth"
    LOOKUP = "lookup"
    KILL_SWITCH = "kill_switch"
    SENSITIVE_OVERLAY = "sensitive_overlay"
    USER_OVERRIDE = "user_override"
    TENANT_OVERRIDE = "tenant_override"
    REGISTRY = "registry"
    FAIL_SAFE = "fail_safe"


class AuthMode(StrEnum):
    """How the caller was known; only `verified` may pass the sensitive overlay."""

    VERIFIED = "verified"
    DECODE_ONLY = "decode-only"
    DEV_HEADERS = "dev-headers"
    ANONYMOUS = "anonymous"


AUTH_SOURCE = {
    AuthMode.VERIFIED: "jwt",
    AuthMode.DECODE_ONLY: "jwt-unverified",
    AuthMode.DEV_HEADERS: "dev-headers",
    AuthMode.ANONYMOUS: "none",
}


class Passed(StrEnum):
    """Outcomes with which a rule hands on to the next one (rule 1 gives the auth mode)."""

    FOUND = "found"
    ON = "on"
    NOT_SENSITIVE = "not_sensitive"
    APPROVED = "approved"
    NONE = "none"
    EXPIRED = "expired"


class Reason(StrEnum):
    """Reasons with which rules 2 to 7 decide."""

    FLAG_NOT_FOUND = "flag_not_found"
    FLAG_DISABLED = "flag_disabled"
    AUTH_NOT_VERIFIED = "auth_not_verified"
    APPROVAL_MISSING = "approval_missing"
    APPROVAL_EXPIRED = "approval_expired"
    APPROVAL_REVOKED = "approval_revoked"
    APPROVAL_NOT_YET_VALID = "approval_not_yet_valid"
    USER_OVERRIDE = "user_override"
    TENANT_OVERRIDE = "tenant_override"
    ROLLOUT_IN = "rollout_in"
    ROLLOUT_OUT = "rollout_out"
    REGISTRY_DEFAULT = "registry_default"


class FailSafe(StrEnum):
    """Why a rule could not be carried out; each is a reason, an outcome and a warning."""

    ADMIN_UNREACHABLE = "admin_unreachable"
    ADMIN_INVALID = "admin_invalid"
    BACKING_UNAVAILABLE = "backing_unavailable"
    RECORD_INVALID = "record_invalid"
    INTERNAL_ERROR = "internal_error"


class Warn(StrEnum):
    """Warnings that are not a fail-safe reason."""

    AUTH_NOT_VERIFIED = "auth_not_verified"
    JWKS_UNREACHABLE = "jwks_unreachable"
    KID_NOT_FOUND = "kid_not_found"
    JWKS_STALE = "jwks_stale"
    APPROVAL_EXPIRING_SOON = "approval_expiring_soon"


class Scope(StrEnum):
    """Whose setting the served value is."""

    DEFAULT = "default"
    TENANT = "tenant"
    USER = "user"


class TTLState(StrEnum):
    """The six states of an approval."""

    VALID = "valid"
    EXPIRING_SOON = "expiring_soon"
    EXPIRED = "expired"
    REVOKED = "revoked"
    NOT_YET_VALID = "not_yet_valid"
    ABSENT = "absent"
