"""A place of one's own on a server: a database of the run, or a schema of it."""

from __future__ import annotations

import re
from typing import Final

import asyncpg

from pytest_ffparity.backing import blocking, migrate
from pytest_ffparity.backing.dsn import connect, shown, with_database
from pytest_ffparity.backing.naming import quoted
from pytest_ffparity.errors import FFParityError

_RUN: Final = re.compile(r"[a-z0-9][a-z0-9_]{0,39}")


class WorkspaceError(FFParityError):
    """A server on which the run can't have a place of its own."""


class Workspace:
    """A database `ffparity_<run>`, or a schema of that name, with the tables in it.

    Made by `open`, dropped by `close`; whatever else is on the server is never touched. Both work
    inside and outside a running event loop, which they block.

    Attributes:
        dsn: The database that holds the tables.
        schema: The schema of the tables.
        version_schema: The schema of Alembic's version table.
        server_version: What the server calls its version.
    """

    def __init__(self, server_dsn: str, name: str, *, own_database: bool, version: str) -> None:
        self._server_dsn = server_dsn
        self._name = name
        self._own_database = own_database
        self._closed = False
        self.server_version = version
        self.dsn = with_database(server_dsn, name) if own_database else server_dsn
        self.schema = "ff" if own_database else name
        self.version_schema = "public" if own_database else _version_schema(name)

    @classmethod
    def open(cls, server_dsn: str, run: str) -> Workspace:
        """Make a place for a run, with the tables at the newest revision and checked.

        Args:
            server_dsn: Any database of the server that the account may connect to.
            run: What tells this run from every other: 1 to 40 of `a-z`, `0-9`, `_`.

        Raises:
            DatabaseUnreachableError: There is no server, or it refuses.
            WorkspaceError: The place is taken, or the account may not make one.
        """
        if not _RUN.fullmatch(run):
            raise ValueError(f"a run is named with 1 to 40 of a-z, 0-9 and _: {run!r}")
        workspace = blocking.run(_create(server_dsn, f"ffparity_{run}"))
        try:
            _fill(workspace.dsn, workspace.schema, workspace.version_schema)
        except BaseException:
            workspace.close()
            raise
        return workspace

    def close(self) -> None:
        """Drop what `open` made; closing twice is closing once.

        Raises:
            DatabaseUnreachableError: The server is gone, and so nothing could be dropped.
        """
        if not self._closed:
            self._closed = True
            blocking.run(self._drop())

    async def _drop(self) -> None:
        connection = await connect(self._server_dsn)
        try:
            if self._own_database:
                # Paths that were not closed would keep the database; FORCE came with version 13.
                await connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1",
                    self._name,
                )
                await connection.execute(f"DROP DATABASE IF EXISTS {quoted(self._name)}")
            else:
                for schema in (self._name, self.version_schema):
                    await connection.execute(f"DROP SCHEMA IF EXISTS {quoted(schema)} CASCADE")
        finally:
            await connection.close()


def _fill(dsn: str, schema: str, version_schema: str) -> None:
    migrate.upgrade(dsn, schema=schema, version_schema=version_schema)
    found = migrate.check(dsn, schema=schema, version_schema=version_schema)
    if found:
        listed = "\n".join(f"  {difference}" for difference in found)
        raise WorkspaceError(f"the tables are not as the code expects:\n{listed}")


async def _create(server_dsn: str, name: str) -> Workspace:
    connection = await connect(server_dsn)
    try:
        version = str(await connection.fetchval("SHOW server_version"))
        try:
            # Names sort by code point and text is UTF-8, whatever the server's default is.
            await connection.execute(
                f"CREATE DATABASE {quoted(name)} TEMPLATE template0 "
                "ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"
            )
        except asyncpg.InsufficientPrivilegeError:
            await _create_schemas(connection, server_dsn, name)
            return Workspace(server_dsn, name, own_database=False, version=version)
        except asyncpg.DuplicateDatabaseError:
            raise WorkspaceError(
                f"{shown(server_dsn)}: there is a database {name!r} already, of a run that goes on "
                "or of one that was killed; drop it if nobody uses it"
            ) from None
        return Workspace(server_dsn, name, own_database=True, version=version)
    finally:
        await connection.close()


async def _create_schemas(
    connection: asyncpg.Connection[asyncpg.Record], server_dsn: str, name: str
) -> None:
    encoding = await connection.fetchval("SHOW server_encoding")
    if encoding != "UTF8":
        raise WorkspaceError(
            f"{shown(server_dsn)}: the database's encoding is {encoding}, and values need UTF8; "
            "name another database, or an account with CREATEDB"
        )
    there = await connection.fetchval(
        "SELECT nspname::text FROM pg_namespace WHERE nspname = ANY ($1::text[]) LIMIT 1",
        [name, _version_schema(name)],
    )
    if there is not None:
        raise WorkspaceError(
            f"{shown(server_dsn)}: there is a schema {there!r} already, of a run that goes on or "
            "of one that was killed; drop it if nobody uses it"
        )
    try:
        # The migration makes the other one, the one with the tables.
        await connection.execute(f"CREATE SCHEMA {quoted(_version_schema(name))}")
    except asyncpg.InsufficientPrivilegeError as error:
        raise WorkspaceError(
            f"{shown(server_dsn)}: the account may make neither a database nor a schema ({error}); "
            "grant it CREATEDB, or CREATE on this database"
        ) from None


def _version_schema(name: str) -> str:
    return f"{name}_alembic"
