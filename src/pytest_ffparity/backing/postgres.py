"""The db backing: one round trip a decision, within a deadline that holds whatever happens."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import asyncpg

from pytest_ffparity.backing.dsn import DatabaseUnreachableError, connect
from pytest_ffparity.backing.naming import in_schema
from pytest_ffparity.backing.rows import FLAG_SELECT, read_flag_row, read_override_row
from pytest_ffparity.evaluator.health import Health, Pulse
from pytest_ffparity.evaluator.model import BackingState, Corrupt, Failed, Override, Records
from pytest_ffparity.evaluator.names import FailSafe
from pytest_ffparity.evaluator.protocols import Clock, wall_clock

if TYPE_CHECKING:
    from asyncpg.pool import Pool

# A null parameter equals nothing, so a caller without a tenant or a user meets no override.
_READ: Final = f"""
SELECT {FLAG_SELECT},
       t.flag_key IS NOT NULL AS tenant_found, t.value::text AS tenant_value,
       t.expires_at AS tenant_expires_at, t.version AS tenant_version,
       u.flag_key IS NOT NULL AS user_found, u.value::text AS user_value,
       u.expires_at AS user_expires_at, u.version AS user_version
FROM {{ff}}.flag_registry f
LEFT JOIN {{ff}}.tenant_override t ON t.flag_key = f.flag_key AND t.tenant_id = $2::text
LEFT JOIN {{ff}}.user_override u
       ON u.flag_key = f.flag_key AND u.tenant_id = $2::text AND u.user_id = $3::text
WHERE f.flag_key = $1::text
"""
# What keeps the store from answering: no connection, no time, no table. Anything else is a
# defect and goes up, to end as internal_error.
_UNAVAILABLE_ERRORS: Final = (
    OSError,
    TimeoutError,
    DatabaseUnreachableError,
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.UndefinedTableError,
    asyncpg.InvalidSchemaNameError,
)
_UNAVAILABLE: Final = Failed(FailSafe.BACKING_UNAVAILABLE)
_NEVER: Final = 2**31 - 1
_CLOSE_SECONDS: Final = 1.0


class PostgresBacking:
    """Reads flags and overrides from a Postgres schema.

    Args:
        dsn: The database, as `postgresql://user:password@host:port/database`.
        schema: The schema of the four tables.
        connections: How many connections are kept open.
        query_timeout: Seconds for one read, waiting for a free connection included.
        clock: The wall clock, for its health.
    """

    state: BackingState = "db"

    def __init__(
        self,
        dsn: str,
        *,
        schema: str = "ff",
        connections: int = 4,
        query_timeout: float = 0.2,
        clock: Clock = wall_clock,
    ) -> None:
        self._dsn = dsn
        self._statement = in_schema(_READ, schema)
        self._connections = connections
        self._query_timeout = query_timeout
        self._pool: Pool[asyncpg.Record] | None = None
        # The pool hands over to whoever comes first; the semaphore in front of it keeps a queue.
        self._turns = asyncio.Semaphore(connections)
        self._pulse = Pulse("db", clock)

    @property
    def health(self) -> Health:
        """How the database is doing, as the last read tells."""
        return self._pulse.health

    async def open(self, *, required: bool = True) -> None:
        """Open the connections, on the event loop that will read.

        Args:
            required: Whether the database has to be there now. If not, each read tries to reach it,
                and is `backing_unavailable` until it is.

        Raises:
            DatabaseUnreachableError: There is no server, or it refuses.
        """
        try:
            self._pool = await asyncpg.create_pool(
                min_size=self._connections if required else 0,
                max_size=self._connections,
                connect=self._connect,
                init=self._prepare,
                # The default one is a second round trip.
                reset=_no_reset,
                # A connection stays until it breaks: a new one costs a read its round trip.
                max_queries=_NEVER,
                max_inactive_connection_lifetime=0,
            )
        except asyncpg.PostgresError as error:
            raise DatabaseUnreachableError(self._dsn, str(error)) from None

    async def aclose(self) -> None:
        """Close the connections; closing twice is closing once."""
        pool, self._pool = self._pool, None
        if pool is not None:
            # A server that is gone or stopped does not answer; the pool drops it by itself then.
            with suppress(*_UNAVAILABLE_ERRORS):
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await pool.close()

    async def read(
        self, flag_key: str, tenant_id: str | None, user_id: str | None
    ) -> Records | Failed:
        """Read the flag's row and the caller's overrides in one round trip."""
        try:
            async with asyncio.timeout(self._query_timeout), self._turns:
                rows = await self._fetch(flag_key, tenant_id, user_id)
        except _UNAVAILABLE_ERRORS as error:
            self._pulse.down(type(error).__name__)
            return _UNAVAILABLE
        self._pulse.up()
        if not rows:
            return Records(None)
        if len(rows) > 1:  # the primary keys are gone, and nobody can tell which row counts
            return Records(Corrupt("a key stands twice"))
        (row,) = rows
        tenant = _override(row, "tenant", flag_key=flag_key, tenant_id=tenant_id)
        user = _override(row, "user", flag_key=flag_key, tenant_id=tenant_id, user_id=user_id)
        return Records(read_flag_row(row), user, tenant)

    async def _fetch(self, *ids: str | None) -> list[asyncpg.Record]:
        if self._pool is None:
            raise RuntimeError("the backing is not open")
        connection = await self._pool.acquire()
        try:
            return await connection.fetch(self._statement, *ids)
        except asyncpg.InternalClientError as error:
            # The server has said goodbye, and the driver is in the middle of hearing it.
            connection.terminate()
            raise ConnectionResetError("the server went away") from error
        except asyncpg.InterfaceError as error:
            if connection.is_closed():
                raise ConnectionResetError("the server went away") from error
            raise
        except asyncio.CancelledError:
            # A polite cancel asks the server and waits for it, past the deadline.
            connection.terminate()
            raise
        finally:
            await self._pool.release(connection)

    async def _connect(self, *_: object, **__: object) -> asyncpg.Connection[asyncpg.Record]:
        return await connect(
            self._dsn,
            # A prepared statement that expires is prepared anew, in a second round trip.
            max_cached_statement_lifetime=0,
            server_settings={
                # A read that was given up must not stay behind on the server, behind a lock.
                "statement_timeout": str(max(1, round(self._query_timeout * 1000))),
                # A plan made while the tables were small must not scan them when they have grown.
                "enable_seqscan": "off",
            },
        )

    async def _prepare(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        try:
            await connection.fetchrow(self._statement, None, None, None)
        except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
            return  # each read will say so


async def _no_reset(_: asyncpg.Connection[asyncpg.Record]) -> None:
    pass


def _override(row: asyncpg.Record, scope: str, **ids: str | None) -> Override | Corrupt | None:
    # Told by its key alone: a row with a NULL where none may be is there, and must not be passed over.
    if not row[f"{scope}_found"]:
        return None
    found = {name: found_id for name, found_id in ids.items() if found_id is not None}
    return read_override_row(
        found, row[f"{scope}_value"], row[f"{scope}_expires_at"], row[f"{scope}_version"]
    )
