"""What answers at a DSN may be anything."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from pytest_ffparity.backing.dsn import DatabaseUnreachableError, connect


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the driver's own
@pytest.mark.parametrize(
    "said",
    [
        b"Z\x00\x00\x00\x05X" + b"R\x00\x00\x00\x08\x00\x00\x00\x63",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"",
    ],
)
def test_a_server_of_another_kind_is_an_error_without_the_password(said: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await reader.read(8)
            writer.write(b"N")  # no TLS here
            await reader.read(100)
            writer.write(said)
            await writer.drain()
        writer.close()

    async def main() -> str:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server:
            with pytest.raises(DatabaseUnreachableError) as caught:
                await connect(f"postgresql://u:s3cr3t@127.0.0.1:{port}/db")
        return str(caught.value)

    assert "s3cr3t" not in asyncio.run(main())
