from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

from pytest_ffparity.backing import blocking
from pytest_ffparity.backing.checked import check_world
from pytest_ffparity.backing.dsn import DatabaseUnreachableError, with_database
from pytest_ffparity.backing.embedded import Server
from pytest_ffparity.backing.postgres import PostgresBacking
from pytest_ffparity.backing.seed import seed
from pytest_ffparity.backing.workspace import Workspace, WorkspaceError
from pytest_ffparity.evaluator.model import Flag, Records

FLAG: dict[str, Any] = {
    "flag_key": "ff.x",
    "value_type": "bool",
    "default_value": True,
    "safe_value": False,
    "version": 1,
}


def sql(dsn: str, *statements: str) -> list[Any]:
    async def main() -> list[Any]:
        connection = await asyncpg.connect(dsn)
        try:
            for statement in statements[:-1]:
                await connection.execute(statement)
            return [tuple(row) for row in await connection.fetch(statements[-1])]
        finally:
            await connection.close()

    return blocking.run(main())


def databases(server: Server) -> list[str]:
    return [row[0] for row in sql(server.dsn, "SELECT datname FROM pg_database ORDER BY 1")]


def schemas(dsn: str) -> list[str]:
    return [
        row[0]
        for row in sql(dsn, "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 1")
    ]


@pytest.fixture
def users_database(server: Server, run_name: str) -> Iterator[str]:
    """A user's database with an `ff` of its own, and a role without CREATEDB on it."""
    name = f"users_{run_name}"
    sql(server.dsn, f"CREATE DATABASE {name}", "SELECT 1")
    mine = with_database(server.dsn, name)
    sql(
        mine,
        "CREATE SCHEMA ff",
        "CREATE TABLE ff.flag_registry (mine text)",
        "INSERT INTO ff.flag_registry VALUES ('kept')",
        "CREATE ROLE limited NOCREATEDB",
        f"GRANT CREATE ON DATABASE {name} TO limited",
        "SELECT 1",
    )
    # The socket lets one superuser in; as such it takes the limited role at once.
    yield f"{mine}&options=-c%20role%3Dlimited"
    sql(server.dsn, f"DROP DATABASE {name}", "DROP ROLE limited", "SELECT 1")


def test_a_run_gets_a_database_of_its_own_and_drops_it(server: Server, run_name: str) -> None:
    before = databases(server)
    workspace = Workspace.open(server.dsn, run_name)
    assert workspace.schema == "ff"
    assert workspace.server_version == server.version
    assert f"ffparity_{run_name}" in databases(server)
    workspace.close()
    workspace.close()
    assert databases(server) == before


def test_a_database_that_is_still_in_use_is_dropped_all_the_same(
    server: Server, run_name: str
) -> None:
    async def main() -> None:
        workspace = Workspace.open(server.dsn, run_name)
        left_open = await asyncpg.connect(workspace.dsn)
        workspace.close()
        left_open.terminate()

    asyncio.run(main())
    assert f"ffparity_{run_name}" not in databases(server)


def test_without_the_right_to_create_a_database_a_schema_serves(
    users_database: str, run_name: str
) -> None:
    workspace = Workspace.open(users_database, run_name)
    assert (workspace.dsn, workspace.schema) == (users_database, f"ffparity_{run_name}")

    async def fill_and_read() -> object:
        connection = await asyncpg.connect(workspace.dsn)
        await seed(connection, check_world([FLAG], [], []), schema=workspace.schema)
        await connection.close()
        store = PostgresBacking(workspace.dsn, schema=workspace.schema)
        await store.open()
        found = await store.read("ff.x", None, None)
        await store.aclose()
        return found

    found = asyncio.run(fill_and_read())
    assert isinstance(found, Records)
    assert isinstance(found.flag, Flag)
    assert schemas(users_database) == [
        "ff",
        f"ffparity_{run_name}",
        f"ffparity_{run_name}_alembic",
        "information_schema",
        "public",
    ]
    workspace.close()
    assert schemas(users_database) == ["ff", "information_schema", "public"]


def test_an_ff_that_is_there_already_is_never_touched(users_database: str, run_name: str) -> None:
    admin = users_database.partition("&options")[0]
    for dsn in (users_database, admin):
        Workspace.open(dsn, run_name).close()
        assert sql(admin, "SELECT mine FROM ff.flag_registry") == [("kept",)]


def test_a_role_without_any_right_is_told_what_it_needs(
    server: Server, users_database: str, run_name: str
) -> None:
    sql(server.dsn, f"REVOKE CREATE ON DATABASE users_{run_name} FROM limited", "SELECT 1")
    with pytest.raises(WorkspaceError, match="grant it CREATEDB, or CREATE on this database"):
        Workspace.open(users_database, run_name)


def test_a_database_of_another_run_is_left_alone(server: Server, run_name: str) -> None:
    first = Workspace.open(server.dsn, run_name)
    try:
        with pytest.raises(WorkspaceError, match="already"):
            Workspace.open(server.dsn, run_name)
        assert f"ffparity_{run_name}" in databases(server)
    finally:
        first.close()


def test_a_schema_of_another_run_is_left_alone(users_database: str, run_name: str) -> None:
    first = Workspace.open(users_database, run_name)
    try:
        with pytest.raises(WorkspaceError, match="already"):
            Workspace.open(users_database, run_name)
        assert f"ffparity_{run_name}" in schemas(users_database)
    finally:
        first.close()


def test_a_migration_that_fails_leaves_no_database(
    server: Server, run_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = databases(server)
    monkeypatch.setattr(
        "pytest_ffparity.backing.migrate.check", lambda *_, **__: ("column x is missing",)
    )
    with pytest.raises(WorkspaceError, match="column x is missing"):
        Workspace.open(server.dsn, run_name)
    assert databases(server) == before


def test_a_server_that_is_not_there_is_an_error_with_the_password_hidden(tmp_path: object) -> None:
    with pytest.raises(DatabaseUnreachableError) as caught:
        Workspace.open(f"postgresql://u:s3cr3t@/db?host={tmp_path}", "x")
    assert "s3cr3t" not in str(caught.value)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("run", ["", "A", "a-b", 'a"b', "x" * 41, "_a"])
def test_a_run_is_named_plainly(run: str) -> None:
    with pytest.raises(ValueError, match="run"):
        Workspace.open("postgresql://h/db", run)
