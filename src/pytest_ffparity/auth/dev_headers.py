"""The development fallback: a tenant and a user taken from plain headers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from pytest_ffparity.auth.callers import legal_caller
from pytest_ffparity.auth.codes import AuthCode, AuthError

TENANT: Final = "x-ff-tenant"
_USER: Final = "x-ff-user"


def values(headers: Sequence[tuple[str, str]], name: str) -> list[str]:
    """Give every value of a header; `name` is lower case."""
    return [value for key, value in headers if key.lower() == name]


class DevCaller(msgspec.Struct, frozen=True):
    """A tenant and perhaps a user, as plain headers name them; nothing is proven."""

    tenant_id: str
    user_id: str | None


def read_dev_headers(headers: Sequence[tuple[str, str]]) -> DevCaller:
    """Give the caller that `X-FF-Tenant` and `X-FF-User` name; the first is there.

    Raises:
        AuthError: `dev_headers_invalid`: one is repeated, or is no legal id.
    """
    tenants, users = values(headers, TENANT), values(headers, _USER)
    if len(tenants) != 1 or len(users) > 1 or not all(map(legal_caller, tenants + users)):
        raise AuthError(AuthCode.DEV_HEADERS_INVALID)
    return DevCaller(tenants[0], users[0] if users else None)
