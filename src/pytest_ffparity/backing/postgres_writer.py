"""Writes to the Postgres store: a change and its envelope in one transaction."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Final

import asyncpg

from pytest_ffparity.audit.envelope import Effect, Target, TrailError, document_of, envelope_of
from pytest_ffparity.backing.changes import Change, ConflictError, Stored, check_ids, planned
from pytest_ffparity.backing.checked import json_text
from pytest_ffparity.backing.dsn import connect
from pytest_ffparity.backing.naming import in_schema
from pytest_ffparity.backing.postgres_trail import LOST, TURN, append, read_head
from pytest_ffparity.backing.rows import FLAG_SELECT, read_flag_row, read_override_row
from pytest_ffparity.backing.writes import WriteUnavailableError, Written
from pytest_ffparity.evaluator.model import Corrupt, Flag, Identity, Override
from pytest_ffparity.evaluator.permits import require_verified
from pytest_ffparity.evaluator.records import RecordError, flag_record

if TYPE_CHECKING:
    from pytest_ffparity.backing.dsn import AnyConnection

# FOR UPDATE: what somebody changes by hand meanwhile must not be overwritten unseen.
_FLAG: Final = f"SELECT {FLAG_SELECT} FROM {{ff}}.flag_registry f WHERE f.flag_key = $1 FOR UPDATE"
_TENANT: Final = "SELECT flag_key, tenant_id, value::text AS value, expires_at, version FROM {ff}.tenant_override"
_USER: Final = (
    "SELECT flag_key, tenant_id, user_id, value::text AS value, expires_at, version "
    "FROM {ff}.user_override"
)
_ONE_TENANT: Final = f"{_TENANT} WHERE flag_key = $1 AND tenant_id = $2 FOR UPDATE"
_ONE_USER: Final = f"{_USER} WHERE flag_key = $1 AND tenant_id = $2 AND user_id = $3 FOR UPDATE"
_PUT_FLAG: Final = """
INSERT INTO {ff}.flag_registry VALUES ($1, $2, $3::text::json, $4::text::json, $5::text::json,
                                       $6, $7, $8::text::json, $9, $10, $11)
ON CONFLICT (flag_key) DO UPDATE SET
  value_type = EXCLUDED.value_type, default_value = EXCLUDED.default_value,
  safe_value = EXCLUDED.safe_value, off_value = EXCLUDED.off_value, enabled = EXCLUDED.enabled,
  sensitive = EXCLUDED.sensitive, rollout = EXCLUDED.rollout, description = EXCLUDED.description,
  version = EXCLUDED.version, flag_version = EXCLUDED.flag_version
"""
_PUT_TENANT: Final = """
INSERT INTO {ff}.tenant_override (flag_key, tenant_id, value, expires_at, version)
VALUES ($1, $2, $3::text::json, $4, $5)
ON CONFLICT (flag_key, tenant_id) DO UPDATE SET
  value = EXCLUDED.value, expires_at = EXCLUDED.expires_at, version = EXCLUDED.version
"""
_PUT_USER: Final = """
INSERT INTO {ff}.user_override (flag_key, tenant_id, user_id, value, expires_at, version)
VALUES ($1, $2, $3, $4::text::json, $5, $6)
ON CONFLICT (flag_key, tenant_id, user_id) DO UPDATE SET
  value = EXCLUDED.value, expires_at = EXCLUDED.expires_at, version = EXCLUDED.version
