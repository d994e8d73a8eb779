"""Generated worlds and requests for the built-in paths, as hostile as stores are likely to part."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import strategies as st


class GeneratedCase(msgspec.Struct, frozen=True):
    """A world and the requests that are made in it, in the JSON form of vector files."""

    world: dict[str, Any]
    requests: list[dict[str, Any]]


# Ids that a store could take for one another, and the longest that are legal.
FLAGS = ["ff.x", "FF.X", "ff.x ", "jos\u00e9", "jose\u0301", "x" * 200, "\u00e9" * 100, "a\tb\n"]
TENANTS = ["T-pty-pilot-01", "t-pty-pilot-01", "T-pty-pilot-01 ", "\u00df", "ss", "\U0001f600" * 50]
USERS = ["U1001", "u1001", " U1001", "K", "\u212a", "\u0130", "' OR 1=1 --", "%s$1\\"]
ILLEGAL = ["", "x" * 201, "\u00e9" * 101, "a\x00b"]
REFS = ["APP-100001-abcd", "app-100001-abcd", "APP-100002", "r" * 200]
NOWS = [
    "2026-04-19T00:00:00.000000Z",
    "2026-03-29T03:00:00.000001+02:00",  # the hour that summer time leaves out in Berlin
    "2026-10-25T02:30:00+01:00",  # the hour that comes twice
    "0001-01-02T00:00:00.000001Z",
    "9999-12-30T23:59:59.999999+00:00",
    "1969-12-31T23:59:59.999999Z",
    "2024-02-29T23:59:60.5Z".replace("60.5", "59.5"),
]
SALTS = ["", "s1", "jos\u00e9", "jose\u0301"]
PERCENTAGES: list[Any] = [0, 0.0, 0.001, 33.3, 50, 57.999, 99.999, 100, 100.0]
LEAVES: list[Any] = [
    *(True, False, None, 0, 0.0, -0.0, 1, 1.0, 1e22, 1e-7, 5e-324, 1.7976931348623157e308),
    *(2**53 + 1, 2**63 - 1, -(2**63), "", " ", "1", "true", "null", "jos\u00e9", "jose\u0301"),
    *('\u2028\x7f\x01"\\/', "\U0001f600", "a" * 5000),
]
KEYS = ["", "a", "A", "\u00e9", "e\u0301", "__proto__", "1", "\uffff", "\U00010000"]
JSONS = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3)
    ),
    max_leaves=6,
)
OF_TYPE: dict[str, Any] = {
    "bool": st.booleans(),
    "string": st.sampled_from([leaf for leaf in LEAVES if isinstance(leaf, str)]),
    "number": st.sampled_from([leaf for leaf in LEAVES if type(leaf) in (int, float)]),
    "object": st.dictionaries(st.sampled_from(KEYS), JSONS, max_size=3),
}
TICKS = st.sampled_from([timedelta(microseconds=n) for n in (-1, 0, 1)])
OFFSETS = st.sampled_from([timedelta(), timedelta(hours=14), -timedelta(hours=23, minutes=59)])


def written(moment: datetime, offset: timedelta) -> str:
    """Write an instant as local time of an offset, where the calendar has room for that."""
    try:
        local = moment + offset
    except OverflowError:
        local, offset = moment, timedelta()
    minutes = abs(offset) // timedelta(minutes=1)
    zone = f"{'-' if offset < timedelta() else '+'}{minutes // 60:02}:{minutes % 60:02}"
    return f"{local.replace(tzinfo=None).isoformat(timespec='microseconds')}{zone}"


def rarely(draw: st.DrawFn, times: int) -> bool:
    """Say yes once in so many times; small numbers would come far more often."""
    return draw(st.sampled_from(range(times))) == times - 1


@st.composite
def worlds(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a world."""
    now_text = draw(st.sampled_from(NOWS))
    now = datetime.fromisoformat(now_text).astimezone(UTC)
    near = st.builds(lambda tick, off: written(now + tick, off), TICKS, OFFSETS)
    ends = st.none() | near
    keys = draw(st.lists(st.sampled_from(FLAGS), min_size=1, max_size=3, unique=True))
    flags = []
    for key in keys:
        kind = draw(st.sampled_from(sorted(OF_TYPE)))
        value = OF_TYPE[kind]
        flag = {
            "flag_key": key,
            "value_type": kind,
            "default_value": draw(value),
            "safe_value": draw(value),
            "version": draw(st.sampled_from([1, 2**63 - 1])),
        }
        if draw(st.booleans()):
            flag["off_value"] = draw(value)
        if rarely(draw, 8):
            flag["enabled"] = False
        if rarely(draw, 3):
            flag["sensitive"] = True
        if draw(st.booleans()):
            flag["rollout"] = {
                "percentage": draw(st.sampled_from(PERCENTAGES)),
                "value": draw(value),
                "salt": draw(st.sampled_from(SALTS)),
            }
        if draw(st.booleans()):
            flag["description"] = draw(st.sampled_from(["", "jos\u00e9", "d" * 3000]))
        flags.append(flag)
    types = {flag["flag_key"]: flag["value_type"] for flag in flags}

    def override(key: tuple[str, ...]) -> dict[str, Any]:
        names = ("flag_key", "tenant_id", "user_id")
        record: dict[str, Any] = dict(zip(names, key, strict=False))
        record |= {"value": draw(OF_TYPE[types[key[0]]]), "version": 1}
        if draw(st.booleans()):
            record["expires_at"] = draw(ends)
        return record

    tenant_keys = st.tuples(st.sampled_from(keys), st.sampled_from(TENANTS[:3]))
    user_keys = st.tuples(
        st.sampled_from(keys), st.sampled_from(TENANTS[:3]), st.sampled_from(USERS)
    )
    tenants = draw(st.lists(tenant_keys, max_size=5, unique=True))
    users = draw(st.lists(user_keys, max_size=8, unique=True))
    approvals = [
        {
            "approval_ref": ref,
            "flag_key": draw(st.sampled_from(keys)),
            "tenant_id": draw(st.sampled_from(TENANTS[:1] * 3 + TENANTS[1:2])),
            "valid_from": draw(st.just(written(now - timedelta(seconds=9), timedelta())) | near),
            "expires_at": draw(
                near
                | st.builds(
                    lambda tick, off: written(now + timedelta(minutes=15) + tick, off),
                    TICKS,
                    OFFSETS,
                )
            ),
            "revoked_at": draw(near) if rarely(draw, 4) else None,
        }
        for ref in draw(st.lists(st.sampled_from(REFS), min_size=1, max_size=4, unique=True))
    ]
    for approval in approvals:
        if rarely(draw, 10):
            approval[draw(st.sampled_from(["valid_from", "expires_at"]))] = None
    places = [(key,) for key in keys] + tenants + users
    corrupt = [
        {
            **dict(zip(("flag_key", "tenant_id", "user_id"), place, strict=False)),
            "value": draw(JSONS),
        }
        for place in draw(st.lists(st.sampled_from(places), max_size=2, unique=True))
        if rarely(draw, 3)
    ]
    return {
        "now": now_text,
        "environment": draw(
            st.sampled_from([{}, *[{"FF_ALLOW_DEV_HEADERS": t} for t in ("true", "true", "True")]])
        ),
        "flags": flags,
        "tenant_overrides": [override(key) for key in tenants],
        "user_overrides": [override(key) for key in users],
        "approvals": approvals,
        "admin": {"reachable": not rarely(draw, 6)},
        "jwks": {
            "held": draw(st.sampled_from([["k1"], ["k1", "k2"], ["k2"], None])),
            "published": draw(st.sampled_from([["k1"], ["k1", "k2"], ["k2"], []])),
            "reachable": not rarely(draw, 5),
            "fetched_seconds_ago": draw(
                st.sampled_from([None, 0, 299.9999999, 300, 3599.9999999, 3600])
            ),
        },
        "corrupt": corrupt,
        "backing": "missing" if rarely(draw, 20) else "available",
    }


