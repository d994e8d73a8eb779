from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from inspect import signature
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from pytest_ffparity.backing.checked import check_world
from pytest_ffparity.backing.dsn import DatabaseUnreachableError
from pytest_ffparity.backing.embedded import EmbeddedPostgres
from pytest_ffparity.backing.postgres import PostgresBacking
from pytest_ffparity.backing.seed import seed
from pytest_ffparity.backing.workspace import Workspace
from pytest_ffparity.evaluator.model import Failed, Override, Records
from pytest_ffparity.evaluator.names import FailSafe

UNAVAILABLE = Failed(FailSafe.BACKING_UNAVAILABLE)
FLAG: dict[str, Any] = {
    "flag_key": "ff.x",
    "value_type": "number",
    "default_value": 1,
    "safe_value": 0,
    "version": 1,
}
TENANT: dict[str, Any] = {"flag_key": "ff.x", "tenant_id": "t", "value": 2, "version": 1}
USER: dict[str, Any] = {**TENANT, "user_id": "u", "value": 3}
WORLD = check_world([FLAG], [TENANT], [USER])
PATIENT = 30.0


async def fill(workspace: Workspace) -> None:
    connection = await asyncpg.connect(workspace.dsn)
    await seed(connection, WORLD, schema=workspace.schema)
    await connection.close()


@asynccontextmanager
async def opened(dsn: str, **options: Any) -> AsyncIterator[PostgresBacking]:
    store = PostgresBacking(dsn, **options)
    await store.open()
    try:
        yield store
    finally:
        await store.aclose()


class CountingProxy:
    """Passes bytes between a client and the server's unix socket, and counts round trips.

    A server ends each answer to a client's Sync with ReadyForQuery, message `Z`.
    """

    def __init__(self, dsn: str, folder: str) -> None:
        parts = urlsplit(dsn)
        self._target = parse_qs(parts.query)["host"][0] + "/.s.PGSQL.5432"
        self._own = f"{folder}/.s.PGSQL.5432"
        self.dsn = f"postgresql://ffparity@{parts.path}?host={folder}"
        self.round_trips = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(self._serve, self._own)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_unix_connection(self._target)
        ahead = asyncio.create_task(self._ahead(reader, up_writer))
        try:
            while True:
                head = await up_reader.readexactly(5)
                body = await up_reader.readexactly(int.from_bytes(head[1:], "big") - 4)
                self.round_trips += head[:1] == b"Z"
                writer.write(head + body)
        except asyncio.IncompleteReadError:
            pass
        writer.close()
        await ahead

    @staticmethod
    async def _ahead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while block := await reader.read(65536):
            writer.write(block)
        writer.close()


def test_a_decision_costs_one_round_trip_and_the_same_statement(
    workspace: Workspace, socket_folder: str
) -> None:
    async def main() -> None:
        await fill(workspace)
        async with (
            CountingProxy(workspace.dsn, socket_folder) as proxy,
            opened(proxy.dsn, connections=2, query_timeout=PATIENT) as store,
        ):
            before = proxy.round_trips
            for number in range(50):
                found = await store.read("ff.x", "t", f"u{number}")
                assert isinstance(found, Records)
            assert proxy.round_trips - before == 50
            await asyncio.gather(*(store.read("ff.x", "t", "u") for _ in range(50)))
            assert proxy.round_trips - before == 100

    asyncio.run(main())


def test_reads_are_served_in_the_order_in_which_they_came(workspace: Workspace) -> None:
    async def main() -> None:
        await fill(workspace)
        blocker = await asyncpg.connect(workspace.dsn)
        async with opened(workspace.dsn, connections=1, query_timeout=PATIENT) as store:
            finished: list[int] = []

            async def one(number: int) -> None:
                assert await store.read("ff.x", "t", "u") != UNAVAILABLE
                finished.append(number)
                if number < 40:  # come again at once: nobody waiting may be overtaken
                    await one(number + 40)

            locked = blocker.transaction()
            await locked.start()
            await blocker.execute("LOCK TABLE ff.user_override")
            tasks = [asyncio.create_task(one(number)) for number in range(40)]
            await asyncio.sleep(0)  # each has asked
            await locked.rollback()
            await asyncio.gather(*tasks)
            assert finished == list(range(80))
        await blocker.close()

    asyncio.run(main())


