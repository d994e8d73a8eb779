"""From either store to a real sink: in order, at least once, whatever fails in between."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final

import pytest

from pytest_ffparity.audit.delivery import Delivery, SinkSettings
from pytest_ffparity.audit.envelope import Target, TrailError
from pytest_ffparity.audit.outbox import Backlog
from pytest_ffparity.backing.changes import Change
from pytest_ffparity.backing.documents import OVERRIDES, REGISTRY, write_documents
from pytest_ffparity.backing.dsn import connect
from pytest_ffparity.backing.file_writer import FileWriter
from pytest_ffparity.backing.postgres_trail import PostgresOutbox, read_trail
from pytest_ffparity.backing.postgres_writer import PostgresWriter
from pytest_ffparity.backing.workspace import Workspace
from pytest_ffparity.evaluator.model import Identity
from pytest_ffparity.evaluator.names import AuthMode
from pytest_ffparity.formats import schema

NOW: Final = datetime(2026, 4, 19, tzinfo=UTC)
ACTOR: Final = Identity(AuthMode.VERIFIED, "T-ops", "U-ops")
PATIENCE: Final = 60.0

DELIVERER: Final = """
import asyncio, json, pathlib, sys
from pytest_ffparity.audit.delivery import Delivery, SinkSettings
from pytest_ffparity.backing.file_writer import FileWriter
from pytest_ffparity.backing.postgres_trail import PostgresOutbox

told = json.loads(sys.argv[1])
if "folder" in told:
    folder = pathlib.Path(told["folder"])
    outbox = FileWriter(folder / "registry.json", folder / "override_examples.json")
else:
    outbox = PostgresOutbox(told["dsn"], schema=told["schema"])
