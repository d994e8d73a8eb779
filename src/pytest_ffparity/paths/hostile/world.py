"""A hostile world, in the JSON form of vector files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from pytest_ffparity.evaluator.rollout import bucket
from pytest_ffparity.paths.hostile import texts, values
from pytest_ffparity.paths.hostile.draws import Draws
from pytest_ffparity.paths.hostile.ledger import Ledger, named
from pytest_ffparity.paths.hostile.writes import Writing, flag, override

_SOON: Final = timedelta(minutes=15)
_HOURS: Final = timedelta(hours=12)
_HIGHEST: Final = 2**63 - 1
_JWKS: Final[tuple[dict[str, Any], ...]] = (
    {"reachable": False},
    {"held": ["k2"], "reachable": False},
    {"held": ["k2"], "reachable": False, "fetched_seconds_ago": 299.9999999},
    {"held": ["k2"], "published": ["k2"]},
    {"held": ["k1"], "published": ["k2"], "fetched_seconds_ago": 300},
    {"held": ["k1"], "published": ["k2"], "fetched_seconds_ago": 299.9999999},
    {"held": ["k1"], "reachable": False, "fetched_seconds_ago": 300},
    {"held": ["k1", "k2"], "reachable": False, "fetched_seconds_ago": 3599.9999999},
    {"held": ["k1"], "reachable": False, "fetched_seconds_ago": 1800},
    {"held": ["k1"], "reachable": False, "fetched_seconds_ago": 3600},
    {"held": ["k2"], "published": ["k1", "k2"]},
    {"held": ["k1"], "published": [], "fetched_seconds_ago": 301},
)


class Scene(msgspec.Struct, frozen=True):
    """A world, and what is in it after its writes.

    `callers` are the (tenant, user) pairs that overrides were made for.
    """

    world: dict[str, Any]
    ledger: Ledger
    callers: list[tuple[str, str]]
    now: datetime


def scene(draws: Draws) -> Scene:
    """Make a world: one flag and up to two overrides more often than not."""
    text = values.now(draws)
    now = datetime.fromisoformat(text).astimezone(UTC)
    keys = texts.family(draws, texts.FLAG_KEYS, draws.few(least=1, most=5))
    tenants = texts.family(draws, texts.TENANTS, draws.few(least=1, most=3))
    users = texts.family(draws, texts.USERS, 2 + draws.below(3))
    callers = [(tenant, user) for tenant in tenants for user in users]
    world: dict[str, Any] = {
        "now": text,
        "flags": [
            {"flag_key": key, **flag(draws, draws.one_of(values.TYPES)), "version": _version(draws)}
            for key in keys
        ],
    }
    _at_borders(draws, world["flags"], callers)
    world |= _overrides(draws, now, world["flags"], callers)
    ledger = Ledger(world)
    if draws.chance(40):
        writing = Writing(draws, ledger, now, callers)
        world["writes"] = [writing.next() for _ in range(draws.few(least=1, most=8))]
    if sensitive := [one.flag_key for one in ledger.flags() if one.sensitive] or keys[:1]:
        world["approvals"] = _approvals(draws, now, sensitive, tenants)
    world |= _surroundings(draws)
    if draws.chance(12) and ledger.records:
        world["corrupt"] = [
            {**named(ids), "value": values.any_json(draws, 2)}
            for ids in draws.some(list(ledger.records), draws.few(least=1, most=2))
        ]
    return Scene(world, ledger, callers, now)


def _at_borders(draws: Draws, flags: list[dict[str, Any]], callers: list[tuple[str, str]]) -> None:
    """Let some rollouts end at the very bucket of a caller, or just behind it."""
    for one in flags:
        rollout = one.get("rollout")
        if rollout and draws.chance(35):
            tenant, user = draws.one_of(callers)
            place = bucket(rollout.get("salt", ""), one["flag_key"], tenant, user)
            rollout["percentage"] = (place + draws.below(2)) / 1000


def _overrides(
    draws: Draws, now: datetime, flags: list[dict[str, Any]], callers: list[tuple[str, str]]
) -> dict[str, list[dict[str, Any]]]:
    made: dict[tuple[str, ...], dict[str, Any]] = {}
    for _ in range(draws.few(least=draws.below(4) and 1, most=8)):
        one = draws.one_of(flags)
        ids = (one["flag_key"], *draws.one_of(callers)[: 1 + draws.below(2)])
        made[ids] = {
            **named(ids),
            **override(draws, one["value_type"], now),
            "version": _version(draws),
        }
    return {
        "tenant_overrides": [record for record in made.values() if "user_id" not in record],
        "user_overrides": [record for record in made.values() if "user_id" in record],
    }


def _approvals(
    draws: Draws, now: datetime, keys: list[str], tenants: list[str]
) -> list[dict[str, Any]]:
    made = []
    for ref in texts.family(draws, texts.REFS, draws.few(least=2, most=6)):
        one: dict[str, Any] = {
            "approval_ref": ref,
            "flag_key": draws.one_of(keys),
            "tenant_id": draws.one_of(tenants),
            "valid_from": values.written(draws, now - _HOURS),
            "expires_at": values.written(draws, now + _HOURS),
        }
        # Most have one thing about them that is near its bound, or is not there.
        state = draws.one_of(
            (
                *("valid", "valid", "soon", "soon", "soon", "opens", "opens"),
                *("ends", "ends", "revoked", "revoked", "bare"),
            )
        )
        if state == "soon":
            one["expires_at"] = values.near(draws, now + _SOON)
        elif state == "opens":
            one["valid_from"] = values.near(draws, now)
        elif state == "ends":
            one["expires_at"] = values.near(draws, now)
        elif state == "revoked":
            one["revoked_at"] = values.near(draws, now)
        elif state == "bare":
            one[draws.one_of(("valid_from", "expires_at"))] = None
        made.append(one)
    return made


def _surroundings(draws: Draws) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if draws.chance(36):
        made["jwks"] = draws.one_of(_JWKS)
    if draws.chance(60):
        made["environment"] = {
            "FF_ALLOW_DEV_HEADERS": draws.one_of(("true",) * 9 + ("True", "1", "false"))
        }
    if draws.chance(14):
        made["admin"] = {"reachable": False}
    if draws.chance(7):
        made["backing"] = "missing"
    return made


def _version(draws: Draws) -> int:
    return draws.one_of((1, 1, 1, 2, 7, _HIGHEST))