def test_no_read_waits_past_its_deadline_for_a_lock_or_for_a_connection(
    workspace: Workspace,
) -> None:
    async def main() -> None:
        await fill(workspace)
        blocker = await asyncpg.connect(workspace.dsn)
        async with opened(workspace.dsn, connections=1, query_timeout=0.1) as store:
            async with blocker.transaction():
                await blocker.execute("LOCK TABLE ff.user_override")
                async with asyncio.timeout(PATIENT):
                    reads = [store.read("ff.x", "t", "u") for _ in range(8)]
                    assert await asyncio.gather(*reads) == [UNAVAILABLE] * 8
            async with asyncio.timeout(PATIENT):
                while await store.read("ff.x", "t", "u") == UNAVAILABLE:
                    pass  # a new connection may take longer than the deadline on a busy machine
        # What was given up has left the server too.
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        assert await blocker.fetchval(waiting) == 0
        await blocker.close()

    asyncio.run(main())


def test_a_caller_that_gives_up_leaves_the_store_usable(workspace: Workspace) -> None:
    async def main() -> None:
        await fill(workspace)
        blocker = await asyncpg.connect(workspace.dsn)
        async with opened(workspace.dsn, connections=1, query_timeout=PATIENT) as store:
            async with blocker.transaction():
                await blocker.execute("LOCK TABLE ff.user_override")
                task = asyncio.create_task(store.read("ff.x", "t", "u"))
                while not await blocker.fetchval(
                    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                ):
                    pass
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            assert isinstance(await store.read("ff.x", "t", "u"), Records)
        await blocker.close()

    asyncio.run(main())


@pytest.mark.parametrize(
    "breaking",
    [
        "DROP SCHEMA ff CASCADE",
        "DROP TABLE ff.user_override",
        "ALTER SCHEMA ff RENAME TO gone",
    ],
)
def test_a_missing_table_or_schema_is_unavailable(own_workspace: Workspace, breaking: str) -> None:
    async def main() -> None:
        await fill(own_workspace)
        async with opened(own_workspace.dsn, query_timeout=PATIENT) as store:
            connection = await asyncpg.connect(own_workspace.dsn)
            await connection.execute(breaking)
            await connection.close()
            assert await store.read("ff.x", "t", "u") == UNAVAILABLE
        async with opened(own_workspace.dsn, query_timeout=PATIENT) as store:
            assert await store.read("ff.x", "t", "u") == UNAVAILABLE

    asyncio.run(main())


def test_a_table_that_comes_back_is_read_again(own_workspace: Workspace) -> None:
    async def main() -> None:
        await fill(own_workspace)
        connection = await asyncpg.connect(own_workspace.dsn)
        async with opened(own_workspace.dsn, query_timeout=PATIENT) as store:
            await connection.execute("ALTER TABLE ff.flag_registry RENAME TO hidden")
            assert await store.read("ff.x", "t", "u") == UNAVAILABLE
            await connection.execute("ALTER TABLE ff.hidden RENAME TO flag_registry")
            assert isinstance(await store.read("ff.x", "t", "u"), Records)
        await connection.close()

    asyncio.run(main())


def test_a_defect_is_not_taken_for_an_outage(own_workspace: Workspace) -> None:
    async def main() -> None:
        async with opened(own_workspace.dsn, query_timeout=PATIENT) as store:
            connection = await asyncpg.connect(own_workspace.dsn)
            await connection.execute("ALTER TABLE ff.flag_registry DROP COLUMN rollout")
            await connection.close()
            with pytest.raises(asyncpg.UndefinedColumnError):
                await store.read("ff.x", "t", "u")

    asyncio.run(main())


def test_a_store_that_was_not_opened_or_was_closed_says_so(workspace: Workspace) -> None:
    async def main() -> None:
        store = PostgresBacking(workspace.dsn)
        with pytest.raises(RuntimeError, match="not open"):
            await store.read("ff.x", None, None)
        await store.open()
        await store.aclose()
        await store.aclose()
        with pytest.raises(RuntimeError, match="not open"):
            await store.read("ff.x", None, None)

    asyncio.run(main())


