from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from pytest_ffparity.backing import blocking, migrate
from pytest_ffparity.backing.dsn import with_database
from pytest_ffparity.backing.embedded import Server
from pytest_ffparity.backing.workspace import Workspace

NOW = datetime(2026, 4, 19, tzinfo=UTC)


def sql(dsn: str, *statements: str) -> list[Any]:
    """Run statements, and give the rows of the last one."""

    async def main() -> list[Any]:
        connection = await asyncpg.connect(dsn)
        try:
            for statement in statements[:-1]:
                await connection.execute(statement)
            return [tuple(row) for row in await connection.fetch(statements[-1])]
        finally:
            await connection.close()

    return blocking.run(main())


@pytest.fixture
def database(server: Server, run_name: str) -> Iterator[str]:
    sql(server.dsn, f"CREATE DATABASE {run_name}")
    yield with_database(server.dsn, run_name)
    sql(server.dsn, f"DROP DATABASE {run_name}")


FLAG = """
INSERT INTO ff.flag_registry VALUES
('ff.x', 'bool', 'true', 'false', 'false', true, false, NULL, '', 1, '0000000000000000')
"""
TENANT = "INSERT INTO ff.tenant_override VALUES ('ff.x', 't', 'true', NULL, 1)"
USER = "INSERT INTO ff.user_override VALUES ('ff.x', 't', 'u', 'true', NULL, 1)"


def test_revision_0001_creates_the_schema_and_rollback_drops_it(database: str) -> None:
    migrate.upgrade(database)
    assert migrate.check(database) == ()
    assert sql(database, "SELECT version_num FROM public.alembic_version") == [("0001",)]
    migrate.upgrade(database)  # at the newest already
    migrate.rollback(database)
    assert sql(database, "SELECT 1 FROM pg_namespace WHERE nspname = 'ff'") == []
    assert sql(database, "SELECT version_num FROM public.alembic_version") == []
    migrate.upgrade(database)
    assert migrate.check(database) == ()


def test_an_empty_database_is_told_from_a_migrated_one(database: str) -> None:
    found = migrate.check(database)
    assert "none" in found[0]
    assert any("flag_registry.flag_key is missing" in difference for difference in found)


def test_a_schema_that_is_there_already_is_not_touched(database: str) -> None:
    sql(database, "CREATE SCHEMA ff", "CREATE TABLE ff.mine ()")
    with pytest.raises(Exception, match='schema "ff" already exists'):
        migrate.upgrade(database)
    assert sql(
        database, "SELECT relname FROM pg_class WHERE relnamespace = 'ff'::regnamespace"
    ) == [("mine",)]
    assert "none" in migrate.check(database)[0]


def test_a_rollback_does_not_take_along_what_is_not_its_own(database: str) -> None:
    migrate.upgrade(database)
    sql(database, "CREATE TABLE ff.mine (note text)")
    with pytest.raises(Exception, match="other objects depend on it"):
        migrate.rollback(database)
    # All or nothing: the four tables are there as before.
    assert migrate.check(database) == ("column ff.mine.note is not expected; found text",)


def test_two_schemas_live_in_one_database(database: str) -> None:
    sql(database, "CREATE SCHEMA one_alembic", "CREATE SCHEMA two_alembic")
    for name in ("one", "two"):
        migrate.upgrade(database, schema=name, version_schema=f"{name}_alembic")
    migrate.rollback(database, schema="one", version_schema="one_alembic")
    assert migrate.check(database, schema="two", version_schema="two_alembic") == ()


def test_migrations_run_inside_a_running_event_loop(database: str) -> None:
    async def main() -> tuple[str, ...]:
        migrate.upgrade(database)
        return migrate.check(database)

    assert asyncio.run(main()) == ()


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ("ALTER TABLE ff.flag_registry DROP COLUMN rollout", "rollout is missing; expected json"),
        ("ALTER TABLE ff.flag_registry ADD COLUMN note text", "note is not expected; found text"),
        (
            "ALTER TABLE ff.user_override ALTER COLUMN value TYPE jsonb",
            "value is jsonb NOT NULL; expected json NOT NULL",
        ),
        ("ALTER TABLE ff.audit ALTER COLUMN kind DROP NOT NULL", "audit.kind is text; expected"),
        (
            'ALTER TABLE ff.tenant_override ALTER tenant_id TYPE text COLLATE "default"',
            "tenant_id is text NOT NULL; expected text COLLATE C NOT NULL",
        ),
        ("ALTER TABLE ff.user_override DROP CONSTRAINT user_override_pkey", "user_override_pkey"),
        (
            """ALTER TABLE ff.user_override DROP CONSTRAINT user_override_flag_key_fkey,
            ADD CONSTRAINT user_override_flag_key_fkey
            FOREIGN KEY (flag_key) REFERENCES ff.flag_registry""",
            "user_override_flag_key_fkey is foreign key; expected foreign key, on delete cascade",
        ),
        ("DROP INDEX ff.audit_pending", "index ff.audit_pending is missing"),
        ("UPDATE public.alembic_version SET version_num = '0009'", "at revision ['0009']"),
    ],
)
def test_each_difference_from_the_expected_tables_is_named(
    database: str, change: str, difference: str
) -> None:
    migrate.upgrade(database)
    sql(database, change, "SELECT 1")
    assert difference in "\n".join(migrate.check(database))


