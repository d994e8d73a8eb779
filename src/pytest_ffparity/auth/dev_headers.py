"""The development fallback: a tenant and a user taken from plain headers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pytest_ffparity.auth.callers import legal_caller
from pytest_ffparity.auth.codes import AuthCode, RefusedError
from pytest_ffparity.evaluator.model import Identity
from pytest_ffparity.evaluator.names import AuthMode, Warn

_TENANT: Final = "x-ff-tenant"
_USER: Final = "x-ff-user"


def values(headers: Sequence[tuple[str, str]], name: str) -> list[str]:
    """Give every value of a header; `name` is lower case."""
    return [value for key, value in headers if key.lower() == name]


def read_dev_headers(headers: Sequence[tuple[str, str]]) -> Identity | None:
    """Give the caller that `X-FF-Tenant` and `X-FF-User` name, None without the first.

    Raises:
        RefusedError: `dev_headers_invalid`: one is repeated, or is no legal id.
    """
    tenants, users = values(headers, _TENANT), values(headers, _USER)
    if not tenants:
        return None
    if len(tenants) > 1 or len(users) > 1 or not all(map(legal_caller, tenants + users)):
        raise RefusedError(AuthCode.DEV_HEADERS_INVALID)
    return Identity(
        AuthMode.DEV_HEADERS,
        tenant_id=tenants[0],
        user_id=users[0] if users else None,
        warnings=(Warn.AUTH_NOT_VERIFIED,),
    )
