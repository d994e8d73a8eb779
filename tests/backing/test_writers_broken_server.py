"""Writes to a Postgres that is cut off, killed, locked, or left by its caller in the middle."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlsplit

import asyncpg
import pytest

from pytest_ffparity.audit.chain import verify, verify_records
from pytest_ffparity.audit.envelope import Target
from pytest_ffparity.backing.changes import Change, ConflictError
from pytest_ffparity.backing.checked import check_world
from pytest_ffparity.backing.dsn import DatabaseUnreachableError, connect
from pytest_ffparity.backing.embedded import EmbeddedPostgres
from pytest_ffparity.backing.postgres_trail import TURN, read_trail
from pytest_ffparity.backing.postgres_writer import PostgresWriter
from pytest_ffparity.backing.rows import FLAG_SELECT, read_flag_row
from pytest_ffparity.backing.seed import seed
from pytest_ffparity.backing.workspace import Workspace
from pytest_ffparity.backing.writes import WriteUnavailableError
from pytest_ffparity.evaluator.model import Flag, Identity
from pytest_ffparity.evaluator.names import AuthMode
from pytest_ffparity.evaluator.records import flag_record

NOW: Final = datetime(2026, 4, 19, tzinfo=UTC)
ACTOR: Final = Identity(AuthMode.VERIFIED, "T-ops", "U-ops")
PATIENCE: Final = 60.0
# Holds up a commit for as long as somebody holds the lock.
HOLD_COMMITS: Final = """
CREATE FUNCTION ff.held() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN PERFORM pg_advisory_xact_lock_shared(42); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER held AFTER INSERT ON ff.audit DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION ff.held();
"""
LOCKS: Final = {
    "the turn": TURN.replace("{ff}", '"ff"'),
    "the registry": "LOCK TABLE ff.flag_registry IN ACCESS EXCLUSIVE MODE",
    "the row": "SELECT 1 FROM ff.flag_registry FOR UPDATE",
    "the trail": "LOCK TABLE ff.audit IN ACCESS EXCLUSIVE MODE",
    "the commit": "SELECT pg_advisory_xact_lock(42)",
}
OTHERS: Final = """
SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
  AND backend_type = 'client backend'