def test_there_is_one_newest_revision_and_it_is_0001() -> None:
    assert migrate._heads() == ["0001"]


@pytest.mark.parametrize("name", ["FF", "ff;", 'f"f', "", "x" * 64, "1ff", "ff\n"])
def test_a_name_that_is_no_plain_schema_name_is_refused(server: Server, name: str) -> None:
    with pytest.raises(ValueError, match="schema"):
        migrate.upgrade(server.dsn, schema=name)


def test_the_delete_of_a_flag_takes_its_overrides_along(own_workspace: Workspace) -> None:
    counts = (
        "SELECT (SELECT count(*) FROM ff.tenant_override), (SELECT count(*) FROM ff.user_override)"
    )
    sql(own_workspace.dsn, FLAG, TENANT, USER, "SELECT 1")
    assert sql(own_workspace.dsn, counts) == [(1, 1)]
    assert sql(own_workspace.dsn, "DELETE FROM ff.flag_registry", counts) == [(0, 0)]


def test_the_indexes_are_in_the_statistics_view(own_workspace: Workspace) -> None:
    found = sql(
        own_workspace.dsn,
        "SELECT indexrelname FROM pg_stat_user_indexes WHERE schemaname = 'ff' ORDER BY 1",
    )
    assert found == [
        ("audit_pending",),
        ("audit_pkey",),
        ("flag_registry_pkey",),
        ("tenant_override_pkey",),
        ("user_override_pkey",),
    ]


@pytest.mark.parametrize(
    "statement",
    [
        TENANT.replace("ff.x", "ff.none"),
        TENANT.replace("'t'", "''"),
        TENANT.replace("'t'", "repeat('é', 101)"),
        TENANT.replace("NULL", "'infinity'"),
        TENANT.replace("NULL", "'0001-01-01 00:00:00+00 BC'"),
        TENANT.replace("NULL", "'10000-01-01 00:00:00+00'"),
        TENANT.replace("NULL, 1", "NULL, 0"),
        TENANT.replace("'true'", "'{'"),
        FLAG.replace("'ff.x', 'bool'", "'ff.y', 'date'"),
    ],
)
def test_the_tables_refuse_what_no_record_may_hold(
    own_workspace: Workspace, statement: str
) -> None:
    with pytest.raises((asyncpg.IntegrityConstraintViolationError, asyncpg.DataError)):
        sql(own_workspace.dsn, FLAG, statement, "SELECT 1")


def test_the_longest_ids_fit_into_the_index(own_workspace: Workspace) -> None:
    # Random text: what can be compressed would fit anyway.
    long = "array_to_string(ARRAY(SELECT md5(i::text || {0}) FROM generate_series(1, 6) i), '')"
    flag = FLAG.replace("'ff.x'", long.format("''"))
    user = f"""
    INSERT INTO ff.user_override
    SELECT flag_key, {long.format("'t'")}, {long.format("'u'")}, 'true', NULL, 1
    FROM ff.flag_registry
    """  # noqa: S608 - parts of the test
    assert sql(own_workspace.dsn, flag, user, "SELECT count(*) FROM ff.user_override") == [(1,)]


def test_the_audit_outbox_starts_as_pending(own_workspace: Workspace) -> None:
    async def main() -> Any:
        connection = await asyncpg.connect(own_workspace.dsn)
        try:
            await connection.execute(
                "INSERT INTO ff.audit (envelope, recorded_at) VALUES ($1, $2)",
                json.dumps({"a": 1}),
                NOW,
            )
            row = await connection.fetchrow("SELECT kind, topic, sink_status FROM ff.audit")
            return tuple(row or ())
        finally:
            await connection.close()

    assert asyncio.run(main()) == ("admin.audit", "ptt.audit.trail", "pending")
