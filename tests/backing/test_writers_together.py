"""Many writers at once, on connections and in processes of their own; and readers among them."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from pytest_ffparity.audit.chain import verify, verify_records
from pytest_ffparity.audit.envelope import Target
from pytest_ffparity.backing import blocking
from pytest_ffparity.backing.changes import Change, ConflictError
from pytest_ffparity.backing.checked import check_world
from pytest_ffparity.backing.documents import OVERRIDES, REGISTRY, write_documents
from pytest_ffparity.backing.dsn import connect
from pytest_ffparity.backing.file import FileBacking
from pytest_ffparity.backing.file_writer import FileWriter
from pytest_ffparity.backing.naming import in_schema
from pytest_ffparity.backing.postgres import PostgresBacking
from pytest_ffparity.backing.postgres_trail import TURN, read_trail
from pytest_ffparity.backing.postgres_writer import PostgresWriter
from pytest_ffparity.backing.seed import seed
from pytest_ffparity.backing.store_lock import locked
from pytest_ffparity.backing.workspace import Workspace
from pytest_ffparity.backing.writes import WriteUnavailableError
from pytest_ffparity.evaluator.model import Flag, Identity, Records
from pytest_ffparity.evaluator.names import AuthMode
from pytest_ffparity.evaluator.records import flag_record

NOW: Final = datetime(2026, 4, 19, tzinfo=UTC)
ACTOR: Final = Identity(AuthMode.VERIFIED, "T-ops", "U-ops")
PATIENCE: Final = 60.0

# Some writers that push one flag from version to version, and create a few keys of their own.
WORKER: Final = """
import asyncio, datetime, json, pathlib, sys
from pytest_ffparity.audit.envelope import Target
from pytest_ffparity.backing.changes import Change, ConflictError
from pytest_ffparity.backing.file_writer import FileWriter
from pytest_ffparity.backing.postgres_writer import PostgresWriter
from pytest_ffparity.evaluator.model import Identity
from pytest_ffparity.evaluator.names import AuthMode

told = json.loads(sys.argv[1])

def writer():
    if "folder" in told:
        folder = pathlib.Path(told["folder"])
        return FileWriter(folder / "registry.json", folder / "override_examples.json", timeout=60)
    return PostgresWriter(told["dsn"], schema=told["schema"], timeout=60)

async def write(store, key, number, expects):
    record = {"value_type": "number", "default_value": number, "safe_value": number,
              "description": "x" * 300 + str(number)}
    change = Change(target=Target("flag", (key,)), record=record, expects=expects)
    return await store.write(change, actor=Identity(AuthMode.VERIFIED, "T", told["name"]),
                             at=datetime.datetime.now(datetime.UTC))

async def push(number):
    store, won, version = writer(), [], 1
    for own in range(told["own"]):
        await write(store, f"ff.{told['name']}.{number}.{own}", own, None)
    while version < told["top"]:
        try:
            written = await write(store, "ff.x", version + 1, version)
        except ConflictError as error:
            version = error.found
        else:
            won.append(version)
            version = written.version
    return won

async def main():
    return await asyncio.gather(*map(push, range(told["writers"])))