"""
FLAGS: Final = f"SELECT {FLAG_SELECT} FROM ff.flag_registry f"  # noqa: S608 - a constant
WAITS: Final = f"{OTHERS} AND wait_event_type = 'Lock'"


@pytest.fixture(scope="module")
def place() -> Iterator[Workspace]:
    """A server of its own, which is killed again and again."""
    manager = EmbeddedPostgres()
    workspace = Workspace.open(manager.start().dsn, "broken")
    yield workspace
    manager.stop()


class Watched:
    """The store, and a connection that looks on."""

    def __init__(self, dsn: str, eye: Any) -> None:
        self.dsn = dsn
        self.eye = eye

    @asynccontextmanager
    async def writer(
        self, seconds: float = PATIENCE, dsn: str = ""
    ) -> AsyncIterator[PostgresWriter]:
        store = PostgresWriter(dsn or self.dsn, timeout=seconds)
        try:
            yield store
        finally:
            await store.aclose()

    @asynccontextmanager
    async def holding(self, lock: str) -> AsyncIterator[None]:
        """Somebody else holds a lock."""
        connection = await connect(self.dsn)
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(LOCKS[lock])
        try:
            yield
        finally:
            with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                await transaction.rollback()
            connection.terminate()

    async def until(self, statement: str, *, found: int = 1) -> list[int]:
        """Wait until so many are seen on the server."""
        async with asyncio.timeout(PATIENCE):
            while True:
                pids = [pid for (pid,) in await self.eye.fetch(statement)]
                if len(pids) == found:
                    return pids
                await asyncio.sleep(0.005)

    async def terminate(self, pid: int) -> None:
        await self.eye.execute("SELECT pg_terminate_backend($1)", pid)

    async def crash(self) -> None:
        """Kill a process of the server with SIGKILL: all of it goes down and recovers."""
        pid = await self.eye.fetchval(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'"
        )
        ended = asyncio.Event()
        self.eye.add_termination_listener(lambda _: ended.set())
        os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(PATIENCE):
            # Its end, then its new beginning.
            await ended.wait()
            while self.eye.is_closed():
                try:
                    self.eye = await connect(self.dsn)
                except DatabaseUnreachableError:
                    await asyncio.sleep(0.005)

    async def checked(self) -> tuple[int | None, int]:
        """Give the flag's version and the trail's length; both are whole, and agree."""
        trail = await read_trail(self.eye, "ff")
        assert verify(trail) == []
        records = {}
        for row in await self.eye.fetch(FLAGS):
            flag = read_flag_row(row)
            assert isinstance(flag, Flag)
            records[Target("flag", (flag.flag_key,))] = flag_record(flag)
        assert verify_records(trail, records) == []
        record = records.get(Target("flag", ("ff.x",)))
        return None if record is None else record["version"], len(trail)


Steps = Callable[[Watched], Coroutine[Any, Any, None]]


@pytest.fixture
def run(place: Workspace) -> Callable[[Steps], None]:
    def steps_run(steps: Steps) -> None:
        async def main() -> None:
            watched = Watched(place.dsn, await connect(place.dsn))
            await watched.eye.execute("DROP FUNCTION IF EXISTS ff.held CASCADE")
            await seed(watched.eye, check_world([], [], []), schema="ff")
            await watched.eye.execute(HOLD_COMMITS)
            async with watched.writer() as store:
                await push(store, 1, None)
            await watched.until(OTHERS, found=0)
            try:
                await steps(watched)
                # Nothing is left behind: no connection, so no transaction and no lock.
                await watched.until(OTHERS, found=0)
                assert not await watched.eye.fetch(
                    "SELECT * FROM pg_locks WHERE locktype = 'advisory'"
                )
            finally:
                await watched.eye.close()

        asyncio.run(asyncio.wait_for(main(), 3 * PATIENCE))

    return steps_run


async def push(store: PostgresWriter, number: int, expects: int | None, key: str = "ff.x") -> Any:
    record = {"value_type": "number", "default_value": number, "safe_value": number}
    change = Change(target=Target("flag", (key,)), record=record, expects=expects)
    return await store.write(change, actor=ACTOR, at=NOW)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_backend_that_is_terminated_in_the_middle_writes_nothing(run: Any, lock: str) -> None:
    async def steps(watched: Watched) -> None:
        async with watched.writer() as store:
            async with watched.holding(lock):
                writing = asyncio.create_task(push(store, 2, 1))
                (pid,) = await watched.until(WAITS)
                await watched.terminate(pid)
                with pytest.raises(WriteUnavailableError) as caught:
                    await writing
                # What is sent the commit may have made it: that can't be known from here.
                assert caught.value.unknown == (lock == "the commit")
            assert await watched.checked() == (1, 1)
            assert (await push(store, 2, 1)).version == 2
            assert await watched.checked() == (2, 2)

    run(steps)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_write_ends_in_time_whatever_is_locked(run: Any, lock: str) -> None:
    async def steps(watched: Watched) -> None:
        async with watched.writer(0.3) as store:
            async with watched.holding(lock):
                with pytest.raises(WriteUnavailableError) as caught:
                    await asyncio.wait_for(push(store, 2, 1), PATIENCE)
                assert caught.value.unknown in {False, lock == "the commit"}
                # The server has given it up as well, while the lock is still held.
                await watched.until(WAITS, found=0)
            version, length = await watched.checked()
            assert (version, length) == (1, 1)
        async with watched.writer() as store:
            assert (await push(store, 2, 1)).version == 2

    run(steps)


@pytest.mark.parametrize("lock", LOCKS)
def test_the_server_killed_in_the_middle_leaves_a_whole_write_or_none(run: Any, lock: str) -> None:
    async def steps(watched: Watched) -> None:
        async with watched.writer() as store:
            async with watched.holding(lock):
                writing = asyncio.create_task(push(store, 2, 1))
                await watched.until(WAITS)
                await watched.crash()
                with pytest.raises(WriteUnavailableError) as caught:
                    await writing
                assert caught.value.unknown == (lock == "the commit")
            assert await watched.checked() == (1, 1)
            assert (await push(store, 2, 1)).version == 2

    run(steps)


def test_what_was_acknowledged_outlives_a_server_that_is_killed_at_once(run: Any) -> None:
    async def steps(watched: Watched) -> None:
        # Else this would show nothing: the server does not wait for its log by itself.
        assert await watched.eye.fetchval("SHOW synchronous_commit") == "off"
        async with watched.writer() as store:
            for version in range(1, 21):
                try:
                    await push(store, version + 1, version)
                except WriteUnavailableError as error:
                    # Who is the first to notice is told so, and repeats it.
                    assert not error.unknown  # noqa: PT017 - to raise nothing is right too
                    await push(store, version + 1, version)
                if version % 5 == 0:
                    await watched.crash()
                    assert await watched.checked() == (version + 1, version + 1)

    run(steps)


def test_a_commit_whose_answer_is_lost_is_told_as_unknown_and_a_repeat_is_safe(
    run: Any, socket_folder: str
) -> None:
    async def steps(watched: Watched) -> None:
        async with lossy(watched.dsn, socket_folder) as dsn, watched.writer(dsn=dsn) as store:
            with pytest.raises(WriteUnavailableError, match="may have been made") as caught:
                await push(store, 2, 1)
            assert caught.value.unknown
        assert await watched.checked() == (2, 2)
        async with watched.writer() as store:
            with pytest.raises(ConflictError) as conflict:
                await push(store, 2, 1)
            assert conflict.value.found == 2
        assert await watched.checked() == (2, 2)

    run(steps)


@asynccontextmanager
async def lossy(dsn: str, folder: str) -> AsyncIterator[str]:
    """Stand between a client and its server, and cut both off instead of passing on a commit's end."""
    real = Path(parse_qs(urlsplit(dsn).query)["host"][0]) / ".s.PGSQL.5432"

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(str(real))
        committing = asyncio.Event()

        async def upward() -> None:
            while chunk := await reader.read(65536):
                if b"COMMIT;" in chunk:
                    committing.set()
                back.write(chunk)

        async def downward() -> None:
            while chunk := await there.read(65536):
                if committing.is_set():
                    return
                writer.write(chunk)

        up, down = asyncio.create_task(upward()), asyncio.create_task(downward())
        await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
        for task in (up, down):
            task.cancel()
        for stream in (writer, back):
            stream.close()

    server = await asyncio.start_unix_server(served, f"{folder}/.s.PGSQL.5432")
    try:
        parts = urlsplit(dsn)
        yield parts._replace(query=f"host={quote(folder, safe='')}").geturl()
    finally:
        server.close()


