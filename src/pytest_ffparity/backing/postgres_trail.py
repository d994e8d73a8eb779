"""The trail in its table: the end of the chain, and the outbox."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

import asyncpg

from pytest_ffparity.audit.chain import flaw
from pytest_ffparity.audit.envelope import DELIVERED, DEPTH, PENDING, Head, TrailError, head_after
from pytest_ffparity.audit.outbox import Backlog
from pytest_ffparity.backing.checked import json_text
from pytest_ffparity.backing.dsn import DatabaseUnreachableError, connect
from pytest_ffparity.backing.naming import in_schema
from pytest_ffparity.evaluator.model import JSON
from pytest_ffparity.formats import instant
from pytest_ffparity.formats.strict_json import JSONRefusedError, loads

if TYPE_CHECKING:
    from pytest_ffparity.backing.dsn import AnyConnection

# Writers come one after the other: the chain has one end. Readers are not kept waiting.
TURN: Final = "SELECT pg_advisory_xact_lock(hashtextextended('ffparity.audit.{ff}', 0))"
"""Keeps other writers out until the transaction ends."""
_ROW: Final = "id, kind, topic, sink_status, envelope::text AS envelope, recorded_at"
_HEAD: Final = "SELECT envelope::text FROM {ff}.audit ORDER BY id DESC LIMIT 1"
_APPEND: Final = """
INSERT INTO {ff}.audit (kind, topic, sink_status, envelope, recorded_at)
VALUES ($1, $2, $3, $4::text::json, $5)
RETURNING id
"""
_ALL: Final = f"SELECT {_ROW} FROM {{ff}}.audit ORDER BY id"
_OLDEST: Final = (
    f"SELECT {_ROW} FROM {{ff}}.audit WHERE sink_status = '{PENDING}' ORDER BY id LIMIT $1"
)
_DELIVERED: Final = f"UPDATE {{ff}}.audit SET sink_status = '{DELIVERED}' WHERE id = $1"
_BACKLOG: Final = f"""
SELECT count(*), (SELECT recorded_at FROM {{ff}}.audit WHERE sink_status = '{PENDING}'
                  ORDER BY id LIMIT 1)
FROM {{ff}}.audit WHERE sink_status = '{PENDING}'
"""
_TAKE: Final = "SELECT pg_try_advisory_lock(hashtextextended('ffparity.delivery.{ff}', 0))"
_RELEASE: Final = "SELECT pg_advisory_unlock(hashtextextended('ffparity.delivery.{ff}', 0))"
LOST: Final = (
    OSError,
    TimeoutError,
    DatabaseUnreachableError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
"""What it looks like when the database does not do what it is asked."""


async def read_head(connection: AnyConnection, schema: str) -> Head:
    """Give the end of the chain, inside a transaction that keeps other writers out.

    Raises:
        TrailError: There is no telling what the next envelope would follow.
    """
    text = await connection.fetchval(in_schema(_HEAD, schema))
    try:
        return Head() if text is None else head_after(loads(text, max_depth=DEPTH))
    except JSONRefusedError as error:
        raise TrailError(f"the last envelope of the trail: {error}") from None


async def append(connection: AnyConnection, schema: str, document: dict[str, JSON]) -> int:
    """Append an envelope, in the transaction of its write; gives the row's id."""
    number: int = await connection.fetchval(
        in_schema(_APPEND, schema),
        document["kind"],
        document["topic"],
        document["sink_status"],
        json_text(document["envelope"]),
        instant.parse(document["recorded_at"]),
    )
    return number


async def read_trail(connection: AnyConnection, schema: str) -> list[dict[str, JSON]]:
    """Give the whole trail in its order, for `audit.chain.verify`.

    Raises:
        TrailError: An envelope is no JSON that is taken; names its row.
    """
    return [_document(row) for row in await connection.fetch(in_schema(_ALL, schema))]


class PostgresOutbox:
    """The envelopes in the table that wait for delivery; on a connection of its own.

    All raise TrailError where the table can't be read in time; the next call connects anew.

    Args:
        dsn: The database.
        schema: The schema of the tables.
        timeout: Seconds for one call.
    """

    def __init__(self, dsn: str, *, schema: str = "ff", timeout: float = 2.0) -> None:
        self._dsn = dsn
        self._schema = schema
        self._timeout = timeout
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._free = asyncio.Lock()

    async def pending(self, limit: int) -> list[dict[str, JSON]]:
        """Give the oldest documents that wait, in their order, so many at most."""
        documents = [_document(row) for row in await self._ask(_OLDEST, limit)]
        for document in documents:
            wrong = flaw(document)
            if wrong is not None:
                # Not to be told to others as if it were sound.
                raise TrailError(f"row {document['id']} of {self._schema}.audit: it {wrong}")
        return documents

    async def delivered(self, document: dict[str, JSON]) -> None:
        """Note that the sink has taken the oldest of the waiting documents."""
        await self._ask(_DELIVERED, document["id"])

    async def backlog(self) -> Backlog:
        """Tell how much waits."""
        ((depth, oldest),) = await self._ask(_BACKLOG)
        return Backlog(depth, oldest)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[bool]:
        """Take the turn to deliver, for as long as the context lasts; False: somebody has it."""
        # The lock is the connection's: it is free as soon as that is gone.
        ((mine,),) = await self._ask(_TAKE)
        try:
            yield mine
        finally:
            if mine:
                with suppress(TrailError):
                    await self._ask(_RELEASE)

    async def aclose(self) -> None:
        """Close the connection."""
        self._drop()

    async def _ask(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        try:
            async with asyncio.timeout(self._timeout), self._free:
                try:
                    if self._connection is None or self._connection.is_closed():
                        self._connection = await self._connected()
                    whole = in_schema(statement, self._schema)
                    return await self._connection.fetch(whole, *values)
                except BaseException:
                    self._drop()
                    raise
        except LOST as error:
            raise TrailError(
                f"the trail in {self._schema}.audit can't be read ({type(error).__name__})"
            ) from error

    async def _connected(self) -> asyncpg.Connection[asyncpg.Record]:
        milliseconds = str(round(self._timeout * 1000))
        return await connect(self._dsn, server_settings={"statement_timeout": milliseconds})

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()


def _document(row: asyncpg.Record) -> dict[str, Any]:
    try:
        envelope = loads(row["envelope"], max_depth=DEPTH)
    except JSONRefusedError as error:
        raise TrailError(f"row {row['id']} of the trail: {error}") from None
    return {**dict(row), "envelope": envelope, "recorded_at": instant.text(row["recorded_at"])}