@st.composite
def requests(draw: st.DrawFn, world: dict[str, Any]) -> dict[str, Any]:
    """Draw a request that aims at what is in the world."""
    def one_of(known: list[str], strange: list[str]) -> str:
        return draw(st.sampled_from(strange if rarely(draw, 8) else known))

    request: dict[str, Any] = {
        "flag_key": one_of([flag["flag_key"] for flag in world["flags"]], FLAGS + ILLEGAL)
    }
    theirs = [o for o in world["user_overrides"] if o["flag_key"] == request["flag_key"]]
    theirs += [o for o in world["tenant_overrides"] if o["flag_key"] == request["flag_key"]]
    # A token can't be minted with what is no text.
    illegal = ILLEGAL[:3]
    tenant = one_of([o["tenant_id"] for o in theirs] + TENANTS[:1] * 2, TENANTS + illegal)
    user = one_of([o["user_id"] for o in theirs if "user_id" in o] + USERS[:2], USERS + illegal)
    headers: dict[str, Any] = {}
    if not rarely(draw, 5):
        claims: dict[str, Any] = {"tenant_id": tenant, "sub": user}
        if rarely(draw, 10):
            claims = draw(
                st.sampled_from(
                    [
                        {**claims, "tenant_id": None},
                        {**claims, "sub": True},
                        {"sub": user},
                        {**claims, "aud": ["other", "pty-feature-flags"]},
                        {**claims, "aud": "PTY-feature-flags"},
                        {**claims, "exp": "1893456000"},
                        {**claims, "iat": None},
                        {**claims, "jti": 7},
                        {**claims, "exp": 253402300800},
                    ]
                )
            )
        faults = ["signature", "alg_none", "malformed", "expired", "not_yet_valid", "wrong_issuer"]
        spec = {
            "key": one_of(["k1"], ["k2", "k3"]),
            "claims": claims,
            "faults": draw(st.lists(st.sampled_from(faults), max_size=2, unique=True))
            if rarely(draw, 8)
            else [],
        }
        headers["authorization"] = {"$bearer": spec}
    if draw(st.booleans()):
        headers["X-FF-Tenant"] = draw(st.sampled_from([tenant, [tenant, tenant]]))
    if draw(st.booleans()):
        headers["x-ff-user"] = user
    request["headers"] = headers
    if not rarely(draw, 4):
        request["approval_ref"] = one_of(
            [approval["approval_ref"] for approval in world["approvals"]] or REFS, REFS + ILLEGAL
        )
    return request


@st.composite
def cases(draw: st.DrawFn, requests_in_a_world: int) -> GeneratedCase:
    """Draw a world and so many requests in it."""
    world = draw(worlds())
    asked = [draw(requests(world)) for _ in range(requests_in_a_world)]
    return GeneratedCase(world, asked)