def test_a_caller_who_gives_up_at_any_moment_leaves_nothing_open(run: Any) -> None:
    async def steps(watched: Watched) -> None:
        version, turns = 1, 0
        async with watched.writer() as store:
            while True:
                turns += 1 + turns // 8
                writing = asyncio.create_task(push(store, version + 1, version))
                # A caller gives up after so many turns of the loop.
                for _ in range(turns):
                    await asyncio.sleep(0)
                if writing.done():
                    version = (await writing).version
                    break
                writing.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await writing
                await watched.until(OTHERS, found=0)
                version = (await watched.checked())[0] or 0
        assert turns > 5

    run(steps)


@pytest.mark.parametrize("lock", ["the trail", "the commit"])
def test_a_caller_who_gives_up_behind_a_lock_leaves_nothing_open(run: Any, lock: str) -> None:
    async def steps(watched: Watched) -> None:
        async with watched.holding(lock), watched.writer(2.0) as store:
            writing = asyncio.create_task(push(store, 2, 1))
            await watched.until(WAITS)
            writing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await writing
            # It holds the turn of the writers as long as it is there.
            await watched.until(WAITS, found=0)
        assert await watched.checked() == (1, 1)

    run(steps)


def test_who_gives_up_waiting_for_a_turn_does_not_cut_off_who_has_it(run: Any) -> None:
    async def steps(watched: Watched) -> None:
        async with watched.writer() as store:
            async with watched.holding("the commit"):
                first = asyncio.create_task(push(store, 2, 1))
                await watched.until(WAITS)
                second = asyncio.create_task(push(store, 3, 2))
                third = asyncio.create_task(push(store, 4, 3))
                await asyncio.sleep(0)
                second.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await second
            assert (await first).version == 2
            with pytest.raises(ConflictError):
                await third
        assert await watched.checked() == (2, 2)

    run(steps)


@pytest.mark.parametrize("isolation", ["repeatable read", "serializable"])
def test_the_chain_is_linear_whatever_the_database_takes_for_isolation(
    run: Any, isolation: str
) -> None:
    async def steps(watched: Watched) -> None:
        name = await watched.eye.fetchval("SELECT quote_ident(current_database())")
        setting = f"ALTER DATABASE {name} SET default_transaction_isolation"
        await watched.eye.execute(f"{setting} = '{isolation}'")
        try:
            async with watched.writer() as one, watched.writer() as two:
                async with watched.holding("the turn"):
                    both = asyncio.gather(push(one, 1, None, "ff.1"), push(two, 1, None, "ff.2"))
                    await watched.until(WAITS, found=2)
                await both
        finally:
            await watched.eye.execute(f"{setting} = DEFAULT")
        assert await watched.checked() == (1, 3)

    run(steps)


def test_a_change_by_hand_that_is_not_committed_yet_is_waited_for(run: Any) -> None:
    async def steps(watched: Watched) -> None:
        async with watched.writer() as store:
            connection = await connect(watched.dsn)
            async with connection.transaction():
                await connection.execute("UPDATE ff.flag_registry SET version = 7")
                writing = asyncio.create_task(push(store, 2, 1))
                await watched.until(WAITS)
            await connection.close()
            with pytest.raises(ConflictError) as caught:
                await writing
            assert caught.value.found == 7

    run(steps)
