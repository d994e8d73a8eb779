"""The same writes on both stores: the same answers, the same records, the same envelopes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_ffparity.audit.chain import verify, verify_records
from pytest_ffparity.audit.envelope import Target
from pytest_ffparity.backing.changes import Change, ConflictError
from pytest_ffparity.backing.checked import check_world
from pytest_ffparity.backing.documents import OVERRIDES, REGISTRY, load_documents, write_documents
from pytest_ffparity.backing.dsn import connect
from pytest_ffparity.backing.file_writer import FileWriter
from pytest_ffparity.backing.postgres_trail import read_trail
from pytest_ffparity.backing.postgres_writer import PostgresWriter
from pytest_ffparity.backing.seed import seed
from pytest_ffparity.backing.workspace import Workspace
from pytest_ffparity.evaluator.model import Identity
from pytest_ffparity.evaluator.names import AuthMode
from pytest_ffparity.evaluator.permits import NotVerifiedError
from pytest_ffparity.evaluator.records import RecordError, flag_record, override_record

NOW = datetime(2026, 4, 19, 12, 30, 0, 123456, tzinfo=UTC)
ACTOR = Identity(AuthMode.VERIFIED, "T-ops", "U-ops")
FLAG = {"value_type": "number", "default_value": 1.0, "safe_value": 0}
X = Target("flag", ("ff.x",))
X_TENANT = Target("tenant_override", ("ff.x", "T"))
X_USER = Target("user_override", ("ff.x", "T", "U"))

Steps = Callable[["Stores"], Awaitable[None]]


class Stores:
    """Both stores, from the same seed; every write goes to both and has to end alike."""

    def __init__(self, folder: Path, workspace: Workspace) -> None:
        self.folder = folder
        self.workspace = workspace
        self.file = FileWriter(folder / REGISTRY, folder / OVERRIDES)
        self.db = PostgresWriter(workspace.dsn, schema=workspace.schema)

    async def seed(self, flags: Any = (), tenants: Any = (), users: Any = ()) -> None:
        write_documents(self.folder, flags, tenants, users)
        connection = await connect(self.workspace.dsn)
        checked = check_world(flags, tenants, users)
        await seed(connection, checked, schema=self.workspace.schema)
        await connection.close()

    async def write(
        self, target: Target, record: Any, expects: int | None = None, actor: Identity = ACTOR
    ) -> Any:
        """Give what both say: the version, or the kind of refusal."""
        ends: list[Any] = []
        for writer in (self.file, self.db):
            change = Change(target=target, record=record, expects=expects)
            try:
                written = await writer.write(change, actor=actor, at=NOW)
            except (ConflictError, RecordError, NotVerifiedError) as error:
                ends.append((type(error), str(error)))
            else:
                ends.append((written.version, {**written.document, "id": None}))
        assert ends[0] == ends[1]
        return ends[0][0]

    async def trails(self) -> list[dict[str, Any]]:
        """Give the trail, which is whole and the same in both."""
        connection = await connect(self.workspace.dsn)
        trails = [await self.file.trail(), await read_trail(connection, self.workspace.schema)]
        await connection.close()
        bare = [[{**one, "id": None} for one in trail] for trail in trails]
        assert bare[0] == bare[1]
        assert verify(trails[0]) == verify(trails[1]) == []
        checked = load_documents(self.folder / REGISTRY, self.folder / OVERRIDES)
        records = {Target("flag", (f.flag_key,)): flag_record(f) for f in checked.flags}
        for o in checked.tenant_overrides:
            records[Target("tenant_override", (o.flag_key, o.tenant_id))] = override_record(o)
        for o in checked.user_overrides:
            ids = (o.flag_key, o.tenant_id, str(o.user_id))
            records[Target("user_override", ids)] = override_record(o)
        assert verify_records(trails[0], records) == []
        return bare[0]


@pytest.fixture
def run(tmp_path: Path, workspace: Workspace) -> Callable[[Steps], None]:
    def steps_run(steps: Steps) -> None:
        async def main() -> None:
            stores = Stores(tmp_path, workspace)
            await stores.seed()
            try:
                await steps(stores)
            finally:
                await stores.db.aclose()

        asyncio.run(main())

    return steps_run


def test_each_write_counts_up_and_leaves_one_envelope(run: Any) -> None:
    async def steps(stores: Stores) -> None:
        assert await stores.write(X, FLAG) == 1
        assert await stores.write(X, {**FLAG, "default_value": 2}, 1) == 2
        assert await stores.write(X_TENANT, {"value": 3}) == 3
        assert await stores.write(X_USER, {"value": 4, "expires_at": "2026-05-01T02:00:00+02:00"})
        assert await stores.write(X_TENANT, None, 3) is None
        trail = await stores.trails()
        assert [one["envelope"]["action"] for one in trail] == [
            *("create", "change", "create", "create", "delete")
        ]
        assert {one["sink_status"] for one in trail} == {"pending"}
        assert {one["kind"] for one in trail} == {"admin.audit"}
        assert trail[1]["envelope"]["before"]["default_value"] == 1.0
        assert trail[1]["envelope"]["after"]["default_value"] == 2
        assert trail[0]["envelope"]["actor"] == {
            "tenant_id": "T-ops",
            "user_id": "U-ops",
            "auth_source": "jwt",
        }

    run(steps)


def test_a_stale_version_is_a_conflict_and_leaves_nothing(run: Any) -> None:
    async def steps(stores: Stores) -> None:
        assert await stores.write(X, None, 1) is ConflictError
        assert await stores.write(X, None, None) is ConflictError
        assert await stores.write(X, FLAG, 1) is ConflictError
        assert await stores.write(X, FLAG) == 1
        assert await stores.write(X, FLAG) is ConflictError
        assert await stores.write(X, FLAG, 2) is ConflictError
        assert await stores.write(X, None, 2) is ConflictError
        assert len(await stores.trails()) == 1

    run(steps)


def test_a_record_made_anew_has_a_version_that_nobody_remembers(run: Any) -> None:
    async def steps(stores: Stores) -> None:
        old = {"flag_key": "ff.x", **FLAG, "version": 7}
        await stores.seed([old], [{"flag_key": "ff.x", "tenant_id": "T", "value": 1, "version": 9}])
        assert await stores.write(X, None, 7) is None
        assert await stores.write(X, FLAG) == 10
        assert await stores.write(X_TENANT, {"value": 2}) == 11
        assert await stores.write(X_TENANT, {"value": 2}, 9) is ConflictError
        (deleted, *_) = await stores.trails()
        assert [one["tenant_id"] for one in deleted["envelope"]["cascade"]] == ["T"]

    run(steps)


@pytest.mark.parametrize(
    ("target", "record"),
    [
        (X, {**FLAG, "version": 3}),
        (X, {**FLAG, "flag_key": "ff.x"}),
        (X, {**FLAG, "default_value": "text"}),
        (X, {**FLAG, "unknown": 1}),
        (X, {**FLAG, "default_value": 2**63}),
        (X, []),
        (Target("flag", ("",)), FLAG),
        (Target("flag", ("x" * 201,)), FLAG),
        (X_TENANT, {"value": 1}),
        (Target("tenant_override", ("ff.there", "T")), {"value": "text"}),
        (Target("user_override", ("ff.there", "T", "\ud800")), {"value": 1}),
        (Target("flag", ("ff.there",)), {**FLAG, "value_type": "string"}),
    ],
)
def test_what_may_not_be_written_is_refused_alike(run: Any, target: Target, record: Any) -> None:
    async def steps(stores: Stores) -> None:
        assert await stores.write(Target("flag", ("ff.there",)), FLAG) == 1
        expects = 1 if target.ids == ("ff.there",) else None
        assert await stores.write(target, record, expects) is RecordError
        assert len(await stores.trails()) == 1

    run(steps)


@pytest.mark.parametrize("mode", [m for m in AuthMode if m is not AuthMode.VERIFIED])
def test_only_a_verified_caller_writes(run: Any, mode: AuthMode) -> None:
    async def steps(stores: Stores) -> None:
        actor = Identity(mode, "T", "U")
        assert await stores.write(X, FLAG, actor=actor) is NotVerifiedError
        assert await stores.trails() == []

    run(steps)


values: Any = st.sampled_from(
    [1, 1.0, -0.0, 1e22, 2**53 + 1, -(2**63), True, "", "é", "e\u0301", {}, None]
)
targets = st.sampled_from(
    [
        *(Target("flag", (key,)) for key in ("ff.x", "ff.X", "ff.x ")),
        *(Target("tenant_override", ("ff.x", tenant)) for tenant in ("T", "t")),
        *(Target("user_override", ("ff.x", "T", user)) for user in ("é", "e\u0301")),
    ]
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(targets, values, st.integers(0, 3)), max_size=12))
def test_any_sequence_of_writes_ends_alike(run: Any, writes: list[Any]) -> None:
    async def steps(stores: Stores) -> None:
        await stores.seed()
        known: dict[Target, int | None] = {}
        for target, value, how in writes:
            expects = known.get(target) if how else 2
            record: dict[str, Any] | None = {"value": value}
            if how == 1:
                record = None
            elif target.kind == "flag":
                kinds = {int: "number", float: "number", str: "string", bool: "bool"}
                kind = kinds.get(type(value), "object")
                record = {"value_type": kind, "default_value": value, "safe_value": value}
            end = await stores.write(target, record, expects)
            if end is None or isinstance(end, int):
                known[target] = end
                if end is None and target.ids == ("ff.x",):
                    known = {t: v for t, v in known.items() if t.ids[0] != "ff.x"}
        await stores.trails()

    run(steps)
