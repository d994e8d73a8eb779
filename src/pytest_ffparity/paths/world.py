"""The world of the built-in paths, read strictly from a vector's open JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from pytest_ffparity.errors import FFParityError
from pytest_ffparity.evaluator.model import Request
from pytest_ffparity.formats import instant, schema
from pytest_ffparity.paths.writes import Write

WORLD_SCHEMA: Final = "world.v1"
REQUEST_SCHEMA: Final = "request.v1"


class ShapeError(FFParityError):
    """A world or a request that is not what the built-in paths take."""


class Jwks(msgspec.Struct, frozen=True):
    """Key names: what a path holds when it starts, and what the endpoint gives."""

    held: tuple[str, ...] | None = None
    published: tuple[str, ...] = ("k1",)
    reachable: bool = True
    fetched_seconds_ago: float | None = None


class Admin(msgspec.Struct, frozen=True):
    """Whether the Admin service is there at all."""

    reachable: bool = True


class CorruptValue(msgspec.Struct, frozen=True):
    """A stored value that is overwritten past all checks; the ids say whose."""

    flag_key: str
    value: Any
    tenant_id: str | None = None
    user_id: str | None = None


class World(msgspec.Struct, frozen=True):
    """The state that a vector needs; records as JSON, to be checked at the write."""

    now: str
    flags: list[dict[str, Any]]
    environment: dict[str, str] = {}
    tenant_overrides: list[dict[str, Any]] = []
    user_overrides: list[dict[str, Any]] = []
    approvals: list[dict[str, Any]] = []
    admin: Admin = Admin()
    jwks: Jwks = Jwks()
    writes: list[Write] = []
    corrupt: list[CorruptValue] = []
    backing: str = "available"

    @property
    def instant(self) -> datetime:
        """The instant at which everything happens."""
        return instant.parse(self.now)


def read_world(document: Any) -> World:
    """Read a world.

    Raises:
        ShapeError: It breaks schema `world.v1`.
    """
    _check(WORLD_SCHEMA, "world", document)
    return msgspec.convert(document, World)


def instant_of(world: Any) -> datetime:
    """Give the instant from which tokens are reckoned: the world's `now`, else the present."""
    now = world.get("now") if isinstance(world, dict) else None
    try:
        return instant.parse(now) if isinstance(now, str) else datetime.now(UTC)
    except ValueError:
        return datetime.now(UTC)


def read_request(document: Any) -> Request:
    """Read a request as a path gets it, tokens minted.

    Raises:
        ShapeError: It breaks schema `request.v1`.
    """
    _check(REQUEST_SCHEMA, "request", document)
    headers = [
        (name, value)
        for name, given in document.get("headers", {}).items()
        for value in ([given] if isinstance(given, str) else given)
    ]
    return Request(document["flag_key"], tuple(headers), document.get("approval_ref"))


def _check(name: str, what: str, document: Any) -> None:
    found = schema.problems(name, document)
    if found:
        listed = "; ".join(f"/{what}{p.pointer}: {p.sentence}" for p in found)
        raise ShapeError(f"no {what} for the built-in paths (schema {name}): {listed}")
