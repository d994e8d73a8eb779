"""Both stores give back what was written, and refuse or deny the same."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pytest_ffparity.backing.documents import write_documents
from pytest_ffparity.backing.faults import (
    hide_tables,
    overwrite_in_documents,
    overwrite_in_tables,
    remove_documents,
    restore_tables,
)
from pytest_ffparity.backing.file import FileBacking
from pytest_ffparity.backing.postgres import PostgresBacking
from pytest_ffparity.backing.seed import seed
from pytest_ffparity.backing.workspace import Workspace
from pytest_ffparity.evaluator.decide import decide
from pytest_ffparity.evaluator.model import (
    Corrupt,
    Failed,
    Flag,
    Identity,
    Override,
    Records,
    Request,
)
from pytest_ffparity.evaluator.names import AuthMode, FailSafe
from pytest_ffparity.evaluator.records import RecordError
from pytest_ffparity.evaluator.rules import Facts
from pytest_ffparity.formats import instant
from pytest_ffparity.formats.strict_json import same

NOW = datetime(2026, 4, 19, tzinfo=UTC)
FLAG: dict[str, Any] = {
    "flag_key": "ff.x",
    "value_type": "object",
    "default_value": {},
    "safe_value": {},
    "version": 1,
}
TENANT: dict[str, Any] = {"flag_key": "ff.x", "tenant_id": "t", "value": {}, "version": 1}
USER: dict[str, Any] = {**TENANT, "user_id": "u"}

TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
IDS = TEXT.filter(lambda text: 0 < len(text.encode()) <= 200)
TICK = timedelta(microseconds=1)
FIRST = datetime.min.replace(tzinfo=UTC) + TICK
LAST = datetime.max.replace(tzinfo=UTC) - TICK
INSTANTS = st.datetimes(
    FIRST.replace(tzinfo=None), LAST.replace(tzinfo=None), timezones=st.just(UTC)
)


class Stores:
    """A file store and a db store that are filled with the same world."""

    def __init__(self, folder: Path, workspace: Workspace) -> None:
        self.folder = folder
        self.workspace = workspace
        self.schema = workspace.schema

    @asynccontextmanager
    async def connection(self) -> Any:
        connection = await asyncpg.connect(self.workspace.dsn)
        try:
            yield connection
        finally:
            await connection.close()

    async def fill(self, *world: list[Any]) -> None:
        checked = write_documents(self.folder, *world)
        async with self.connection() as connection:
            await seed(connection, checked, schema=self.schema)

    async def read(self, *ids: str | None) -> tuple[Records | Failed, Records | Failed]:
        flag, tenant, user = ids
        file = FileBacking(self.folder / "registry.json", self.folder / "override_examples.json")
        db = PostgresBacking(self.workspace.dsn, connections=1, query_timeout=30)
        await db.open()
        try:
            return (
                await file.read(str(flag), tenant, user),
                await db.read(str(flag), tenant, user),
            )
        finally:
            await db.aclose()

    def both(self, *ids: str | None) -> Records | Failed:
        """Read from both, which have to agree."""
        file, db = asyncio.run(self.read(*ids))
        assert file == db
        return file


@contextmanager
def fresh_stores(workspace: Workspace) -> Iterator[Stores]:
    with tempfile.TemporaryDirectory() as folder:
        yield Stores(Path(folder), workspace)


@pytest.fixture
def stores(tmp_path: Path, workspace: Workspace) -> Stores:
    return Stores(tmp_path, workspace)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    value=st.dictionaries(TEXT, VALUES, max_size=4),
    expires_at=INSTANTS,
    ids=st.tuples(IDS, IDS, IDS),
)
@example(
    value={"b": 1e22, "a": [-0.0, 0.0, 0, 2**63 - 1, -(2**63), 1.0, True, None, 5e-324]},
    expires_at=NOW + TICK,
    ids=("ff.x", "t ", " U1001"),
)
@example(
    value={"jos\u00e9": "NFC", "jose\u0301": "NFD", "": {"": []}, "\U0001f600": "\u2028\x7f"},
    expires_at=LAST,
    ids=("FF.X", "jose\u0301", "jos\u00e9"),
)
@example(value={}, expires_at=FIRST, ids=("é" * 100, "x" * 200, "'\"\\%"))
def test_a_value_comes_back_from_both_stores_equal_in_type_and_value(
    workspace: Workspace, value: Any, expires_at: datetime, ids: tuple[str, str, str]
) -> None:
    flag_key, tenant_id, user_id = ids
    flag = {**FLAG, "flag_key": flag_key, "default_value": value, "description": user_id}
    rollout = {"percentage": 33.3, "value": value, "salt": tenant_id}
    override = {
        "flag_key": flag_key,
        "tenant_id": tenant_id,
        "value": value,
        "expires_at": instant.text(expires_at),
        "version": 2**63 - 1,
    }
    with fresh_stores(workspace) as stores:
        world = ([{**flag, "rollout": rollout}], [override], [{**override, "user_id": user_id}])
        asyncio.run(stores.fill(*world))
        for found in asyncio.run(stores.read(*ids)):
            assert isinstance(found, Records)
            assert isinstance(found.flag, Flag)
            assert isinstance(found.tenant_override, Override)
            assert isinstance(found.user_override, Override)
            assert found.flag.rollout is not None
            assert found.tenant_override.expires_at == expires_at
            assert found.user_override.version == 2**63 - 1
            for came in (
                found.flag.default_value,
                found.flag.rollout.value,
                found.tenant_override.value,
                found.user_override.value,
            ):
                assert same(came, value)
                assert list(came) == list(value)  # key order too
        assert stores.both(*ids) is not None


@pytest.mark.parametrize("percentage", [0, 33, 33.0, 33.3, 100, 0.001])
def test_a_percentage_keeps_its_literal(stores: Stores, percentage: float) -> None:
    rollout = {"percentage": percentage, "value": {"in": True}}
    asyncio.run(stores.fill([{**FLAG, "rollout": rollout}], [], []))
    found = stores.both("ff.x", None, None)
    assert isinstance(found, Records)
    assert isinstance(found.flag, Flag)
    assert found.flag.rollout is not None
    assert same(found.flag.rollout.percentage, percentage)


@pytest.mark.parametrize(
    "asked",
    [
        ("ff.x", "T", "u"),
        ("ff.x", "t ", "u"),
        ("ff.x", None, None),
        ("ff.x", None, "u"),
        ("ff.x", "u", "t"),
    ],
)
def test_an_override_meets_nobody_but_its_own_caller(
    stores: Stores, asked: tuple[str, str | None, str | None]
) -> None:
    asyncio.run(stores.fill([FLAG], [TENANT], [USER]))
    found = stores.both(*asked)
    assert isinstance(found, Records)
    assert found.flag is not None
    assert found.tenant_override is None
    assert found.user_override is None


def test_a_flag_of_another_case_is_not_found(stores: Stores) -> None:
    asyncio.run(stores.fill([FLAG], [TENANT], []))
    for key in ("FF.x", "ff.x ", "ff", ""):
        assert stores.both(key, "t", None) == Records(None)


def test_an_override_ends_at_its_very_instant_on_both(stores: Stores) -> None:
    until = {**TENANT, "value": {"live": True}, "expires_at": instant.text(NOW)}
    asyncio.run(stores.fill([FLAG], [until], []))
    caller = Identity(AuthMode.VERIFIED, "t")
    for records in asyncio.run(stores.read("ff.x", "t", None)):
        facts = Facts(Request("ff.x"), NOW, caller, records)
        assert decide(facts, "db", 0).reason == "registry_default"
        before = Facts(Request("ff.x"), NOW - TICK, caller, records)
        assert decide(before, "db", 0).reason == "tenant_override"


def test_offsets_name_one_instant(stores: Stores) -> None:
    until = {**TENANT, "expires_at": "2026-04-19T07:00:00.000001+07:00"}
    asyncio.run(stores.fill([FLAG], [until], []))
    found = stores.both("ff.x", "t", None)
    assert isinstance(found, Records)
    assert isinstance(found.tenant_override, Override)
    assert found.tenant_override.expires_at == NOW + TICK


def test_a_refused_world_is_refused_before_either_store_changes(stores: Stores) -> None:
    asyncio.run(stores.fill([FLAG], [TENANT], []))
    before = stores.both("ff.x", "t", None)
    with pytest.raises(RecordError, match="/tenant_overrides/0/flag_key"):
        asyncio.run(stores.fill([FLAG], [{**TENANT, "flag_key": "ff.gone"}], []))
    assert stores.both("ff.x", "t", None) == before


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"])
def test_an_instant_that_the_driver_takes_for_infinity_is_refused(
    stores: Stores, text: str
) -> None:
    with pytest.raises(RecordError, match="/tenant_overrides/0/expires_at: the first and the last"):
        asyncio.run(stores.fill([FLAG], [{**TENANT, "expires_at": text}], []))


def test_a_seed_replaces_everything(stores: Stores) -> None:
    asyncio.run(stores.fill([FLAG, {**FLAG, "flag_key": "ff.y"}], [TENANT], [USER]))
    asyncio.run(stores.fill([FLAG], [], []))
    assert stores.both("ff.y", "t", "u") == Records(None)
    found = stores.both("ff.x", "t", "u")
    assert isinstance(found, Records)
    assert found.tenant_override is None
    assert found.user_override is None


def test_a_seed_that_fails_leaves_what_was_there(stores: Stores) -> None:
    asyncio.run(stores.fill([FLAG], [TENANT], []))

    async def fail() -> None:
        checked = write_documents(stores.folder, [FLAG], [TENANT], [])
        async with stores.connection() as connection:
            await connection.execute(
                "ALTER TABLE ff.tenant_override ADD CONSTRAINT never CHECK (false) NOT VALID"
            )
            try:
                with pytest.raises(asyncpg.CheckViolationError):
                    await seed(connection, checked, schema="ff")
            finally:
                await connection.execute("ALTER TABLE ff.tenant_override DROP CONSTRAINT never")

    asyncio.run(fail())
    found = stores.both("ff.x", "t", None)
    assert isinstance(found, Records)
    assert isinstance(found.tenant_override, Override)


def overwrite(stores: Stores, key: tuple[str, ...], value: object) -> None:
    async def main() -> None:
        async with stores.connection() as connection:
            await overwrite_in_tables(connection, "ff", key, value)

    overwrite_in_documents(stores.folder, key, value)
    asyncio.run(main())


def kinds(found: Records | Failed) -> list[str]:
    assert isinstance(found, Records)
    parts = (found.flag, found.tenant_override, found.user_override)
    return [type(part).__name__ for part in parts]


def test_a_corrupt_flag_is_corrupt_in_both_stores_and_no_other_is(stores: Stores) -> None:
    asyncio.run(stores.fill([FLAG, {**FLAG, "flag_key": "ff.y"}], [TENANT], []))
    overwrite(stores, ("ff.x",), "no object")
    for found in asyncio.run(stores.read("ff.x", "t", None)):
        assert kinds(found) == ["Corrupt", "Override", "NoneType"]
    for found in asyncio.run(stores.read("ff.y", "t", None)):
        assert kinds(found) == ["Flag", "NoneType", "NoneType"]


@pytest.mark.parametrize("key", [("ff.x", "t"), ("ff.x", "t", "u")])
def test_an_override_of_a_wrong_type_denies_on_both_and_only_its_own_caller(
    stores: Stores, key: tuple[str, ...]
) -> None:
    asyncio.run(stores.fill([FLAG], [TENANT], [USER, {**USER, "tenant_id": "other"}]))
    overwrite(stores, key, 17)
    for tenant, reason in (("t", "record_invalid"), ("other", "user_override")):
        # A corrupt tenant override is never read where the user's own decides.
        user = "u" if len(key) == 3 or tenant == "other" else None
        caller = Identity(AuthMode.VERIFIED, tenant, user)
        for records in asyncio.run(stores.read("ff.x", tenant, user)):
            decision = decide(Facts(Request("ff.x"), NOW, caller, records), "db", 0)
            assert decision.reason == reason


def test_a_sound_value_written_past_the_checks_is_served_alike(stores: Stores) -> None:
    asyncio.run(stores.fill([FLAG], [], []))
    overwrite(stores, ("ff.x",), {"now": 1.0})
    found = stores.both("ff.x", None, None)
    assert isinstance(found, Records)
    assert isinstance(found.flag, Flag)
    assert found.flag.default_value == {"now": 1.0}


@pytest.mark.parametrize("key", [("ff.y",), ("ff.x", "y"), ("ff.x", "t", "y")])
def test_a_record_that_is_not_there_cannot_be_overwritten(
    stores: Stores, key: tuple[str, ...]
) -> None:
    asyncio.run(stores.fill([FLAG], [TENANT], [USER]))

    async def tables() -> None:
        async with stores.connection() as connection:
            await overwrite_in_tables(connection, "ff", key, 1)

    with pytest.raises(LookupError):
        overwrite_in_documents(stores.folder, key, 1)
    with pytest.raises(LookupError):
        asyncio.run(tables())


def test_both_stores_can_be_made_unavailable_and_available_again(stores: Stores) -> None:
    async def tables(change: Any) -> None:
        async with stores.connection() as connection:
            await change(connection, schema="ff")

    asyncio.run(stores.fill([FLAG], [TENANT], []))
    remove_documents(stores.folder)
    asyncio.run(tables(hide_tables))
    assert stores.both("ff.x", "t", None) == Failed(FailSafe.BACKING_UNAVAILABLE)
    asyncio.run(tables(restore_tables))
    asyncio.run(tables(restore_tables))  # nothing is hidden any more
    asyncio.run(stores.fill([FLAG], [TENANT], []))
    assert kinds(stores.both("ff.x", "t", None)) == ["Flag", "Override", "NoneType"]


@pytest.mark.parametrize(
    "change",
    [
        """UPDATE ff.flag_registry SET default_value = '{"a": 1, "a": 2}'""",
        """UPDATE ff.flag_registry SET safe_value = '{"a": 1e999}'""",
        """UPDATE ff.flag_registry SET rollout = '{"percentage": 101, "value": {}}'""",
        """UPDATE ff.flag_registry SET off_value = '{"a": "\\u0000"}'""",
        """UPDATE ff.flag_registry SET value_type = 'bool'""",
        """UPDATE ff.flag_registry SET sensitive = true""",  # the content hash tells
        """UPDATE ff.flag_registry SET flag_version = 'x'""",
    ],
)
def test_a_flag_changed_past_the_checks_is_corrupt(stores: Stores, change: str) -> None:
    async def main() -> None:
        async with stores.connection() as connection:
            await connection.execute(change)

    asyncio.run(stores.fill([FLAG], [TENANT], []))
    asyncio.run(main())
    _, found = asyncio.run(stores.read("ff.x", "t", None))
    assert kinds(found) == ["Corrupt", "Override", "NoneType"]


def test_an_override_whose_json_is_refused_is_corrupt_alone(stores: Stores) -> None:
    async def main() -> None:
        async with stores.connection() as connection:
            await connection.execute("""UPDATE ff.user_override SET value = '{"a": 1, "a": 2}'""")

    asyncio.run(stores.fill([FLAG], [TENANT], [USER]))
    asyncio.run(main())
    _, found = asyncio.run(stores.read("ff.x", "t", "u"))
    assert kinds(found) == ["Flag", "Override", "Corrupt"]
    assert isinstance(found, Records)
    assert isinstance(found.user_override, Corrupt)
    assert "twice" in found.user_override.problem
