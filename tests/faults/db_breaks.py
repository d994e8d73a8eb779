"""Ways of breaking the PostgreSQL server, the way there, and what is stored, and of mending it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import asyncpg
from tests.faults.cluster import SERVICE
from tests.faults.place import Place

from pytest_ffparity.backing import faults as stores
from pytest_ffparity.backing.dsn import connect

Broken = Callable[[Place], AbstractAsyncContextManager[None]]


def sql(*breaking: str, back: str | tuple[str, ...], cut: bool = False) -> Broken:
    """Run statements in the service's database; `cut` ends its sessions besides."""

    @asynccontextmanager
    async def broken(place: Place) -> AsyncIterator[None]:
        await place.execute(*breaking)
        if cut:
            await place.cut()
        yield
        await place.execute(*((back,) if isinstance(back, str) else back))

    return broken


def spoiled(table: str, change: str, where: str) -> Broken:
    """Change rows by hand, with no constraint in the way, and have the sound rows back."""

    @asynccontextmanager
    async def broken(place: Place) -> AsyncIterator[None]:
        await place.execute(
            f"CREATE TABLE kept AS TABLE ff.{table}",
            *_without_constraints(table),
            f"UPDATE ff.{table} SET {change} WHERE {where}",
        )
        yield
        await place.execute(
            "SET session_replication_role = replica",  # the overrides of a flag are to stay
            f"DELETE FROM ff.{table}",
            f"INSERT INTO ff.{table} TABLE kept",
        )

    return broken


def _without_constraints(table: str) -> tuple[str, ...]:
    columns = {
        "flag_registry": ("default_value", "safe_value", "sensitive", "enabled", "flag_version"),
        "user_override": ("value", "version"),
        "tenant_override": ("value", "version"),
    }
    return (
        *(f"ALTER TABLE ff.{table} ALTER {c} DROP NOT NULL" for c in columns[table]),
        f"ALTER TABLE ff.{table} DROP CONSTRAINT {table}_version_check",
    )


@asynccontextmanager
async def killed(place: Place) -> AsyncIterator[None]:
    await asyncio.to_thread(place.cluster.kill)
    yield
    await asyncio.to_thread(place.cluster.start)


@asynccontextmanager
async def shut_down(place: Place) -> AsyncIterator[None]:
    await asyncio.to_thread(place.cluster.shut_down)
    yield
    await asyncio.to_thread(place.cluster.start)


@asynccontextmanager
async def stopped(place: Place) -> AsyncIterator[None]:
    place.cluster.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        place.cluster.signal(signal.SIGCONT)


@asynccontextmanager
async def first_stopped(place: Place) -> AsyncIterator[None]:
    """The process that accepts connections hangs, and the open ones are gone."""
    await place.cut()
    place.cluster.signal(signal.SIGSTOP, only_first=True)
    try:
        yield
    finally:
        place.cluster.signal(signal.SIGCONT, only_first=True)


@asynccontextmanager
async def terminated(place: Place) -> AsyncIterator[None]:
    await place.cut()
    yield


@asynccontextmanager
async def aborted(place: Place) -> AsyncIterator[None]:
    """One backend is killed: the server ends all others and recovers."""
    backends = [p for p in place.cluster.processes() if SERVICE in " ".join(p.cmdline())]
    backends[0].send_signal(signal.SIGKILL)
    yield


def locked(table: str) -> Broken:
    @asynccontextmanager
    async def broken(place: Place) -> AsyncIterator[None]:
        other = await connect(place.cluster.superuser(place.database))
        try:
            async with other.transaction():
                await other.execute(f"LOCK TABLE ff.{table} IN ACCESS EXCLUSIVE MODE")
                yield
        finally:
            await other.close()

    return broken


@asynccontextmanager
async def slots_taken(place: Place) -> AsyncIterator[None]:
    """Other clients hold every slot that is not kept for superusers."""
    await place.cut()
    others: list[asyncpg.Connection[asyncpg.Record]] = []
    try:
        while True:
            try:
                others.append(await asyncpg.connect(place.cluster.service("postgres")))
            except asyncpg.TooManyConnectionsError:
                break
        yield
    finally:
        for other in others:
            await other.close()


def socket_taken(talk: bytes | None) -> Broken:
    """Something else listens where the server did; None for something that says nothing."""

    @asynccontextmanager
    async def broken(place: Place) -> AsyncIterator[None]:
        await place.cut()
        path = place.cluster.socket
        aside = path.with_suffix(".aside")
        path.rename(aside)
        ended = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            if talk is None:
                await ended.wait()
            else:
                writer.write(talk)
            writer.close()

        server = await asyncio.start_unix_server(serve, path)
        yield
        ended.set()
        server.close()
        await server.wait_closed()
        aside.replace(path)

    return broken


@asynccontextmanager
async def socket_gone(place: Place) -> AsyncIterator[None]:
    await place.cut()
    path = place.cluster.socket
    aside = path.with_suffix(".aside")
    path.rename(aside)
    yield
    aside.rename(path)


@asynccontextmanager
async def renamed(place: Place) -> AsyncIterator[None]:
    await place.cut()
    await place.cluster.execute("postgres", f"ALTER DATABASE {place.database} RENAME TO elsewhere")
    yield
    await place.cluster.execute("postgres", f"ALTER DATABASE elsewhere RENAME TO {place.database}")


def overwritten(key: tuple[str, ...], value: Any, sound: str) -> Broken:
    """Write a value past the checks, on either path."""

    async def put(place: Place, what: Any) -> None:
        if place.options.path == "file":
            stores.overwrite_in_documents(place.folder, key, what)
            return
        connection = await connect(place.cluster.superuser(place.database))
        try:
            await stores.overwrite_in_tables(connection, "ff", key, what)
        finally:
            await connection.close()

    @asynccontextmanager
    async def broken(place: Place) -> AsyncIterator[None]:
        await put(place, value)
        yield
        await put(place, sound)

    return broken
