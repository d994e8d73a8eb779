"""Sequences of writes on both stores, each read back through both evaluators; and stores at fault.

The decisions are compared under the parity matrix, and the trails under its rows for the audit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_ffparity.approvals.client import AdminClient
from pytest_ffparity.approvals.settings import ApprovalSettings
from pytest_ffparity.auth.authenticator import TokenAuthenticator
from pytest_ffparity.auth.settings import AuthSettings
from pytest_ffparity.backing.checked import check_world
from pytest_ffparity.backing.documents import OVERRIDES, REGISTRY, write_documents
from pytest_ffparity.backing.dsn import connect
from pytest_ffparity.backing.file import FileBacking
from pytest_ffparity.backing.file_writer import FileWriter
from pytest_ffparity.backing.naming import in_schema
from pytest_ffparity.backing.postgres import PostgresBacking
from pytest_ffparity.backing.postgres_trail import read_trail
from pytest_ffparity.backing.postgres_writer import PostgresWriter
from pytest_ffparity.backing.seed import seed as seed_tables
from pytest_ffparity.backing.workspace import Workspace
from pytest_ffparity.evaluator.evaluator import Evaluator
from pytest_ffparity.evaluator.model import Request
from pytest_ffparity.parity.compare import compare
from pytest_ffparity.parity.matrix import ParityMatrix
from pytest_ffparity.paths.hostile import texts
from pytest_ffparity.paths.hostile.draws import Draws
from pytest_ffparity.paths.hostile.ledger import Ledger
from pytest_ffparity.paths.hostile.writes import Writing
from pytest_ffparity.paths.world import read_world
from pytest_ffparity.paths.writes import make_writes
from pytest_ffparity.vectors.matrix_reader import read_matrix

MATRIX = read_matrix(Path(__file__).parents[2] / "vectors" / "cutover_parity_matrix.json")
DECISIONS = ParityMatrix(MATRIX.rows)
AUDIT = ParityMatrix(MATRIX.rows, document="audit")
START = datetime(2026, 10, 25, 0, 59, 59, 999_999, tzinfo=UTC)
EMPTY: dict[str, Any] = {"flags": [], "tenant_overrides": [], "user_overrides": []}
# Nobody is asked: the callers have plain headers, and those may pass no sensitive flag.
ENV = {
    "FF_JWT_ISSUER": "https://issuer.example",
    "FF_JWKS_URL": "http://127.0.0.1:9/jwks",
    "FF_ADMIN_URL": "http://127.0.0.1:9",
    "FF_ALLOW_DEV_HEADERS": "true",
}


class Pair:
    """Both stores, with a writer and an evaluator each, and the one clock."""

    def __init__(self, folder: Path, workspace: Workspace, connection: Any, loop: Any) -> None:
        self.now = START
        self.loop = loop
        self._folder, self._workspace, self._connection = folder, workspace, connection
        paths = folder / REGISTRY, folder / OVERRIDES
        self._db = PostgresBacking(workspace.dsn, schema=workspace.schema)
        self._file_writer = FileWriter(*paths)
        self._db_writer = PostgresWriter(workspace.dsn, schema=workspace.schema)
        self._stores: dict[str, Any] = {
            "file": (self._file_writer, FileBacking(*paths)),
            "db": (self._db_writer, self._db),
        }

    async def open(self) -> None:
        await self._db.open()
        self._evaluators = {
            name: Evaluator(
                backing,
                TokenAuthenticator(AuthSettings.from_env(ENV), clock=lambda: self.now),
                AdminClient(ApprovalSettings.from_env(ENV)),
                clock=lambda: self.now,
            )
            for name, (_, backing) in self._stores.items()
        }

    async def aclose(self) -> None:
        await self._db_writer.aclose()
        await self._db.aclose()
        await self._connection.close()

    async def differences(self, number: int, steps: int) -> list[Any]:
        """Empty both stores, write and read, and give the first differences that show."""
        write_documents(self._folder, [], [], [])
        await seed_tables(self._connection, check_world([], [], []), schema=self._workspace.schema)
        self.now = START
        draws = Draws(number)
        ledger = Ledger(EMPTY)
        tenants = texts.family(draws, texts.TENANTS, 2)
        callers = [(t, u) for t in tenants for u in texts.family(draws, texts.USERS, 2)]
        for _ in range(steps):
            if draws.chance(25):
                self.now += draws.one_of((timedelta(microseconds=1), timedelta(hours=23)))
            write = Writing(draws, ledger, self.now, callers).next()
            found = await self._written(write) or await self._read(draws, ledger, write, callers)
            if found:
                return found
        return await self._trails()

    async def _written(self, write: dict[str, Any]) -> list[Any]:
        made = read_world({"now": "2026-01-01T00:00:00Z", "flags": [], "writes": [write]}).writes
        ends = [
            await make_writes(made, writer=writer, backing=backing, at=self.now)
            for writer, backing in self._stores.values()
        ]
        return [] if ends[0] == ends[1] else [ends]

    async def _read(
        self, draws: Draws, ledger: Ledger, write: dict[str, Any], callers: list[tuple[str, str]]
    ) -> list[Any]:
        others = draws.some([*ledger.records, *ledger.gone], 3)
        for key in (write["flag_key"], *(ids[0] for ids in others)):
            tenant, user = draws.one_of(callers)
            if draws.chance(50):
                tenant, user = write.get("tenant_id", tenant), write.get("user_id", user)
            request = Request(key, (("X-FF-Tenant", tenant), ("X-FF-User", user)))
            answers = {
                name: (await evaluator.evaluate(request)).to_dict()
                for name, evaluator in self._evaluators.items()
            }
            found = compare(None, answers, DECISIONS)
            if found:
                return found
        return []

    async def _trails(self) -> list[Any]:
        file = await self._file_writer.trail()
        db = await read_trail(self._connection, self._workspace.schema)
        if len(file) != len(db):
            return [(len(file), len(db))]
        pairs = zip(file, db, strict=True)
        return [d for one, other in pairs for d in compare(None, {"file": one, "db": other}, AUDIT)]


@pytest.fixture
def pair(tmp_path: Path, own_workspace: Workspace) -> Iterator[Pair]:
    with ExitStack() as stack:
        loop = stack.enter_context(asyncio.Runner())
        connection = loop.run(connect(own_workspace.dsn))
        made = Pair(tmp_path, own_workspace, connection, loop)
        loop.run(made.open())
        stack.callback(lambda: loop.run(made.aclose()))
        yield made


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(number=st.integers(0, 2**32), steps=st.integers(1, 20))
def test_any_writes_leave_both_stores_saying_the_same(pair: Pair, number: int, steps: int) -> None:
    assert pair.loop.run(pair.differences(number, steps)) == []


def trigger(table: str, when: str, change: str) -> str:
    return f"""
    CREATE FUNCTION {{ff}}.spoil_{table}() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN {change}; RETURN NEW; END $$;
    CREATE TRIGGER spoil BEFORE {when} ON {{ff}}.{table}
    FOR EACH ROW EXECUTE FUNCTION {{ff}}.spoil_{table}();
    """


FAULTS = {
    "a delete forgets the overrides": """
        ALTER TABLE {ff}.tenant_override DROP CONSTRAINT tenant_override_flag_key_fkey;
        ALTER TABLE {ff}.user_override DROP CONSTRAINT user_override_flag_key_fkey;
    """,
    "a change keeps the old version": trigger(
        "flag_registry", "UPDATE", "NEW.version := OLD.version"
    ),
    "a record is made anew with a version that somebody remembers": trigger(
        "tenant_override", "INSERT", "NEW.version := 1"
    ),
    "a change keeps the old flag_version": trigger(
        "flag_registry", "UPDATE", "NEW.flag_version := OLD.flag_version"
    ),
    "an expiry is cut to milliseconds": trigger(
        "user_override",
        "INSERT OR UPDATE",
        "NEW.expires_at := date_trunc('milliseconds', NEW.expires_at)",
    ),
    "the trail is dated by the second": trigger(
        "audit", "INSERT", "NEW.recorded_at := date_trunc('second', NEW.recorded_at)"
    ),
}


@pytest.mark.parametrize("fault", list(FAULTS))
def test_a_store_at_fault_is_found(pair: Pair, fault: str) -> None:
    async def spoil() -> None:
        connection = await asyncpg.connect(pair._workspace.dsn)
        await connection.execute(in_schema(FAULTS[fault], pair._workspace.schema))
        await connection.close()

    pair.loop.run(spoil())
    found = (pair.loop.run(pair.differences(number, 20)) for number in range(40))
    assert any(found)
