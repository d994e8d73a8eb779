"""Requests aimed at what is in a world, and at what only looks like it."""

from __future__ import annotations

from typing import Any, Final

from pytest_ffparity.evaluator.model import Flag
from pytest_ffparity.paths.hostile.draws import Draws
from pytest_ffparity.paths.hostile.texts import (
    FLAG_KEYS,
    NO_IDS,
    REFS,
    TENANTS,
    USERS,
    WITH_NUL,
    look_alikes,
    text,
)
from pytest_ffparity.paths.hostile.world import Scene

_FAULTS: Final = (
    *("signature", "alg_none", "hs256_public_key", "malformed", "expired", "not_yet_valid"),
    *("wrong_issuer", "wrong_audience", "no_subject", "numeric_subject", "unknown_kid"),
)
_NO_TEXTS: Final[tuple[Any, ...]] = (
    *(None, True, 1, 1.0, 1001, 2**53 + 1, [], ["U1001"], {}, {"sub": "U1001"}),
    *("", "a\tb", "\x7f", "\x01", "x" * 201),
)
_NO_CREDENTIALS: Final[tuple[Any, ...]] = ("Basic dXNlcjpwYXNz", "Bearer", "Bearer ", "Bearer a.b")
_AUTHORIZATION: Final = ("Authorization", "authorization", "AUTHORIZATION")
_LEEWAY: Final = 30