"""
_DELETE: Final = {
    "flag": "DELETE FROM {ff}.flag_registry WHERE flag_key = $1",
    "tenant_override": "DELETE FROM {ff}.tenant_override WHERE flag_key = $1 AND tenant_id = $2",
    "user_override": (
        "DELETE FROM {ff}.user_override WHERE flag_key = $1 AND tenant_id = $2 AND user_id = $3"
    ),
}
# A write that is acknowledged lasts, whatever the database thinks of others'.
_LASTING: Final = """
SELECT set_config('synchronous_commit', 'on', false)
WHERE current_setting('synchronous_commit') = 'off'
"""


class _Attempt:
    """How far one write has come."""

    committing = False


class PostgresWriter:
    """Changes flags and overrides in a Postgres schema, on a connection of its own.

    Args:
        dsn: The database.
        schema: The schema of the four tables.
        timeout: Seconds for one write, the wait for other writers included.
    """

    def __init__(self, dsn: str, *, schema: str = "ff", timeout: float = 2.0) -> None:
        self._dsn = dsn
        self._schema = schema
        self._timeout = timeout
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._turn = asyncio.Lock()

    async def write(self, change: Change, *, actor: Identity, at: datetime) -> Written:
        """Make one write; see `Writer.write`."""
        require_verified(actor)
        check_ids(change)
        attempt = _Attempt()
        try:
            async with asyncio.timeout(self._timeout), self._turn:
                return await self._made(attempt, change, actor, at)
        except TrailError as error:
            raise WriteUnavailableError(str(error)) from error
        except LOST as error:
            raise WriteUnavailableError(type(error).__name__, unknown=attempt.committing) from error

    async def aclose(self) -> None:
        """Close the connection."""
        self._drop()

    async def _made(
        self, attempt: _Attempt, change: Change, actor: Identity, at: datetime
    ) -> Written:
        try:
            connection = await self._connected()
            # The end of the chain is read after the wait for it: a snapshot from before is stale.
            transaction = connection.transaction(isolation="read_committed")
            await transaction.start()
            try:
                written = await self._written(connection, change, actor, at)
            except (ConflictError, RecordError):
                await transaction.rollback()
                raise
            attempt.committing = True
            await transaction.commit()
        except (ConflictError, RecordError):
            raise
        except BaseException:
            # Lost, given up, or a defect: the server rolls back what is open. In our turn only:
            # outside of it the connection is somebody else's.
            self._drop()
            raise
        return written

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    async def _connected(self) -> asyncpg.Connection[asyncpg.Record]:
        if self._connection is None or self._connection.is_closed():
            milliseconds = str(round(self._timeout * 1000))
            self._connection = await connect(
                self._dsn,
                # What a caller has given up must not stay behind on the server. A commit knows no
                # time-out for statements, only the one for locks.
                server_settings={"statement_timeout": milliseconds, "lock_timeout": milliseconds},
            )
            await self._connection.execute(_LASTING)
        return self._connection

    async def _written(
        self, connection: AnyConnection, change: Change, actor: Identity, at: datetime
    ) -> Written:
        await connection.execute(in_schema(TURN, self._schema))
        head = await read_head(connection, self._schema)
        stored = await self._stored(connection, change, head.version)
        effect, after = planned(change, stored)
        await self._apply(connection, effect, after)
        document = document_of(envelope_of(effect, actor=actor, at=at, head=head), number=0)
        document["id"] = await append(connection, self._schema, document)
        return Written(None if after is None else after.version, document)

    async def _stored(self, connection: AnyConnection, change: Change, top: int) -> Stored:
        target = change.target
        row = await connection.fetchrow(in_schema(_FLAG, self._schema), target.ids[0])
        flag = None if row is None else read_flag_row(row)
        if target.kind == "flag":
            cascade = await self._cascade(connection, target) if change.record is None else ()
            return Stored(flag, flag, cascade, top)
        statement = _ONE_TENANT if target.kind == "tenant_override" else _ONE_USER
        found = await connection.fetchrow(in_schema(statement, self._schema), *target.ids)
        return Stored(None if found is None else _override(found), flag, (), top)

    async def _cascade(self, connection: AnyConnection, target: Target) -> tuple[Override, ...]:
        taken = []
        for statement in (_TENANT, _USER):
            whole = in_schema(f"{statement} WHERE flag_key = $1 FOR UPDATE", self._schema)
            taken += [_override(row) for row in await connection.fetch(whole, target.ids[0])]
        for override in taken:
            if isinstance(override, Corrupt):
                raise RecordError(
                    "", f"an override of the flag can't be trusted: {override.problem}"
                )
        return tuple(override for override in taken if isinstance(override, Override))

    async def _apply(
        self, connection: AnyConnection, effect: Effect, after: Flag | Override | None
    ) -> None:
        target = effect.target
        if after is None:
            await connection.execute(in_schema(_DELETE[target.kind], self._schema), *target.ids)
        elif isinstance(after, Flag):
            await connection.execute(in_schema(_PUT_FLAG, self._schema), *_columns(after))
        else:
            statement = _PUT_TENANT if after.user_id is None else _PUT_USER
            value = json_text(after.value)
            values = (*target.ids, value, after.expires_at, after.version)
            await connection.execute(in_schema(statement, self._schema), *values)


def _columns(flag: Flag) -> tuple[object, ...]:
    rollout = flag_record(flag)["rollout"]
    return (
        flag.flag_key,
        flag.value_type,
        json_text(flag.default_value),
        json_text(flag.safe_value),
        json_text(flag.off_value),
        flag.enabled,
        flag.sensitive,
        None if rollout is None else json_text(rollout),
        flag.description,
        flag.version,
        flag.flag_version,
    )


def _override(row: asyncpg.Record) -> Override | Corrupt:
    ids = {name: row[name] for name in ("flag_key", "tenant_id", "user_id") if name in row}
    return read_override_row(ids, row["value"], row["expires_at"], row["version"])