settings = SinkSettings(admin_url=told["url"], timeout=60, idle=0.01)
asyncio.run(Delivery(outbox, settings).run())
"""


class Sink(ThreadingHTTPServer):
    """Admin's sink: keeps what it is sent, and answers as it is told, then with 204.

    A number is a status; `cut` takes it and closes the connection instead of answering; `hang`
    takes it and answers only once `release` is set.
    """

    daemon_threads = True

    def __init__(self, *script: int | str, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.script = list(script)
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.hanging, self.release = Event(), Event()
        self._thread = Thread(target=self.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def seqs(self) -> list[int]:
        return [document["envelope"]["seq"] for _, document in self.sent]

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass

    def close(self) -> None:
        self.release.set()
        self.shutdown()
        self._thread.join()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Sink

    def do_POST(self) -> None:
        assert self.path == "/v1/admin.audit"
        assert self.headers["Content-Type"] == "application/json"
        body = self.rfile.read(int(self.headers["Content-Length"]))
        told = self.server.script.pop(0) if self.server.script else 204
        self.server.sent.append((self.headers["Idempotency-Key"], json.loads(body)))
        if told == "hang":
            self.server.hanging.set()
            self.server.release.wait(PATIENCE)
        if isinstance(told, str):
            self.close_connection = True
            return
        self.send_response(told)
        self.send_header("Location", "/v1/admin.audit")
        if told != 204:
            self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


class Side:
    """A store, and outboxes over it."""

    def __init__(self, place: Path | Workspace) -> None:
        self.place = place
        self.open: list[Any] = []
        self.told: dict[str, Any] = {}
        if isinstance(place, Path):
            write_documents(place, [], [], [])
            self.told = {"folder": str(place)}
        else:
            self.told = {"dsn": place.dsn, "schema": place.schema}
        self.store = self.writer()

    def writer(self) -> FileWriter | PostgresWriter:
        if isinstance(self.place, Path):
            return FileWriter(self.place / REGISTRY, self.place / OVERRIDES)
        self.open.append(PostgresWriter(self.place.dsn, schema=self.place.schema))
        found: PostgresWriter = self.open[-1]
        return found

    def outbox(self) -> FileWriter | PostgresOutbox:
        if isinstance(self.place, Path):
            return FileWriter(self.place / REGISTRY, self.place / OVERRIDES)
        self.open.append(PostgresOutbox(self.place.dsn, schema=self.place.schema))
        found: PostgresOutbox = self.open[-1]
        return found

    async def push(self, count: int, name: str = "") -> None:
        for number in range(count):
            record = {"value_type": "number", "default_value": number, "safe_value": 0}
            target = Target("flag", (f"ff.{name}{number}",))
            at = NOW + timedelta(seconds=number)
            await self.store.write(Change(target=target, record=record), actor=ACTOR, at=at)

    async def statuses(self) -> list[str]:
        if isinstance(self.store, FileWriter):
            trail = await self.store.trail()
        else:
            connection = await connect(self.told["dsn"])
            trail = await read_trail(connection, self.told["schema"])
            await connection.close()
        return [one["sink_status"] for one in trail]

    @asynccontextmanager
    async def delivery(
        self, url: str, outbox: Any = None, **bounds: Any
    ) -> AsyncIterator[Delivery]:
        settings = SinkSettings(admin_url=url, **{"timeout": PATIENCE, "idle": 0.01, **bounds})
        found = Delivery(outbox or self.outbox(), settings)
        try:
            yield found
        finally:
            await found.aclose()


Steps = Callable[[Side], Coroutine[Any, Any, None]]


@pytest.fixture(params=["file", "db"])
def run(request: pytest.FixtureRequest) -> Callable[[Steps], None]:
    place = "tmp_path" if request.param == "file" else "workspace"
    found = request.getfixturevalue(place)

    def steps_run(steps: Steps) -> None:
        async def main() -> None:
            side = Side(found)
            try:
                await steps(side)
            finally:
                for part in side.open:
                    await part.aclose()

        asyncio.run(asyncio.wait_for(main(), 2 * PATIENCE))

    return steps_run


@asynccontextmanager
async def sink(*script: int | str, port: int = 0) -> AsyncIterator[Sink]:
    found = Sink(*script, port=port)
    try:
        yield found
    finally:
        await asyncio.to_thread(found.close)


async def until(seen: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not seen():  # noqa: ASYNC110 - another thread, or process, sees to it
            await asyncio.sleep(0.005)


def test_envelopes_come_in_order_and_once_with_their_hash_as_key(run: Any) -> None:
    async def steps(side: Side) -> None:
        await side.push(55)  # more than a batch
        outbox = side.outbox()
        assert await outbox.backlog() == Backlog(55, NOW)
        async with sink() as admin, side.delivery(admin.url, outbox) as delivery:
            assert await delivery.drain()
            assert admin.seqs == list(range(1, 56))
            for key, document in admin.sent:
                assert key == document["envelope"]["hash"]
                assert document["sink_status"] == "pending"
                assert schema.problems("audit_envelope.v1", document) == []
            assert await side.statuses() == ["delivered"] * 55
            assert await outbox.backlog() == Backlog(0, None)
            assert await delivery.drain()
            await side.push(1, "later")
            assert (await outbox.backlog()).depth == 1
            assert await delivery.drain()
            assert admin.seqs == list(range(1, 57))

    run(steps)


@pytest.mark.parametrize("fault", [500, 503, 302, 400, 409, "cut", "hang"])
def test_what_is_not_taken_for_sure_comes_again_and_the_next_ones_wait(
    run: Any, fault: int | str
) -> None:
    async def steps(side: Side) -> None:
        await side.push(4)
        bounds = {"timeout": 0.3} if fault == "hang" else {}
        async with sink(204, fault, fault) as admin:
            async with side.delivery(admin.url, **bounds) as delivery:
                assert not await delivery.drain()
                assert not await delivery.drain()
                assert admin.seqs == [1, 2, 2]
                assert (await side.statuses()).count("delivered") == 1
            async with side.delivery(admin.url) as delivery:
                assert await delivery.drain()
            assert admin.seqs == [1, 2, 2, 2, 3, 4]
            assert admin.sent[1] == admin.sent[2] == admin.sent[3]

    run(steps)


def test_a_sink_that_is_down_is_tried_again_until_it_is_up(run: Any) -> None:
    async def steps(side: Side) -> None:
        await side.push(3)
        async with sink() as gone:
            port = gone.server_address[1]
        async with side.delivery(f"http://127.0.0.1:{port}", longest_pause=0.05) as delivery:
            assert not await delivery.drain()
            running = asyncio.create_task(delivery.run())
            async with sink(500, port=port) as admin:
                await until(lambda: admin.seqs == [1, 1, 2, 3])
                # What is written from now on comes as well.
                await side.push(2, "later")
                await until(lambda: admin.seqs == [1, 1, 2, 3, 4, 5])
                running.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await running

    run(steps)


def test_a_deliverer_that_is_killed_is_taken_over_from_where_it_was(run: Any) -> None:
    async def steps(side: Side) -> None:
        await side.push(5)
        async with sink(204, 204, "hang") as admin:
            told = json.dumps({**side.told, "url": admin.url})
            process = subprocess.Popen([sys.executable, "-c", DELIVERER, told])  # noqa: ASYNC220
            try:
                await asyncio.to_thread(admin.hanging.wait, PATIENCE)
                async with side.delivery(admin.url) as second:
                    # While the first lives, the second keeps out of its way.
                    assert not await second.drain()
                    assert admin.seqs == [1, 2, 3]
                    process.kill()
                    process.wait()
                    async with asyncio.timeout(PATIENCE):
                        while not await second.drain():  # noqa: ASYNC110 - its lock goes with it
                            await asyncio.sleep(0.005)
            finally:
                process.kill()
                process.wait()
            assert admin.seqs == [1, 2, 3, 3, 4, 5]
            assert admin.sent[2] == admin.sent[3]

    run(steps)


def test_of_two_deliverers_one_delivers_until_it_gives_up(run: Any) -> None:
    async def steps(side: Side) -> None:
        await side.push(3)
        async with sink("hang") as admin:
            async with side.delivery(admin.url) as first, side.delivery(admin.url) as second:
                running = asyncio.create_task(first.run())
                await asyncio.to_thread(admin.hanging.wait, PATIENCE)
                assert not await second.drain()
                assert admin.seqs == [1]
                running.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await running
                assert await second.drain()
            assert admin.seqs == [1, 1, 2, 3]

    run(steps)


def test_several_deliverers_among_writers_keep_the_order(run: Any) -> None:
    async def steps(side: Side) -> None:
        # The answers to some are lost, after they were taken.
        script: list[int | str] = [204, "cut", 204, 204, "cut", "cut", 204, 500]
        async with sink(*script) as admin:
            async with (
                side.delivery(admin.url, longest_pause=0.02) as one,
                side.delivery(admin.url, longest_pause=0.02) as two,
            ):
                running = [asyncio.create_task(each.run()) for each in (one, two)]
                await side.push(30)
                await until(lambda: admin.seqs and admin.seqs[-1] == 30)
                for task in running:
                    task.cancel()
                await asyncio.gather(*running, return_exceptions=True)
            assert set(admin.seqs) == set(range(1, 31))
            assert all(later - earlier in {0, 1} for earlier, later in pairwise(admin.seqs))
            assert len(admin.seqs) <= 30 + 4 + 1

    run(steps)


def test_a_database_that_cuts_off_the_outbox_is_asked_anew(workspace: Workspace) -> None:
    async def main() -> None:
        side = Side(workspace)
        await side.push(6)
        eye = await connect(workspace.dsn)
        cut = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        outbox = side.outbox()
        async with sink(204, "hang") as admin, side.delivery(admin.url, outbox) as delivery:
            running = asyncio.create_task(delivery.run())
            await asyncio.to_thread(admin.hanging.wait, PATIENCE)
            await eye.execute(cut)
            admin.release.set()
            await until(lambda: admin.seqs and admin.seqs[-1] == 6)
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
            assert set(admin.seqs) == set(range(1, 7))
            assert all(later - earlier in {0, 1} for earlier, later in pairwise(admin.seqs))
        # A table that is locked is no reason to wait for ever.
        short = PostgresOutbox(workspace.dsn, schema=workspace.schema, timeout=0.3)
        async with eye.transaction():
            await eye.execute(f'LOCK TABLE "{workspace.schema}".audit IN ACCESS EXCLUSIVE MODE')
            for asked in (short.pending(1), short.backlog(), short.delivered({"id": 1})):
                with pytest.raises(TrailError, match="can't be read"):
                    await asyncio.wait_for(asked, PATIENCE)
        assert len(await short.pending(9)) <= 1  # the last one may not be noted yet
        for part in (*side.open, short):
            await part.aclose()
        await eye.close()

    asyncio.run(main())


def test_what_is_delivered_is_not_read_again(tmp_path: Path) -> None:
    async def main() -> None:
        side = Side(tmp_path)
        await side.push(20)
        outbox = side.outbox()
        for document in await outbox.pending(15):
            await outbox.delivered(document)
        trail = tmp_path / "audit.jsonl"
        lines = trail.read_bytes().splitlines(keepends=True)
        # Nothing of the first ten can be read any more, and nobody misses it but an auditor.
        spoilt = [b"x" * (len(line) - 1) + b"\n" for line in lines[:20]]
        trail.write_bytes(b"".join([*spoilt, *lines[20:]]))
        assert [one["envelope"]["seq"] for one in await outbox.pending(3)] == [16, 17, 18]
        assert (await outbox.backlog()).depth == 5
        await side.push(1, "later")
        assert (await outbox.backlog()).depth == 6
        with pytest.raises(TrailError, match="byte 0"):
            await side.statuses()

    asyncio.run(main())


@pytest.mark.parametrize(
    "mark", ["", "3", "{}", '{"seq": 1, "offset": 7}', '{"seq": 0, "offset": "x"}']
)
def test_a_mark_that_was_spoilt_delivers_nothing_out_of_turn(tmp_path: Path, mark: str) -> None:
    async def main() -> None:
        side = Side(tmp_path)
        await side.push(3)
        (tmp_path / "audit.delivered").write_text(mark)
        with pytest.raises(TrailError, match="audit"):
            await side.outbox().pending(3)
        # As the message says: without it, all comes again.
        (tmp_path / "audit.delivered").unlink()
        async with sink() as admin, side.delivery(admin.url) as delivery:
            assert await delivery.drain()
            assert admin.seqs == [1, 2, 3]

    asyncio.run(main())