class Asking:
    """Makes requests to one world.

    Args:
        draws: Decides.
        scene: The world, as it is after its writes.
    """

    def __init__(self, draws: Draws, scene: Scene) -> None:
        self._draws = draws
        self._scene = scene
        records = scene.ledger.records
        self._keys = [ids[0] for ids in records if len(ids) == 1]
        self._overrides = [ids for ids in records if len(ids) > 1]
        self._gone = scene.ledger.gone
        self._split = [key for key in self._keys if self._flag(key).rollout is not None]
        self._approvals = scene.world.get("approvals", [])
        fallback = scene.world.get("environment", {}).get("FF_ALLOW_DEV_HEADERS") == "true"
        self._other_keys = 45 if "jwks" in scene.world else 6
        self._bearers = 60 if fallback else 80

    def next(self) -> dict[str, Any]:
        """Make one request."""
        draws = self._draws
        ids, ref = self._aim()
        key, tenant, user = self._completed(ids)
        request: dict[str, Any] = {"flag_key": key}
        headers = self._headers(tenant, user)
        if headers or draws.chance(50):
            request["headers"] = headers
        if ref is None and draws.chance(10):
            ref = draws.one_of([*REFS, *NO_IDS, *WITH_NUL])
        if ref is not None or draws.chance(20):
            request["approval_ref"] = ref
        return request

    def _aim(self) -> tuple[tuple[str, ...], str | None]:
        """Choose ids, and an approval's ref where one is aimed at."""
        draws = self._draws
        aims = (
            *("approval",) * (4 * bool(self._approvals)),
            *("override",) * (6 * bool(self._overrides)),
            *("rollout",) * (4 * bool(self._split)),
            *("gone",) * bool(self._gone),
            *("flag",) * (2 * bool(self._keys)),
        )
        aim = draws.one_of(aims) if aims and not draws.chance(7) else "stranger"
        if aim == "approval":
            one = draws.one_of(self._approvals)
            ref = one["approval_ref"]
            if draws.chance(15):
                ref = draws.one_of(look_alikes(ref) or REFS)
            return (one["flag_key"], one["tenant_id"]), ref
        if aim == "rollout":
            tenant, user = draws.one_of(self._scene.callers)
            known = user if draws.chance(20) else text(draws)
            return (draws.one_of(self._split), tenant, known), self._some_ref()
        if aim == "stranger":
            return (self._stranger(),), None
        given = {"override": self._overrides, "gone": self._gone}.get(aim)
        ids = draws.one_of(given) if given is not None else (draws.one_of(self._keys),)
        return ids, self._some_ref(ids[0])

    def _some_ref(self, key: str | None = None) -> str | None:
        theirs = [one for one in self._approvals if key in (None, one["flag_key"])]
        if not theirs or self._draws.chance(25):
            return None
        ref: str = self._draws.one_of(theirs)["approval_ref"]
        return ref

    def _stranger(self) -> str:
        draws = self._draws
        if self._keys and draws.chance(40):
            return draws.one_of(look_alikes(draws.one_of(self._keys)) or FLAG_KEYS)
        return draws.one_of([*FLAG_KEYS, *NO_IDS, *WITH_NUL])

    def _completed(self, ids: tuple[str, ...]) -> tuple[str, str, str]:
        """Fill in tenant and user; now and then one of them is somebody who looks alike."""
        draws = self._draws
        tenant, user = draws.one_of(self._scene.callers)
        key, tenant, user = (*ids, *(tenant, user)[len(ids) - 1 :])
        if draws.chance(6):
            tenant = draws.one_of([*look_alikes(tenant), *TENANTS])
        if draws.chance(10):
            user = draws.one_of([*look_alikes(user), *USERS])
        return key, tenant, user

    def _headers(self, tenant: str, user: str) -> dict[str, Any]:
        draws = self._draws
        headers: dict[str, Any] = {}
        if draws.chance(self._bearers):
            headers[draws.one_of(_AUTHORIZATION)] = self._credentials(tenant, user)
            if not draws.chance(5):
                return headers
        if draws.chance(75):
            headers[draws.one_of(("X-FF-Tenant", "x-ff-tenant"))] = self._plainly(tenant)
        if draws.chance(75):
            headers[draws.one_of(("X-FF-User", "x-ff-user"))] = self._plainly(user)
        return headers

    def _plainly(self, name: str) -> Any:
        if not self._draws.chance(5):
            return name
        return self._draws.one_of([[name, name], "a\tb", *NO_IDS, *WITH_NUL])

    def _credentials(self, tenant: str, user: str) -> Any:
        draws = self._draws
        if draws.chance(2):
            return draws.one_of(_NO_CREDENTIALS)
        spec: dict[str, Any] = {"claims": {"tenant_id": tenant, "sub": user}}
        if draws.chance(self._other_keys):
            spec["key"] = draws.one_of(("k1", "k2", "k2", "k2", "k3"))
        if draws.chance(7):
            spec["faults"] = draws.some(_FAULTS[:7], 2) if draws.chance(15) else [self._fault()]
        elif draws.chance(6):
            self._spoil(spec["claims"])
        token = {"$bearer": spec}
        return [token, token] if draws.chance(1) else token

    def _fault(self) -> str:
        return self._draws.one_of(_FAULTS)

    def _spoil(self, claims: dict[str, Any]) -> None:
        draws = self._draws
        seconds = int(self._scene.now.timestamp() // 1)
        way = draws.below(4)
        if way == 0:
            del claims[draws.one_of(("tenant_id", "sub"))]
        elif way == 1:
            claims[draws.one_of(("tenant_id", "sub"))] = draws.one_of(_NO_TEXTS)
        else:
            claims |= draws.one_of(
                (
                    {"exp": seconds - _LEEWAY},
                    {"exp": seconds - _LEEWAY + 1},
                    {"nbf": seconds + _LEEWAY},
                    {"nbf": seconds + _LEEWAY + 1},
                    {"iat": seconds + _LEEWAY + 1},
                    {"exp": "1893456000"},
                    {"exp": True},
                    {"exp": 253402300800},
                    {"iat": None},
                    {"nbf": "0"},
                    {"aud": ["other", "pty-feature-flags"]},
                    {"aud": "PTY-feature-flags"},
                    {"jti": 7},
                )
            )

    def _flag(self, key: str) -> Flag:
        found = self._scene.ledger.records[(key,)]
        if not isinstance(found, Flag):
            raise TypeError(f"{key!r} is no flag's id")
        return found
