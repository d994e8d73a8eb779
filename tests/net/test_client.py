"""The bounded client against a server that says, byte for byte, what the test wants."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import Callable, Iterator
from threading import Event, Thread

import pytest

from pytest_ffparity.net.client import (
    Answer,
    BodyRefusedError,
    BoundedClient,
    Bounds,
    NoAnswerError,
    trust_for,
)

BOUNDS = Bounds(connect=5, read=5, total=5, max_body=100)
OK = b"HTTP/1.1 200 OK\r\n"


class RawServer:
    """Sends fixed bytes on every connection; then hangs, dripping blanks, or closes."""

    def __init__(self, said: bytes, *, drips: bool) -> None:
        self.connections = 0
        self.asked = b""
        self._said = said
        self._drips = drips
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
                self.connections += 1
                self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        try:
            self.asked = connection.recv(65536)
            connection.sendall(self._said)
            while self._drips and not self._ended.wait(0.02):
                connection.sendall(b" ")
        except OSError:
            return


@pytest.fixture
def serve() -> Iterator[Callable[..., RawServer]]:
    servers: list[RawServer] = []

    def started(said: bytes, *, drips: bool = False) -> RawServer:
        servers.append(RawServer(said, drips=drips))
        return servers[-1]

    yield started
    for server in servers:
        server.close()


def get(url: str, bounds: Bounds = BOUNDS) -> Answer:
    async def main() -> Answer:
        client = BoundedClient(trust_for(url), bounds)
        try:
            return await client.send("GET", url)
        finally:
            await client.aclose()

    return asyncio.run(main())


def test_a_plain_answer_comes_whole(serve: Callable[..., RawServer]) -> None:
    server = serve(
        OK + b"Content-Type: application/json\r\nCache-Control: max-age=60\r\n"
        b"Content-Length: 2\r\n\r\n{}"
    )
    assert get(server.url) == Answer(200, "application/json", "max-age=60", b"{}")
    assert b"identity" in server.asked


def test_a_redirect_is_an_answer_and_its_target_is_not_asked(
    serve: Callable[..., RawServer],
) -> None:
    target = serve(OK + b"Content-Length: 2\r\n\r\n{}")
    moved = b"HTTP/1.1 302 Found\r\nLocation: " + target.url.encode() + b"\r\n\r\n"
    assert get(serve(moved).url).status == 302
    assert target.connections == 0


@pytest.mark.parametrize("said", [OK[:9], OK + b"X: ", OK + b"Content-Length: 90\r\n\r\n"])
def test_a_server_that_drips_is_left_at_the_deadline(
    serve: Callable[..., RawServer], said: bytes
) -> None:
    # Each read gets its byte in time: only a deadline over all ends this.
    bounds = Bounds(connect=5, read=5, total=0.2, max_body=10_000)
    with pytest.raises(NoAnswerError, match=r"within 0\.2 s"):
        get(serve(said, drips=True).url, bounds)


def test_the_wait_for_a_slot_counts_too(serve: Callable[..., RawServer]) -> None:
    server = serve(OK + b"X: ", drips=True)

    async def main() -> list[object]:
        bounds = Bounds(connect=5, read=5, total=0.3, max_body=100, in_flight=1)
        client = BoundedClient(trust_for(server.url), bounds)
        try:
            asked = (client.send("GET", server.url) for _ in range(5))
            return list(await asyncio.gather(*asked, return_exceptions=True))
        finally:
            await client.aclose()

    assert all(isinstance(one, NoAnswerError) for one in asyncio.run(main()))
    assert server.connections == 1


@pytest.mark.parametrize(
    "said",
    [
        OK + b"Content-Length: 101\r\n\r\n" + b"x" * 101,
        OK + b"\r\n" + b"x" * 100_000,
        OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"x" * 1_000_000),
    ],
)
def test_a_body_too_large_or_compressed_is_refused(
    serve: Callable[..., RawServer], said: bytes
) -> None:
    with pytest.raises(BodyRefusedError):
        get(serve(said).url)


@pytest.mark.parametrize(
    "said", [b"", b"nonsense\r\n\r\n", OK + b"Content-Length: 9\r\n\r\nx", OK[:9]]
)
def test_an_answer_that_breaks_off_is_none(serve: Callable[..., RawServer], said: bytes) -> None:
    with pytest.raises(NoAnswerError):
        get(serve(said).url)


def test_a_refused_connection_is_no_answer() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        with pytest.raises(NoAnswerError, match="ConnectError") as caught:
            get(url)
        assert url not in str(caught.value)


def test_proxies_of_the_environment_are_ignored(
    serve: Callable[..., RawServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert get(serve(OK + b"Content-Length: 2\r\n\r\n{}").url).status == 200
