"""What happens to the Admin service and to the JWKS endpoint."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

from tests.faults import peers
from tests.faults.fault import Fault
from tests.faults.peers import Talk, says, says_json
from tests.faults.place import Place
from tests.faults.world import APPROVAL, APPROVED, End

Broken = Callable[[Place], AbstractAsyncContextManager[None]]

_DOWN: Final = End("sensitive_overlay", "admin_unreachable")
_INVALID: Final = End("sensitive_overlay", "admin_invalid")
_ABSENT: Final = End("sensitive_overlay", "approval_missing")
_SOUND: Final = json.dumps(APPROVAL).encode()
_HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@asynccontextmanager
async def _admin_refuses(place: Place) -> AsyncIterator[None]:
    async with place.admin.refusing():
        yield


def _admin_talks(talk: Talk) -> Broken:
    @asynccontextmanager
    async def broken(place: Place) -> AsyncIterator[None]:
        async with place.admin.talking(talk):
            yield

    return broken


def _admin(name: str, what: str, talk: Talk, end: End, **more: Any) -> Fault:
    return Fault(
        id=f"admin-{name}",
        what=f"Admin {what}",
        broken=_admin_talks(talk),
        ends={APPROVED: (end,)},
        **more,
    )


def _said(**changes: Any) -> Talk:
    return says_json({**APPROVAL, **changes})


def _text(old: bytes, new: bytes) -> Talk:
    return says(200, _SOUND.replace(old, new, 1))


@asynccontextmanager
async def _redirects(place: Place) -> AsyncIterator[None]:
    """Another server would say yes: the redirect is not followed."""
    other = peers.Peer(APPROVAL)
    await other.start()
    async with place.admin.talking(says(302, b"", f"Location: {other.url}")):
        yield
    await other.stop()


_ADMIN: Final = [
    Fault(
        id="admin-refuses",
        what="Admin refuses connections",
        broken=_admin_refuses,
        ends={APPROVED: (_DOWN,)},
    ),
    Fault(
        id="admin-breaker-open",
        what="Admin refuses until the breaker opens",
        broken=_admin_refuses,
        ends={APPROVED: (_DOWN,)},
        breaker=3,
        rounds=6,
    ),
    Fault(
        id="admin-302",
        what="Admin redirects to where the answer is yes",
        broken=_redirects,
        ends={APPROVED: (_DOWN,)},
    ),
    _admin("hangs", "says nothing", peers.says_nothing, _DOWN, rounds=1),
    _admin(
        "drips",
        "drips a body",
        peers.drips(_HEAD + b"Content-Length: 999\r\n\r\n", b" "),
        _DOWN,
        rounds=1,
    ),
    _admin("drips-headers", "drips headers", peers.drips(_HEAD, b"X-A: b\r\n"), _DOWN, rounds=1),
    _admin("hangs-up", "hangs up", peers.hangs_up, _DOWN),
    _admin("no-http", "speaks another protocol", peers.talks_no_http, _DOWN),
    _admin("cut-short", "hangs up inside the body", says(200, _SOUND, length=9999), _DOWN),
    _admin("500", "answers 500 with an approval", says(500, _SOUND), _DOWN),
    _admin("503", "answers 503", says(503, b""), _DOWN),
    _admin("429", "answers 429", says(429, b""), _DOWN),
    _admin("201", "answers 201 with an approval", says(201, _SOUND), _DOWN),
    _admin("html", "answers HTML", says(200, b"<html>", "Content-Type: text/html"), _INVALID),
    _admin("garbage", "answers bytes that are no text", says(200, bytes(range(256))), _INVALID),
    _admin("empty", "answers an empty body", says(200, b""), _INVALID),
    _admin("50-mb", "answers 50 MB", peers.pours(50 * 1024 * 1024), _INVALID),
    _admin(
        "gzip",
        "answers compressed",
        says(200, gzip.compress(_SOUND), "Content-Encoding: gzip"),
        _INVALID,
    ),
    _admin("bounds-null", "gives no bounds", _said(valid_from=None, expires_at=None), _INVALID),
    _admin(
        "duplicate-key",
        "says twice whether it was found",
        _text(b"{", b'{"found": false, '),
        _INVALID,
    ),
    _admin("found-text", "says found in quotes", _said(found="true"), _INVALID),
    _admin(
        "no-such-date",
        "names a date that does not exist",
        _said(expires_at="2026-02-30T00:00:00Z"),
        _INVALID,
    ),
    _admin(
        "no-offset",
        "names an instant without offset",
        _said(expires_at="2026-05-01T00:00:00"),
        _INVALID,
    ),
    _admin("unknown-key", "says more than its schema", _said(approved=True), _INVALID),
    _admin("other-flag", "answers for another flag", _said(flag_key="ff.plain"), _ABSENT),
    _admin("other-tenant", "answers for another tenant", _said(tenant_id="T-other"), _ABSENT),
    _admin("other-ref", "answers for another approval", _said(approval_ref="APP-2"), _ABSENT),
]

_KEYS_STALE: Final = 400.0
_KEYS_USELESS: Final = 4000.0
_NO_KEYS: Final = End("auth", "jwks_unreachable")
_DECODED: Final = End(mode="decode-only", warnings=("auth_not_verified", "jwks_unreachable"))
_STALE: Final = End(warnings=("jwks_stale",))


def _jwks(seconds: float, talk: Talk | None) -> Broken:
    """Break the endpoint, and let time pass by the monotonic clock: the held set grows old."""

    @asynccontextmanager
    async def broken(place: Place) -> AsyncIterator[None]:
        place.passed += seconds
        async with place.jwks.refusing() if talk is None else place.jwks.talking(talk):
            yield
        place.passed += 60  # the back-off is over

    return broken


def _keys(name: str, what: str, seconds: float, talk: Talk | None, end: End, **more: Any) -> Fault:
    return Fault(
        id=f"jwks-{name}",
        what=f"the JWKS endpoint {what}",
        broken=_jwks(seconds, talk),
        rest=(end,),
        **more,
    )


_JWKS: Final = [
    _keys("down-held", "is down, the held set is fresh", 0, None, End()),
    _keys("down-stale", "is down, the held set is stale", _KEYS_STALE, None, _STALE),
    _keys("down", "is down, the held set is over its limit", _KEYS_USELESS, None, _NO_KEYS),
    _keys("down-at-start", "is down, from the start", 0, None, _NO_KEYS, at_start=True),
    _keys("down-dev", "is down, with the dev fallback", 0, None, _DECODED, at_start=True, dev=True),
    _keys("500", "answers 500", _KEYS_USELESS, says(500, b""), _NO_KEYS),
    _keys("garbage", "answers no JSON", _KEYS_USELESS, says(200, b"{"), _NO_KEYS),
    _keys("50-mb", "answers 50 MB", _KEYS_USELESS, peers.pours(50 * 1024 * 1024), _NO_KEYS),
    _keys(
        "hangs", "says nothing", _KEYS_USELESS, peers.says_nothing, _NO_KEYS, rounds=1, deadline=3.0
    ),
]
HTTP_FAULTS: Final = [*_ADMIN, *_JWKS]
