"""E01 to E08, E25: endpoints that fail, lie, dawdle or send on, each a real server."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from pytest_ffparity.auth.fetch import FetchError, HTTPFetch
from pytest_ffparity.auth.settings import AuthSettings
from pytest_ffparity.net.environment import ConfigurationError

ISSUER = "https://issuer.example"
DOWN = ["auth_not_verified", "jwks_unreachable"]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

Talk = Callable[[socket.socket, Event], None]


class RawServer:
    """Reads each request, then does with the connection what the test says."""

    def __init__(self, talk: Talk) -> None:
        self.asked: list[bytes] = []
        self._talk = talk
        self._ended = Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        socket.create_connection(self._listener.getsockname()).close()
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with connection:
                if self._ended.is_set():
                    return
                try:
                    self.asked.append(connection.recv(65536))
                    self._talk(connection, self._ended)
                except OSError:
                    continue


def says(*parts: bytes) -> Talk:
    def talk(connection: socket.socket, _ended: Event) -> None:
        connection.sendall(b"".join(parts))

    return talk


def resets(*parts: bytes) -> Talk:
    def talk(connection: socket.socket, _ended: Event) -> None:
        connection.sendall(b"".join(parts))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return talk


def hangs(*parts: bytes) -> Talk:
    def talk(connection: socket.socket, ended: Event) -> None:
        connection.sendall(b"".join(parts))
        ended.wait(60)

    return talk


class Dripping:
    """Sends a first part, and then a piece every 0.4 s, for 40 s if it is let."""

    def __init__(self, first: bytes, piece: bytes) -> None:
        self.first, self.piece = first, piece
        self.sent = 0

    def __call__(self, connection: socket.socket, ended: Event) -> None:
        connection.sendall(self.first)
        while self.sent < 100 and not ended.wait(0.4):
            connection.sendall(self.piece)
            self.sent += 1


def answer(document: Any, *headers: str, length: int = 0) -> bytes:
    """A sound answer, but for its headers and for what is missing of its length."""
    body = json.dumps(document).encode()
    lines = ("HTTP/1.1 200 OK", *headers, f"Content-Length: {len(body) + length}", "", "")
    return "\r\n".join(lines).encode() + body


@pytest.fixture
def serve() -> Iterator[Callable[[Talk], RawServer]]:
    servers: list[RawServer] = []

    def started(talk: Talk) -> RawServer:
        servers.append(RawServer(talk))
        return servers[-1]

    yield started
    for server in servers:
        server.close()


@pytest.fixture
def outcome(judge: Any, issuer: Any) -> Callable[[str], str]:
    """What a good token comes to with this URL, when no key is held: `verified` or `failed`.

    Failed is the 503 without the fallback, and decode-only with it.
    """
    bearer = [("Authorization", f"Bearer {issuer.token()}")]

    def asked(url: str) -> str:
        strict, lenient = (
            judge.headers(bearer, held=None, dev=dev, issuers={ISSUER: url})
            for dev in (False, True)
        )
        if getattr(strict, "verified", False) and lenient.verified:
            return "verified"
        assert (strict.code, strict.http_status) == ("jwks_unreachable", 503)
        assert strict.retry_after >= 1
        assert (lenient.mode, list(lenient.warnings)) == ("decode-only", DOWN)
        return "failed"

    return asked


JSON = "Content-Type: application/json"


def test_E01_the_same_servers_in_order_are_good(outcome: Any, serve: Any, issuer: Any) -> None:
    assert outcome(serve(says(answer(issuer.jwks("k1"), JSON))).url) == "verified"


def test_E01_a_refused_connection_is_a_failed_refresh(outcome: Any) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        assert outcome(f"http://127.0.0.1:{held.getsockname()[1]}") == "failed"


@pytest.mark.parametrize("host", ["keys.invalid", "a" * 64 + ".invalid", "a..invalid"])
def test_E01_a_name_that_cannot_be_looked_up_is_a_failed_refresh(outcome: Any, host: str) -> None:
    assert outcome(f"https://{host}/keys") == "failed"


def test_E01_a_reset_or_truncated_answer_is_a_failed_refresh(
    outcome: Any, serve: Any, issuer: Any
) -> None:
    whole = answer(issuer.jwks("k1"), JSON)
    chunk = json.dumps(issuer.jwks("k1")).encode()
    chunked = HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(chunk), chunk)
    talks = [
        *(resets(), resets(whole[:-20]), resets(HEAD), says(), says(b"HTTP/1.1 2"), says(HEAD)),
        *(says(whole[:-1]), says(answer(issuer.jwks("k1"), JSON, length=1)), says(chunked)),
        says(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
    ]
    assert [outcome(serve(talk).url) for talk in talks] == ["failed"] * len(talks)
    assert outcome(serve(says(chunked, b"0\r\n\r\n")).url) == "verified"


STATUSES = [500, 503, 404, 204, 206, 304, *(201, 202, 203, 205, 300, 400, 401, 410, 429, 502)]


@pytest.mark.parametrize("status", STATUSES)
def test_E02_only_200_is_a_success(outcome: Any, endpoint: Any, status: int) -> None:
    assert outcome(f"{endpoint.url}/keys") == "verified"
    endpoint.status = status
    assert outcome(f"{endpoint.url}/keys") == "failed"


@pytest.mark.parametrize("status", [301, 302, 307, 303, 308])
@pytest.mark.parametrize("target", ["{other}/keys", "{same}/good", "/good", "//{host}/keys"])
def test_E03_no_redirect_is_followed(
    outcome: Any, serve: Any, endpoint: Any, status: int, target: str
) -> None:
    to = target.format(same="{same}", other=endpoint.url, host=endpoint.url[7:])

    def talk(connection: socket.socket, _ended: Event) -> None:
        location = to.format(same=moved.url)
        lines = f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
        connection.sendall(lines.encode())

    moved = serve(talk)
    assert outcome(f"{moved.url}/keys") == "failed"
    assert endpoint.requests == 0
    assert [asked.split()[1] for asked in moved.asked] == [b"/keys", b"/keys"]


URLS = [
    *("http://idp.example/keys", "http://10.0.0.1/keys", "http://127.0.0.1.evil.example/keys"),
    *("file:///etc/keys.json", "ftp://127.0.0.1/keys", "data:application/json,{}", "", "keys"),
]


@pytest.mark.parametrize("url", URLS)
def test_E05_a_url_that_is_not_safe_refuses_to_start(url: str) -> None:
    with pytest.raises(ConfigurationError, match="FF_JWKS_URL"):
        AuthSettings(issuers={ISSUER: url})
    with pytest.raises(ConfigurationError, match="FF_JWKS_URL"):
        AuthSettings.from_env({"FF_JWT_ISSUER": ISSUER, "FF_JWKS_URL": url})


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]"])
def test_E05_production_takes_https_only(host: str) -> None:
    env = {"FF_JWT_ISSUER": ISSUER, "FF_JWKS_URL": f"http://{host}/keys"}
    assert AuthSettings.from_env(env).issuers == {ISSUER: f"http://{host}/keys"}
    with pytest.raises(ConfigurationError, match="FF_JWKS_URL is not https"):
        AuthSettings.from_env({**env, "FF_ENV": "production"})
    AuthSettings.from_env({**env, "FF_ENV": "production", "FF_JWKS_URL": f"https://{host}/keys"})


def test_E06_whoever_drips_or_hangs_is_left_at_the_deadline(
    judge: Any, issuer: Any, serve: Any
) -> None:
    forty = b" " * 40
    drips = [
        Dripping(HEAD + b"Content-Length: 60000\r\n\r\n", forty),
        Dripping(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"28\r\n" + forty + b"\r\n"),
        Dripping(HEAD, b"X-More: %b\r\n" % (b"x" * 30)),
        Dripping(b"HTTP/1.1 200 ", b"O"),
    ]
    hanging = [hangs(), hangs(HEAD), hangs(answer(issuer.jwks("k1"), JSON, length=1))]
    bearer = [("Authorization", f"Bearer {issuer.token()}")]

    def ask(talk: Talk, held: list[str] | None = None) -> Any:
        issuers = {ISSUER: serve(talk).url}
        return judge.headers(bearer, issuers=issuers, held=held, age=600.0)

    def fetch(talk: Talk) -> str:
        with pytest.raises(FetchError) as caught:
            asyncio.run(HTTPFetch(serve(talk).url)())
        return str(caught.value)

    with ThreadPoolExecutor(9) as pool:
        # It is the fetch itself that ends, and not only the wait for it.
        fetched = pool.submit(fetch, Dripping(HEAD, b"X-More: 1\r\n"))
        # A set that is held for over its time is good, once its refresh is given up.
        held = pool.submit(ask, hangs(), ["k1"])
        failed = list(pool.map(ask, (*drips, *hanging)))
        stale = held.result()
        assert fetched.result() == "no answer within 3 s"
    assert [one.code for one in failed] == ["jwks_unreachable"] * 7
    assert (stale.mode, list(stale.warnings)) == ("verified", ["jwks_stale"])
    # Each server would have gone on for 40 s; three seconds are seven pieces.
    assert all(2 <= drip.sent < 70 for drip in drips)


def test_E07_a_compressed_body_is_refused_before_it_is_inflated(
    outcome: Any, serve: Any, issuer: Any
) -> None:
    packed = zlib.compressobj(9, wbits=31)
    zeros = bytes(1_000_000)
    bomb = b"".join([*(packed.compress(zeros) for _ in range(100)), packed.flush()])
    assert len(bomb) < 400_000
    small = zlib.compress(json.dumps(issuer.jwks("k1")).encode(), wbits=31)
    encodings = [b"gzip", b"GZIP", b"x-gzip", b"deflate", b"br", b"zstd", b"identity, gzip"]
    servers = [
        serve(says(HEAD, b"Content-Encoding: %b\r\n\r\n" % encoding, body))
        for encoding in encodings
        for body in (bomb, small)
    ]
    # Said to be plain, it is read up to the limit, and is no JSON.
    servers += [serve(says(HEAD, b"\r\n", bomb)), serve(says(HEAD, b"\r\n", small))]

    assert outcome(serve(says(answer(issuer.jwks("k1"), JSON))).url) == "verified"
    tracemalloc.start()
    try:
        for server in servers:
            before, _ = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            with pytest.raises(FetchError):
                asyncio.run(HTTPFetch(server.url)())
            assert tracemalloc.get_traced_memory()[1] - before < 1_000_000
    finally:
        tracemalloc.stop()
    assert [outcome(server.url) for server in servers[:2]] == ["failed"] * 2
    assert b"accept-encoding: identity\r\n" in servers[0].asked[0].lower()


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        *(("Content-Type: text/html", "failed"), ("Content-Type: text/plain", "failed")),
        *(("Content-Type: application/jwt", "failed"), ("Content-Type: ", "failed")),
        *(("X-No-Type: 1", "failed"), ("Content-Type: application/jsonp", "failed")),
        *((JSON, "verified"), ("Content-Type: application/jwk-set+json", "verified")),
        ("content-type: application/json; charset=utf-8", "verified"),
        ("Content-Type: Application/JWK-Set+JSON ;charset=UTF-8", "verified"),
    ],
)
def test_E08_only_a_json_type_counts(
    outcome: Any, serve: Any, issuer: Any, said: str, expected: str
) -> None:
    assert outcome(serve(says(answer(issuer.jwks("k1"), said))).url) == expected


def test_E25_proxies_and_netrc_of_the_environment_are_ignored(
    outcome: Any, serve: Any, issuer: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    good = answer(issuer.jwks("k1"), JSON)
    trap = serve(says(good))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, trap.url)
        monkeypatch.setenv(name.lower(), trap.url)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password secret\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))

    server = serve(says(good))
    assert outcome(server.url) == "verified"
    # Nobody listens there: a proxy would have been asked, and would have had an answer.
    assert outcome("https://127.0.0.1:9/keys") == "failed"
    assert trap.asked == []
    assert len(server.asked) == 2
    assert not any(b"authorization" in asked.lower() for asked in server.asked)
