"""Running the migrations, and checking what they left.

Plain functions for set-up and tear-down. They work inside and outside a running event loop;
inside one they block it until they are done (see `blocking.run`). Alembic and SQLAlchemy, which
take a third of a second to import, are imported when one of them is called.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pytest_ffparity.backing import blocking
from pytest_ffparity.backing.catalog import differences
from pytest_ffparity.backing.dsn import connect
from pytest_ffparity.backing.naming import quoted
from pytest_ffparity.errors import FFParityError

if TYPE_CHECKING:
    import asyncpg
    from alembic.config import Config
    from sqlalchemy import Connection

# Alembic keeps the migration that runs in module globals: one at a time in a process.
_ONE_AT_A_TIME: Final = threading.Lock()


class MissingExtraError(FFParityError):
    """The libraries that create the tables are not installed."""

    def __init__(self) -> None:
        super().__init__(
            "creating the tables needs Alembic and SQLAlchemy, which are not installed; "
            "run: pip install 'pytest-ffparity[db]'"
        )


def upgrade(dsn: str, *, schema: str = "ff", version_schema: str = "public") -> None:
    """Bring a database to the newest revision; the schema must not be there before the first.

    Raises:
        DatabaseUnreachableError: There is no server, or it refuses.
    """
    _migrate(dsn, schema, version_schema, lambda command, config: command.upgrade(config, "head"))


def rollback(dsn: str, *, schema: str = "ff", version_schema: str = "public") -> None:
    """Take every revision back; the last one drops the schema.

    Raises:
        DatabaseUnreachableError: There is no server, or it refuses.
    """
    _migrate(dsn, schema, version_schema, lambda command, config: command.downgrade(config, "base"))


def check(dsn: str, *, schema: str = "ff", version_schema: str = "public") -> tuple[str, ...]:
    """Compare a database with what the code expects of it.

    Returns:
        One sentence for each difference; empty when there is exactly one newest revision, the
        database is at it, and every column, constraint and index is as expected.

    Raises:
        DatabaseUnreachableError: There is no server, or it refuses.
    """
    return blocking.run(_check(dsn, schema, version_schema))


async def _check(dsn: str, schema: str, version_schema: str) -> tuple[str, ...]:
    heads = _heads()
    connection = await connect(dsn)
    try:
        found = await _revision(connection, version_schema)
        return (*_at_head(heads, found), *await differences(connection, schema))
    finally:
        await connection.close()


async def _revision(
    connection: asyncpg.Connection[asyncpg.Record], version_schema: str
) -> list[str]:
    table = f"{quoted(version_schema)}.alembic_version"
    if await connection.fetchval("SELECT to_regclass($1)::text", table) is None:
        return []
    rows = await connection.fetch(f"SELECT version_num FROM {table}")  # quoted above
    return [row["version_num"] for row in rows]


def _at_head(heads: list[str], found: list[str]) -> list[str]:
    if len(heads) != 1:
        return [f"the migrations have {len(heads)} newest revisions, {heads}; expected one"]
    if found != heads:
        return [f"the database is at revision {found or 'none'}; expected {heads}"]
    return []


def _heads() -> list[str]:
    config = _config()
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - slow to import

    return list(ScriptDirectory.from_config(config).get_heads())


def _migrate(
    dsn: str, schema: str, version_schema: str, change: Callable[[Any, Config], None]
) -> None:
    quoted(schema)
    quoted(version_schema)
    config = _config()
    config.attributes["schema"] = schema
    config.attributes["version_schema"] = version_schema
    from alembic import command  # noqa: PLC0415 - slow to import

    def _run(connection: Connection) -> None:
        config.attributes["connection"] = connection
        change(command, config)

    with _ONE_AT_A_TIME:
        blocking.run(_with_connection(dsn, _run))


async def _with_connection(dsn: str, use: Callable[[Connection], None]) -> None:
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415 - slow to import
    from sqlalchemy.pool import NullPool  # noqa: PLC0415 - slow to import

    # The driver reads the DSN itself, here as everywhere.
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: connect(dsn), poolclass=NullPool
    )
    try:
        async with engine.begin() as connection:
            await connection.run_sync(use)
    finally:
        await engine.dispose()


def _config() -> Config:
    try:
        import sqlalchemy.ext.asyncio  # noqa: F401, PLC0415 - slow to import
        from alembic.config import Config  # noqa: PLC0415 - slow to import
    except ImportError:
        raise MissingExtraError from None
    config = Config()
    # A % would be read as the start of a placeholder.
    folder = str(Path(__file__).parent / "migrations").replace("%", "%%")
    config.set_main_option("script_location", folder)
    config.set_main_option("path_separator", "os")
    return config