print(json.dumps(asyncio.run(main())))
"""


class FileSide:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: dict[str, Any] = {"folder": str(folder)}

    async def start(self) -> None:
        write_documents(self.folder, [], [], [])

    def writer(self, timeout: float = PATIENCE) -> FileWriter:
        return FileWriter(self.folder / REGISTRY, self.folder / OVERRIDES, timeout=timeout)

    async def reader(self) -> FileBacking:
        return FileBacking(self.folder / REGISTRY, self.folder / OVERRIDES)

    async def trail(self) -> list[dict[str, Any]]:
        return await self.writer().trail()


class PostgresSide:
    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.told: dict[str, Any] = {"dsn": workspace.dsn, "schema": workspace.schema}

    async def start(self) -> None:
        pass

    def writer(self, timeout: float = PATIENCE) -> PostgresWriter:
        return PostgresWriter(self.workspace.dsn, schema=self.workspace.schema, timeout=timeout)

    async def reader(self) -> PostgresBacking:
        backing = PostgresBacking(
            self.workspace.dsn, schema=self.workspace.schema, query_timeout=PATIENCE
        )
        await backing.open()
        return backing

    async def trail(self) -> list[dict[str, Any]]:
        connection = await connect(self.workspace.dsn)
        try:
            return await read_trail(connection, self.workspace.schema)
        finally:
            await connection.close()


Side = FileSide | PostgresSide


@pytest.fixture(params=["file", "db"])
def side(request: pytest.FixtureRequest) -> Side:
    if request.param == "file":
        return FileSide(request.getfixturevalue("tmp_path"))
    return PostgresSide(request.getfixturevalue("workspace"))


def in_loop(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(work(), 2 * PATIENCE))


async def end(*parts: FileBacking | FileWriter | PostgresBacking | PostgresWriter) -> None:
    for part in parts:
        if isinstance(part, PostgresBacking | PostgresWriter):
            await part.aclose()


def creation(number: int, expects: int | None = None, key: str = "ff.x") -> Change:
    record = {"value_type": "number", "default_value": number, "safe_value": number}
    return Change(
        target=Target("flag", (key,)),
        record={**record, "description": "x" * 300 + str(number)},
        expects=expects,
    )


def test_of_writers_in_many_processes_one_wins_each_version(side: Side) -> None:
    top, writers, own = 24, 3, 2

    async def worker(name: str) -> list[list[int]]:
        told = {**side.told, "name": name, "top": top, "writers": writers, "own": own}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", WORKER, json.dumps(told)), stdout=asyncio.subprocess.PIPE
        )
        output, _ = await process.communicate()
        found: list[list[int]] = json.loads(output)
        return found

    async def main() -> None:
        await side.start()
        store = side.writer()
        await store.write(creation(1), actor=ACTOR, at=NOW)
        reader = await side.reader()
        workers = asyncio.gather(*map(worker, ("a", "b", "c")))
        seen = []
        while not workers.done():
            found = await reader.read("ff.x", "T", "U")
            assert isinstance(found, Records)
            assert isinstance(found.flag, Flag)  # never half a record
            flag = found.flag
            assert flag.description == "x" * 300 + str(flag.version)
            assert flag.default_value == flag.safe_value == flag.version
            seen.append(flag.version)
            await asyncio.sleep(0)
        assert seen == sorted(seen)
        assert isinstance(reader, PostgresBacking) or reader.alarms == ()
        await end(reader, store)
        won = Counter(version for found in await workers for each in found for version in each)
        assert won == dict.fromkeys(range(1, top), 1)
        trail = await side.trail()
        assert verify(trail) == []
        keys = Counter(one["envelope"]["target"]["flag_key"] for one in trail)
        assert keys.pop("ff.x") == top
        assert set(keys.values()) == {1}
        assert len(keys) == 3 * writers * own

    in_loop(main)


def test_of_writers_on_many_connections_one_creates(side: Side) -> None:
    async def main() -> None:
        await side.start()
        writers = [side.writer() for _ in range(8)]
        # Each key from each connection, and twice on each.
        writes = [
            store.write(creation(1, key=f"ff.{key}"), actor=ACTOR, at=NOW)
            for key in range(4)
            for store in writers * 2
        ]
        ends = await asyncio.gather(*writes, return_exceptions=True)
        assert sum(not isinstance(end, BaseException) for end in ends) == 4
        assert sum(isinstance(end, ConflictError) for end in ends) == len(writes) - 4
        trail = await side.trail()
        assert verify(trail) == []
        left = {
            Target("flag", (one["envelope"]["after"]["flag_key"],)): one["envelope"]["after"]
            for one in trail
        }
        reader = await side.reader()
        for target, after in left.items():
            found = await reader.read(target.ids[0], None, None)
            assert isinstance(found, Records)
            assert isinstance(found.flag, Flag)
            assert flag_record(found.flag) == after
        assert len(trail) == len(left) == 4
        assert verify_records(trail, left) == []
        await end(reader, *writers)

    in_loop(main)


def test_readers_do_not_wait_for_a_writer(side: Side) -> None:
    async def main() -> None:
        await side.start()
        store = side.writer()
        await store.write(creation(1), actor=ACTOR, at=NOW)
        reader = await side.reader()
        short = side.writer(timeout=0.2)

        async def reads() -> None:
            with pytest.raises(WriteUnavailableError) as caught:
                await short.write(creation(2, 1), actor=ACTOR, at=NOW)
            assert not caught.value.unknown
            found = await reader.read("ff.x", None, None)
            assert isinstance(found, Records)
            assert isinstance(found.flag, Flag)
            assert found.flag.version == 1

        if isinstance(side, FileSide):
            with locked(side.folder / REGISTRY, 1.0):
                await reads()
        else:
            connection = await connect(side.workspace.dsn)
            async with connection.transaction():
                await connection.execute(in_schema(TURN, side.workspace.schema))
                await connection.execute(
                    in_schema("UPDATE {ff}.flag_registry SET version = 9", side.workspace.schema)
                )
                await reads()
                # Only its own connection's end ends this transaction.
                await connection.execute(
                    in_schema("UPDATE {ff}.flag_registry SET version = 1", side.workspace.schema)
                )
            await connection.close()
        await store.write(creation(2, 1), actor=ACTOR, at=NOW)
        assert len(await side.trail()) == 2
        await end(reader, store, short)

    in_loop(main)


def test_a_reader_in_the_middle_of_a_delete_sees_no_flag_without_its_overrides(
    tmp_path: Path,
) -> None:
    flag = {"flag_key": "ff.x", "value_type": "number", "default_value": 1, "safe_value": 0}
    override = {"flag_key": "ff.x", "tenant_id": "T", "value": 2, "version": 1}
    write_documents(tmp_path, [{**flag, "version": 1}], [override], [])
    store = FileWriter(tmp_path / REGISTRY, tmp_path / OVERRIDES)
    delete = Change(target=Target("flag", ("ff.x",)), record=None, expects=1)

    class Interrupted:
        """A document, before whose reading the flag is deleted."""

        def __init__(self, watched: Any) -> None:
            self.watched = watched

        def current(self) -> Any:
            blocking.run(store.write(delete, actor=ACTOR, at=NOW))
            return self.watched.current()

    async def main(second: str) -> None:
        backing = FileBacking(tmp_path / REGISTRY, tmp_path / OVERRIDES)
        await backing.read("ff.x", "T", None)
        setattr(backing, second, Interrupted(getattr(backing, second)))
        found = await backing.read("ff.x", "T", None)
        assert isinstance(found, Records)
        assert (found.flag is None) or (found.tenant_override is not None)

    for second in ("_registry", "_overrides"):
        write_documents(tmp_path, [{**flag, "version": 1}], [override], [])
        asyncio.run(main(second))


def test_a_seed_among_writers_leaves_a_whole_trail(side: Side) -> None:
    async def main() -> None:
        await side.start()
        writers = [side.writer() for _ in range(3)]

        async def push(store: Any, name: int) -> None:
            for number in range(12):
                await store.write(creation(1, key=f"ff.{name}.{number}"), actor=ACTOR, at=NOW)

        async def seeds() -> None:
            connection = None if isinstance(side, FileSide) else await connect(side.workspace.dsn)
            for _ in range(6):
                if isinstance(side, FileSide):
                    await asyncio.to_thread(write_documents, side.folder, [], [], [])
                elif connection is not None:
                    empty = check_world([], [], [])
                    await seed(connection, empty, schema=side.workspace.schema)
            if connection is not None:
                await connection.close()

        await asyncio.gather(*(push(store, n) for n, store in enumerate(writers)), seeds())
        assert verify(await side.trail()) == []
        await end(*writers)

    in_loop(main)
