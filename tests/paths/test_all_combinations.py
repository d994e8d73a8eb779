"""All 168: four modes, three scopes, seven states of the approval, sensitive or not, on both paths."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pytest_ffparity.parity.compare import compare
from pytest_ffparity.parity.matrix import ParityMatrix
from pytest_ffparity.paths.builtin import BuiltinPath, builtin_paths
from pytest_ffparity.paths.keys import KeyRing
from pytest_ffparity.paths.mint import minted
from pytest_ffparity.vectors.matrix_reader import read_matrix

VECTORS = Path(__file__).parents[2] / "vectors"
NOW = "2026-04-19T00:00:00.000000Z"
TENANT, USER, REF = "T-pty-pilot-01", "U1001", "APP-100001-abcd"

MODES = ["verified", "decode-only", "dev-headers", "anonymous"]
SCOPES = ["default", "tenant", "user"]
STATES = ["valid", "expiring_soon", "expired", "revoked", "not_yet_valid", "absent", "admin down"]
ALL = list(itertools.product(MODES, SCOPES, STATES, [True, False]))

BOUNDS = {
    "valid": ("2026-04-01T00:00:00Z", "2026-05-01T00:00:00Z", None),
    "expiring_soon": ("2026-04-01T00:00:00Z", "2026-04-19T00:15:00Z", None),
    "expired": ("2026-04-01T00:00:00Z", "2026-04-19T00:00:00Z", None),
    "revoked": ("2026-04-01T00:00:00Z", "2026-05-01T00:00:00Z", "2026-04-19T00:00:00Z"),
    "not_yet_valid": ("2026-04-19T00:00:00.000001Z", "2026-05-01T00:00:00Z", None),
    "admin down": ("2026-04-01T00:00:00Z", "2026-05-01T00:00:00Z", None),
}
VALUES = {"default": "of the default", "tenant": "of the tenant", "user": "of the user"}


def world_of(mode: str, scope: str, state: str, *, sensitive: bool) -> dict[str, Any]:
    flag = {
        "flag_key": "ff.s",
        "value_type": "string",
        "default_value": VALUES["default"],
        "safe_value": "safe",
        "sensitive": sensitive,
        "version": 1,
    }
    tenant = {"flag_key": "ff.s", "tenant_id": TENANT, "value": VALUES["tenant"], "version": 1}
    user = {**tenant, "user_id": USER, "value": VALUES["user"]}
    approvals = []
    if state != "absent":
        start, end, revoked = BOUNDS[state]
        approvals = [
            {
                "approval_ref": REF,
                "flag_key": "ff.s",
                "tenant_id": TENANT,
                "valid_from": start,
                "expires_at": end,
                "revoked_at": revoked,
            }
        ]
    return {
        "now": NOW,
        "environment": {"FF_ALLOW_DEV_HEADERS": "true" if mode != "verified" else "false"},
        "flags": [flag],
        "tenant_overrides": [tenant] if scope != "default" else [],
        "user_overrides": [user] if scope == "user" else [],
        "approvals": approvals,
        "admin": {"reachable": state != "admin down"},
        "jwks": {
            "held": None,
            "published": ["k1"],
            "reachable": mode != "decode-only",
            "fetched_seconds_ago": None,
        },
    }


def request_of(mode: str) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if mode in ("verified", "decode-only"):
        claims = {"tenant_id": TENANT, "sub": USER}
        headers = {"Authorization": {"$bearer": {"key": "k1", "claims": claims}}}
    elif mode == "dev-headers":
        headers = {"X-FF-Tenant": TENANT, "X-FF-User": USER}
    return {"flag_key": "ff.s", "headers": headers, "approval_ref": REF}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Any, dict[str, Any]]]:
    """What each path answered, by combination."""
    keys = KeyRing()
    now = datetime.fromisoformat(NOW).astimezone(UTC)

    async def ask(paths: list[BuiltinPath]) -> dict[Any, dict[str, Any]]:
        found: dict[Any, dict[str, Any]] = {}
        for mode, scope, state, sensitive in ALL:
            world = world_of(mode, scope, state, sensitive=sensitive)
            given = {}
            for path in paths:
                await path.prepare(world)
                decision = await path.evaluate(minted(request_of(mode), keys, now))
                given[path.name] = decision.to_dict()
            found[mode, scope, state, sensitive] = given
        return found

    with ExitStack() as stack:
        loop = stack.enter_context(asyncio.Runner())
        folder = tmp_path_factory.mktemp("all")
        paths = stack.enter_context(builtin_paths(folder=folder, dsn=None, keys=keys, run=loop.run))
        yield loop.run(ask(paths))


def test_there_are_168_and_each_is_another_world() -> None:
    assert len(set(ALL)) == 4 * 3 * 7 * 2 == 168
    worlds = {
        str((world_of(mode, scope, state, sensitive=sensitive), request_of(mode)))
        for mode, scope, state, sensitive in ALL
    }
    assert len(worlds) == 168


@pytest.mark.parametrize("combination", ALL, ids=lambda one: "-".join(map(str, one)))
def test_both_paths_give_what_the_definition_says(
    answers: Any, oracle: Any, combination: tuple[str, str, str, bool]
) -> None:
    mode, scope, state, sensitive = combination
    matrix = ParityMatrix(read_matrix(VECTORS / "cutover_parity_matrix.json").rows)
    expected = oracle(world_of(mode, scope, state, sensitive=sensitive)).decision(request_of(mode))
    given = answers[combination]
    assert list(given) == ["file", "db"]
    assert compare(expected, given, matrix) == []


def test_only_a_verified_caller_with_a_live_approval_opens_it(answers: Any) -> None:
    # Written out by hand, so that an oracle that is wrong as the paths are is seen as well.
    opened = {
        (mode, state)
        for (mode, _, state, sensitive), given in answers.items()
        for decision in given.values()
        if sensitive and decision["decision"] == "allow"
    }
    assert opened == {("verified", "valid"), ("verified", "expiring_soon")}


REASONS = {
    "valid": (None, "valid", []),
    "expiring_soon": (None, "expiring_soon", ["approval_expiring_soon"]),
    "expired": ("approval_expired", "expired", []),
    "revoked": ("approval_revoked", "revoked", []),
    "not_yet_valid": ("approval_not_yet_valid", "not_yet_valid", []),
    "absent": ("approval_missing", "absent", []),
    "admin down": ("admin_unreachable", None, ["admin_unreachable"]),
}
SERVED = {"default": "registry_default", "tenant": "tenant_override", "user": "user_override"}
WARNED = {
    "verified": [],
    "decode-only": ["auth_not_verified", "jwks_unreachable"],
    "dev-headers": ["auth_not_verified"],
    "anonymous": [],
}


def test_the_answers_by_hand(answers: Any) -> None:
    for (mode, scope, state, sensitive), given in answers.items():
        for decision in given.values():
            met = SCOPES[0] if mode == "anonymous" else scope
            reason, ttl, warnings = SERVED[met], None, WARNED[mode]
            denied = None
            if sensitive and mode != "verified":
                denied = "auth_not_verified"
            elif sensitive:
                denied, ttl, warnings = REASONS[state]
            got = (decision["decision"], decision["reason"], decision["value"])
            if denied is None:
                assert got == ("allow", reason, VALUES[met])
                assert decision["override_scope"] == met
            else:
                # Nothing of an override leaks.
                assert got == ("deny", denied, "safe")
                assert decision["override_scope"] is None
                assert "override" not in str(decision["reason_chain"])
            assert decision["warnings"] == warnings
            assert decision["meta"]["ttl_state"] == ttl
            assert decision["meta"]["approval_ref"] == (REF if sensitive else None)
            assert decision["http_status"] == 200
