"""Stores that somebody has been at, by SQL or with an editor: it is found, and nothing breaks."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from pytest_ffparity.audit.chain import verify, verify_records
from pytest_ffparity.audit.envelope import Target, TrailError, hash_of
from pytest_ffparity.backing.changes import Change
from pytest_ffparity.backing.documents import OVERRIDES, REGISTRY, load_documents, write_documents
from pytest_ffparity.backing.dsn import connect
from pytest_ffparity.backing.file import FileBacking
from pytest_ffparity.backing.file_writer import FileWriter
from pytest_ffparity.backing.naming import in_schema
from pytest_ffparity.backing.postgres_trail import PostgresOutbox, read_trail
from pytest_ffparity.backing.postgres_writer import PostgresWriter
from pytest_ffparity.backing.workspace import Workspace
from pytest_ffparity.backing.writes import WriteUnavailableError, Written
from pytest_ffparity.evaluator.model import Flag, Identity, Records
from pytest_ffparity.evaluator.names import AuthMode
from pytest_ffparity.evaluator.records import flag_record
from pytest_ffparity.formats import instant

NOW: Final = datetime(2026, 4, 19, tzinfo=UTC)
ACTOR: Final = Identity(AuthMode.VERIFIED, "T-ops", "U-ops")
Trail = list[dict[str, Any]]


async def push(
    store: FileWriter | PostgresWriter, number: int, expects: int | None, key: str = "ff.x"
) -> Written:
    record = {"value_type": "number", "default_value": number, "safe_value": number}
    change = Change(target=Target("flag", (key,)), record=record, expects=expects)
    return await store.write(change, actor=ACTOR, at=NOW)


class FileSide:
    def __init__(self, folder: Path) -> None:
        write_documents(folder, [], [], [])
        self.trail_file = folder / "audit.jsonl"
        self.store = FileWriter(folder / REGISTRY, folder / OVERRIDES)
        self.pending = self.store.pending
        self.trail = self.store.trail

    async def replace(self, documents: list[Any]) -> None:
        lines = [json.dumps(one, ensure_ascii=False) for one in documents]
        note = '{"applied": 4}'
        self.trail_file.write_text("".join(f"{line}\n" for line in (*lines, note)))

    async def close(self) -> None:
        pass


class PostgresSide:
    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.store = PostgresWriter(workspace.dsn, schema=workspace.schema)
        self.outbox = PostgresOutbox(workspace.dsn, schema=workspace.schema)
        self.pending = self.outbox.pending

    async def sql(self, statement: str, *values: Any) -> None:
        connection = await connect(self.workspace.dsn)
        await connection.execute(in_schema(statement, self.workspace.schema), *values)
        await connection.close()

    async def trail(self) -> Trail:
        connection = await connect(self.workspace.dsn)
        try:
            return await read_trail(connection, self.workspace.schema)
        finally:
            await connection.close()

    async def replace(self, documents: list[Any]) -> None:
        await self.sql("DELETE FROM {ff}.audit")
        for one in documents:
            await self.sql(
                "INSERT INTO {ff}.audit (kind, topic, sink_status, envelope, recorded_at)"
                " VALUES ($1, $2, $3, $4::text::json, $5)",
                *(one[name] for name in ("kind", "topic", "sink_status")),
                json.dumps(one["envelope"]),
                instant.parse(one["recorded_at"]),
            )

    async def close(self) -> None:
        await self.store.aclose()
        await self.outbox.aclose()


@pytest.fixture(params=["file", "db"])
def side(request: pytest.FixtureRequest) -> FileSide | PostgresSide:
    if request.param == "file":
        return FileSide(request.getfixturevalue("tmp_path"))
    return PostgresSide(request.getfixturevalue("workspace"))


async def wrong_with(
    side: FileSide | PostgresSide, records: dict[Target, dict[str, Any]]
) -> list[str]:
    try:
        trail = await side.trail()
    except TrailError as error:
        return [str(error)]
    return verify(trail) or (verify_records(trail, records) if records else [])


def changed(place: int, *path: str, to: Any, again: bool = False) -> Callable[[Trail], None]:
    """Change one field; `again` makes the hash anew."""

    def edit(trail: Trail) -> None:
        node: Any = trail[place]
        for name in path[:-1]:
            node = node[name]
        node[path[-1]] = to
        if again:
            trail[place]["envelope"]["hash"] = hash_of(trail[place]["envelope"])

    return edit


def removed(place: int) -> Callable[[Trail], Any]:
    return lambda trail: trail.pop(place)


def swapped(trail: Trail) -> None:
    trail[1], trail[2] = trail[2], trail[1]


def put_at(trail: Trail, place: int, document: dict[str, Any]) -> None:
    trail.insert(place, document)


NESTED: Any = json.loads("[" * 300 + "]" * 300)
ENDS: list[Any] = [None, 1, [], {}, "text", {"seq": 4}, {"seq": "4", "hash": 1, "top_version": []}]
EDITS: dict[str, Callable[[Trail], Any]] = {
    **{f"removed {n}": removed(n) for n in range(4)},
    "swapped": swapped,
    "doubled": lambda trail: put_at(trail, 2, trail[1]),
    "doubled at the end": lambda trail: trail.append(trail[-1]),
    **{
        f"another actor in {n}": changed(n, "envelope", "actor", "user_id", to="U")
        for n in range(4)
    },
    **{
        f"forged {n}": changed(n, "envelope", "after", "default_value", to=9, again=True)
        for n in range(4)
    },
    "another version": changed(3, "envelope", "top_version", to=99),
    "another kind": changed(1, "kind", to="admin.other"),
    "another topic": changed(1, "topic", to="ptt"),
    "another instant": changed(3, "recorded_at", to="2026-04-20T00:00:00.000000Z"),
    # See below: each store notes it in a way of its own.
    "delivered out of turn": list,
    "an unknown status": list,
    **{f"{str(end)[:12]} at the end": changed(3, "envelope", to=end) for end in ENDS},
    "nested": changed(3, "envelope", "after", "default_value", to=NESTED),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_trail_is_found_and_breaks_nothing(
    side: FileSide | PostgresSide, edit: str
) -> None:
    async def main() -> None:
        for number in range(4):
            await push(side.store, number, number or None)
        trail = await side.trail()
        records = {Target("flag", ("ff.x",)): trail[-1]["envelope"]["after"]}
        assert verify(trail) == verify_records(trail, records) == []
        edited = copy.deepcopy(trail)
        EDITS[edit](edited)
        if isinstance(side, PostgresSide) or edited != trail:
            await side.replace(edited)
        if edit == "delivered out of turn":
            if isinstance(side, FileSide):
                side.trail_file.with_suffix(".delivered").write_text('{"seq": 9, "offset": 9}')
            else:
                await side.sql(
                    "UPDATE {ff}.audit SET sink_status = 'delivered'"
                    " WHERE id = (SELECT max(id) FROM {ff}.audit)"
                )
        if edit == "an unknown status":
            if isinstance(side, FileSide):
                side.trail_file.with_suffix(".delivered").write_text("three")
            else:
                await side.sql("UPDATE {ff}.audit SET sink_status = 'lost'")
        assert await wrong_with(side, records)
        # Nobody is told of it as if it were sound, and a writer fails cleanly where it fails.
        with suppress(TrailError):
            told = [problem for one in await side.pending(9) for problem in verify([one])]
            assert not any("was changed" in problem or "form" in problem for problem in told)
        with suppress(WriteUnavailableError):
            await push(side.store, 9, None, key="ff.new")
        await side.close()

    asyncio.run(main())


@pytest.mark.parametrize(
    "line",
    [
        "", "{", "null", "[]", "{}", '{"applied": 1, "applied": 2}', '{"applied": 3}',
        '{"envelope": 1e999}', "\ufeff{}", '{"applied": 4, "other": 1}', "[" * 100_000,
    ],
)  # fmt: skip
def test_a_line_that_is_no_envelope_is_named(tmp_path: Path, line: str) -> None:
    side = FileSide(tmp_path)

    async def main() -> None:
        for number in range(3):
            await push(side.store, number, number or None)
        whole = side.trail_file.read_text()
        for text in (f"{whole}{line}\n", f"{line}\n{whole}", f"{line}\n"):
            side.trail_file.write_text(text)
            # A note too many in front is no matter.
            harmless = line == '{"applied": 3}' and text.startswith(line) and text != f"{line}\n"
            assert bool(await wrong_with(side, {})) != harmless
            with suppress(TrailError):
                await side.store.backlog()
            with suppress(WriteUnavailableError):
                await push(side.store, 9, None, key="ff.new")

    asyncio.run(main())


def test_a_row_that_the_strict_reader_refuses_is_named(workspace: Workspace) -> None:
    side = PostgresSide(workspace)

    async def main() -> None:
        await push(side.store, 1, None)
        await side.sql("""UPDATE {ff}.audit SET envelope = '{"seq": 1, "seq": 1}'""")
        for reading in (side.trail(), side.pending(1)):
            with pytest.raises(TrailError, match=r"row \d+ of the trail: the key \"seq\" stands"):
                await reading
        with pytest.raises(WriteUnavailableError, match="nothing was written"):
            await push(side.store, 2, 1)
        await side.close()

    asyncio.run(main())


def test_an_envelope_that_was_forged_after_a_crash_is_not_done(tmp_path: Path) -> None:
    side = FileSide(tmp_path)

    async def main() -> None:
        await push(side.store, 1, None)
        await push(side.store, 2, 1)
        first, _, second, _ = side.trail_file.read_text().splitlines()
        note = '{"applied": 1}'
        forged = second.replace('"default_value":2', '"default_value":666')
        side.trail_file.write_text(f"{first}\n{note}\n{forged}\n")
        before = (tmp_path / REGISTRY).read_bytes()
        with pytest.raises(TrailError, match="was changed"):
            await side.trail()
        with pytest.raises(WriteUnavailableError, match="was changed"):
            await push(side.store, 3, 2)
        assert (tmp_path / REGISTRY).read_bytes() == before

    asyncio.run(main())


def by_hand(folder: Path, **members: Any) -> None:
    document = json.loads((folder / REGISTRY).read_bytes())
    document["flags"][0].update(members)
    (folder / REGISTRY).write_text(json.dumps(document))


def test_an_edit_by_hand_between_writes_is_kept_and_found(tmp_path: Path) -> None:
    side = FileSide(tmp_path)

    async def main() -> None:
        await push(side.store, 1, None)
        await push(side.store, 1, None, key="ff.y")
        by_hand(tmp_path, description="by hand")
        written = await push(side.store, 2, 2, key="ff.y")  # another record
        assert (
            json.loads((tmp_path / REGISTRY).read_bytes())["flags"][0]["description"] == "by hand"
        )
        checked = load_documents(tmp_path / REGISTRY, tmp_path / OVERRIDES)
        records = {Target("flag", (flag.flag_key,)): flag_record(flag) for flag in checked.flags}
        trail = await side.trail()
        assert verify(trail) == []
        assert verify_records(trail, records) == ["flag ff.x is not what the trail left it as"]
        assert written.version == 3
        # Written over, it is still told: by what the write found.
        written = await push(side.store, 2, 1)
        assert written.document["envelope"]["before"]["description"] == "by hand"
        records[Target("flag", ("ff.x",))] = written.document["envelope"]["after"]
        assert verify_records(await side.trail(), records) == [
            "flag ff.x was not what the trail left it as when envelope 4 was written"
        ]

    asyncio.run(main())


def test_an_edit_by_hand_after_a_lost_note_is_not_undone(tmp_path: Path) -> None:
    side = FileSide(tmp_path)

    async def main() -> None:
        await push(side.store, 1, None)
        whole = side.trail_file.read_text()
        side.trail_file.write_text(whole[: whole.index('{"applied"')])
        by_hand(tmp_path, enabled=False)
        await side.trail()
        assert json.loads((tmp_path / REGISTRY).read_bytes())["flags"][0]["enabled"] is False
        assert side.trail_file.read_text() == whole

    asyncio.run(main())


@pytest.mark.parametrize("text", ["", "{", '{"flags": 1}', '{"flags": []} ', "\ufeff", None])
def test_a_document_spoilt_by_hand_refuses_writes_and_is_mended_by_hand(
    tmp_path: Path, text: str | None
) -> None:
    side = FileSide(tmp_path)

    async def main() -> None:
        await push(side.store, 1, None)
        good = (tmp_path / REGISTRY).read_bytes()
        if text is None:
            (tmp_path / REGISTRY).unlink()
        else:
            (tmp_path / REGISTRY).write_text(text)
        if text is not None and text.endswith(" "):
            await push(side.store, 1, None)  # sound, and without the flag
            assert len(await side.trail()) == 2
            return
        with pytest.raises(WriteUnavailableError, match="nothing was written"):
            await push(side.store, 2, 1)
        (tmp_path / REGISTRY).write_bytes(good)
        await push(side.store, 2, 1)
        assert len(await side.trail()) == 2

    asyncio.run(main())


def test_links_lead_to_one_store(tmp_path: Path) -> None:
    real, other = tmp_path / "real", tmp_path / "other"
    real.mkdir()
    other.mkdir()
    write_documents(real, [], [], [])
    (tmp_path / "folder").symlink_to(real)
    (other / REGISTRY).symlink_to(real / REGISTRY)
    (other / OVERRIDES).symlink_to(real / OVERRIDES)
    folders = [real, tmp_path / "folder", other]

    async def main() -> None:
        stores = [FileWriter(folder / REGISTRY, folder / OVERRIDES) for folder in folders]
        backings = [FileBacking(folder / REGISTRY, folder / OVERRIDES) for folder in folders]
        await push(stores[0], 1, None)
        for number in range(1, 10):
            await push(stores[number % 3], number + 1, number)
        await asyncio.gather(
            *(
                push(store, 1, None, key=f"ff.{n}.{m}")
                for n, store in enumerate(stores)
                for m in (1, 2)
            )
        )
        trails = [await store.trail() for store in stores]
        assert trails[0] == trails[1] == trails[2]
        assert len(trails[0]) == 16
        assert verify(trails[0]) == []
        for backing in backings:
            found = await backing.read("ff.x", None, None)
            assert isinstance(found, Records)
            assert isinstance(found.flag, Flag)
            assert found.flag.default_value == 10
        assert (other / REGISTRY).is_symlink()
        assert sorted(path.name for path in other.iterdir()) == sorted([REGISTRY, OVERRIDES])
        # Led elsewhere, the store is another one.
        new = tmp_path / "new"
        new.mkdir()
        write_documents(new, [], [], [])
        (other / REGISTRY).unlink()
        (other / REGISTRY).symlink_to(new / REGISTRY)
        await push(stores[2], 1, None)
        assert len(await stores[2].trail()) == 1

    asyncio.run(main())


def test_documents_in_different_folders_are_one_store(tmp_path: Path) -> None:
    for name in ("flags", "overrides"):
        (tmp_path / name).mkdir()
        write_documents(tmp_path / name, [], [], [])
    paths = (tmp_path / "flags" / REGISTRY, tmp_path / "overrides" / OVERRIDES)

    async def main() -> None:
        store = FileWriter(*paths)
        await push(store, 1, None)
        tenant = Target("tenant_override", ("ff.x", "T"))
        make = Change(target=tenant, record={"value": 2}, expects=None)
        await store.write(make, actor=ACTOR, at=NOW)
        delete = Change(target=Target("flag", ("ff.x",)), record=None, expects=1)
        await store.write(delete, actor=ACTOR, at=NOW)
        assert [json.loads(path.read_bytes()) for path in paths] == [
            {"flags": []},
            {"tenant_overrides": [], "user_overrides": []},
        ]
        assert verify(await store.trail()) == []
        assert not (tmp_path / "overrides" / "audit.jsonl").exists()

    asyncio.run(main())


def test_a_seed_by_somebody_else_is_seen_by_a_writer_that_lives_on(tmp_path: Path) -> None:
    side, other = FileSide(tmp_path), FileWriter(tmp_path / REGISTRY, tmp_path / OVERRIDES)

    async def main() -> None:
        await push(side.store, 1, None)
        write_documents(tmp_path, [], [], [])
        # As long as what the first writer wrote, and not the same.
        await push(other, 2, None)
        await push(side.store, 3, 1)
        assert verify(await side.trail()) == []

    asyncio.run(main())