def test_a_schema_name_is_never_run_as_sql() -> None:
    with pytest.raises(ValueError, match="schema"):
        PostgresBacking("postgresql://h/db", schema="ff; DROP SCHEMA ff")


def test_a_big_table_is_read_by_index_even_with_a_plan_made_when_it_was_small(
    own_workspace: Workspace,
) -> None:
    async def main() -> None:
        await fill(own_workspace)
        async with opened(own_workspace.dsn, connections=1, query_timeout=PATIENT) as store:
            connection = await asyncpg.connect(own_workspace.dsn)
            await connection.execute("VACUUM ANALYZE ff.flag_registry, ff.tenant_override")
            for _ in range(20):  # the server settles on one plan
                await store.read("ff.x", "t", "u")
            overrides = [{**TENANT, "tenant_id": f"t{number}"} for number in range(2000)]
            await seed(connection, check_world([FLAG], overrides, []), schema="ff")
            found = await store.read("ff.x", "t7", "u")
            assert isinstance(found, Records)
            assert isinstance(found.tenant_override, Override)
            await store.aclose()  # a session hands in its counts when it ends
            async with asyncio.timeout(PATIENT):
                while await scans(connection, "idx_scan") == 0:
                    await connection.execute("SELECT pg_stat_clear_snapshot()")
            assert await scans(connection, "seq_scan") == 0
            await connection.close()

    async def scans(connection: asyncpg.Connection[asyncpg.Record], kind: str) -> int:
        column = {"idx_scan": "idx_scan", "seq_scan": "seq_tup_read / 1000"}[kind]
        return int(
            await connection.fetchval(
                f"SELECT {column} FROM pg_stat_user_tables WHERE relname = 'tenant_override'"  # noqa: S608
            )
        )

    asyncio.run(main())


def with_own_server(use: Callable[[EmbeddedPostgres, str], Awaitable[None]]) -> None:
    manager = EmbeddedPostgres()
    server = manager.start()
    try:
        workspace = Workspace.open(server.dsn, "own")

        async def main() -> None:
            await fill(workspace)
            await use(manager, workspace.dsn)

        asyncio.run(main())
    finally:
        manager.stop()


def test_a_killed_server_is_unavailable() -> None:
    async def kill(manager: EmbeddedPostgres, dsn: str) -> None:
        async with opened(dsn, query_timeout=PATIENT) as store:
            assert isinstance(await store.read("ff.x", "t", "u"), Records)
            manager.stop()
            for _ in range(8):
                assert await store.read("ff.x", "t", "u") == UNAVAILABLE
        with pytest.raises(DatabaseUnreachableError):
            await PostgresBacking(dsn).open()

    with_own_server(kill)


def test_a_connection_that_was_cut_is_replaced(workspace: Workspace) -> None:
    async def main() -> None:
        await fill(workspace)
        other = await asyncpg.connect(workspace.dsn)
        async with opened(workspace.dsn, connections=2, query_timeout=PATIENT) as store:
            await other.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            async with asyncio.timeout(PATIENT):
                while await store.read("ff.x", "t", "u") == UNAVAILABLE:
                    pass
            for _ in range(4):
                await store.read("ff.x", "t", "u")
            assert isinstance(await store.read("ff.x", "t", "u"), Records)
        await other.close()

    asyncio.run(main())


def test_a_server_that_hangs_costs_a_read_its_deadline_and_no_more() -> None:
    async def hang(_: EmbeddedPostgres, dsn: str) -> None:
        connection = await asyncpg.connect(dsn)
        store = PostgresBacking(dsn, connections=2, query_timeout=0.1)
        await store.open()
        pids = [
            row["pid"]
            for row in await connection.fetch(
                "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
            )
        ]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        async with asyncio.timeout(PATIENT):
            reads = [store.read("ff.x", "t", "u") for _ in range(4)]
            assert UNAVAILABLE in await asyncio.gather(*reads)
            await store.aclose()
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
        connection.terminate()

    with_own_server(hang)


def test_a_query_has_200_ms_unless_told_otherwise() -> None:
    assert signature(PostgresBacking).parameters["query_timeout"].default == 0.2
