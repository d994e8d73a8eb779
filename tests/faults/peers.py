"""Real HTTP servers on loopback whose behaviour is changed while they run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

Talk = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Peer:
    """Answers every request with one JSON document, or talks as it is told.

    Args:
        document: What it answers with while it is sound.
    """

    def __init__(self, document: Any) -> None:
        self._sound = says(200, json.dumps(document).encode())
        self.talk: Talk = self._sound
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more, and cut what is open; the port stays its own for a new start."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        tasks = [task for task in self._open.values() if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @asynccontextmanager
    async def refusing(self) -> AsyncIterator[None]:
        await self.stop()
        yield
        await self.start()

    @asynccontextmanager
    async def talking(self, talk: Talk) -> AsyncIterator[None]:
        self.talk = talk
        yield
        self.talk = self._sound

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open[writer] = asyncio.current_task()
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while True:
                    head = await reader.readuntil(b"\r\n\r\n")
                    await reader.readexactly(_length(head))
                    await self.talk(writer)
        finally:
            del self._open[writer]
            writer.transport.abort()


def says(status: int, body: bytes, *headers: str, length: int | None = None) -> Talk:
    """Give a talk of one whole answer; `length` is what it claims, if not the truth."""
    claimed = len(body) if length is None else length
    lines = [
        f"HTTP/1.1 {status} Said",
        *(() if any(h.startswith("Content-Type") for h in headers) else _JSON),
        *headers,
        f"Content-Length: {claimed}",
    ]
    answer = "\r\n".join([*lines, "", ""]).encode() + body

    async def talk(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()
        if claimed != len(body):
            raise ConnectionError

    return talk


def says_json(document: Any) -> Talk:
    return says(200, json.dumps(document).encode())


async def says_nothing(_: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def hangs_up(_: asyncio.StreamWriter) -> None:
    raise ConnectionError


async def talks_no_http(writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.example ESMTP\r\n")
    await writer.drain()
    raise ConnectionError


def drips(head: bytes, drop: bytes) -> Talk:
    """Give a talk that never ends: a drop every 50 ms, so that no single read times out."""

    async def talk(writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            writer.write(drop)
            await writer.drain()
            await asyncio.sleep(0.05)

    return talk


def pours(size: int) -> Talk:
    async def talk(writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 200 OK\r\n{_JSON[0]}\r\nContent-Length: {size}\r\n\r\n"
        writer.write(head.encode())
        for _ in range(size // 65536):
            writer.write(b" " * 65536)
            await writer.drain()

    return talk


_JSON = ("Content-Type: application/json",)


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0
