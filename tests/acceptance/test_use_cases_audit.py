"""The use case UC-B4-15: every mutation leaves an envelope, on both stores and at Admin."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pytest_ffparity.audit.chain import verify
from pytest_ffparity.audit.delivery import Delivery, SinkSettings
from pytest_ffparity.audit.envelope import Target
from pytest_ffparity.backing.changes import Change
from pytest_ffparity.backing.documents import OVERRIDES, REGISTRY, write_documents
from pytest_ffparity.backing.dsn import connect
from pytest_ffparity.backing.embedded import EmbeddedPostgres
from pytest_ffparity.backing.file_writer import FileWriter
from pytest_ffparity.backing.postgres_trail import PostgresOutbox, read_trail
from pytest_ffparity.backing.postgres_writer import PostgresWriter
from pytest_ffparity.backing.workspace import Workspace
from pytest_ffparity.evaluator.model import Identity
from pytest_ffparity.evaluator.names import AuthMode
from pytest_ffparity.parity.compare import compare
from pytest_ffparity.parity.matrix import ParityMatrix
from pytest_ffparity.paths.http_server import JSONServer
from pytest_ffparity.vectors.matrix_reader import read_matrix

VECTORS = Path(__file__).resolve().parents[2] / "vectors"
NOW = datetime(2026, 4, 19, tzinfo=UTC)
OPERATOR = Identity(AuthMode.VERIFIED, "T-ops", "U-ops")


class Sink(JSONServer):
    """Admin's sink: takes every envelope, and remembers it."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        super().__init__()

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        assert (method, path) == ("POST", "/v1/admin.audit")
        self.taken.append(json.loads(body))
        return 202, {}


@pytest.fixture
def sink() -> Iterator[Sink]:
    server = Sink()
    yield server
    server.close()


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    server = EmbeddedPostgres()
    try:
        opened = Workspace.open(server.start().dsn, "usecase")
        yield opened
        opened.close()
    finally:
        server.stop()


FLAG = {"value_type": "string", "default_value": "a", "safe_value": "s"}
KEY = ("ff.audited",)
# Every action on every kind of record: what is written, and the version that it replaces.
MUTATIONS: list[tuple[Target, Any, int | None]] = [
    (Target("flag", KEY), FLAG, None),
    (Target("flag", KEY), {**FLAG, "default_value": "b"}, 1),
    (Target("tenant_override", (*KEY, "T")), {"value": "t"}, None),
    (Target("tenant_override", (*KEY, "T")), {"value": "t2", "expires_at": None}, 3),
    (Target("user_override", (*KEY, "T", "U")), {"value": "u"}, None),
    (
        Target("user_override", (*KEY, "T", "U")),
        {"value": "u2", "expires_at": "2026-05-01T00:00:00+02:00"},
        5,
    ),
    (Target("user_override", (*KEY, "T", "U")), None, 6),
    (Target("tenant_override", (*KEY, "T")), None, 4),
    (Target("tenant_override", (*KEY, "T")), {"value": "t3"}, None),
    (Target("flag", KEY), None, 2),
]


TABLES = {
    "flag": "flag_registry",
    "tenant_override": "tenant_override",
    "user_override": "user_override",
}


async def transactions(connection: Any, schema: str, target: Target) -> list[str]:
    """Give the transactions that wrote the last envelope and the record; a deleted one has none."""
    ids = zip(("flag_key", "tenant_id", "user_id"), target.ids, strict=False)
    where = " AND ".join(f"{name} = '{value}'" for name, value in ids)
    rows = await connection.fetch(
        f'SELECT xmin::text FROM (SELECT xmin FROM "{schema}".audit ORDER BY id DESC LIMIT 1) AS a '  # noqa: S608 - the ids of MUTATIONS
        f'UNION ALL SELECT xmin::text FROM "{schema}".{TABLES[target.kind]} WHERE {where}'
    )
    return [row["xmin"] for row in rows]


def test_UC_B4_15_every_mutation_emits_an_admin_audit_envelope(
    workspace: Workspace, sink: Sink, tmp_path: Path
) -> None:
    rows = read_matrix(VECTORS / "cutover_parity_matrix.json").rows
    matrix = ParityMatrix(rows, document="audit")
    write_documents(tmp_path, [], [], [])
    file = FileWriter(tmp_path / REGISTRY, tmp_path / OVERRIDES)
    db = PostgresWriter(workspace.dsn, schema=workspace.schema)

    async def main() -> None:
        table = PostgresOutbox(workspace.dsn, schema=workspace.schema)
        connection = await connect(workspace.dsn)
        for number, (target, record, expects) in enumerate(MUTATIONS, start=1):
            change = Change(target=target, record=record, expects=expects)
            await file.write(change, actor=OPERATOR, at=NOW)
            await db.write(change, actor=OPERATOR, at=NOW)
            wrote = await transactions(connection, workspace.schema, target)
            assert len(wrote) == (1 if record is None else 2)
            assert len(set(wrote)) == 1
            trails = (await file.trail(), await read_trail(connection, workspace.schema))
            assert [len(trail) for trail in trails] == [number, number]
            last = {"file": trails[0][-1], "db": trails[1][-1]}
            assert {doc["kind"] for doc in last.values()} == {"admin.audit"}
            assert {doc["topic"] for doc in last.values()} == {"ptt.audit.trail"}
            assert {doc["sink_status"] for doc in last.values()} == {"pending"}
            # What one store says is what the other has to say, under the rows PV-07.
            assert compare({**last["file"]}, last, matrix) == []
        actions = [doc["envelope"]["action"] for doc in trails[0]]
        assert actions == [
            *("create", "change", "create", "change", "create", "change"),
            *("delete", "delete", "create", "delete"),
        ]
        assert verify(trails[0]) == verify(trails[1]) == []
        for outbox in (file, table):
            delivery = Delivery(outbox, SinkSettings(admin_url=sink.url))
            assert await delivery.drain()
            await delivery.aclose()
            assert (await outbox.backlog()).depth == 0
        trails = (await file.trail(), await read_trail(connection, workspace.schema))
        assert {doc["sink_status"] for trail in trails for doc in trail} == {"delivered"}
        await connection.close()
        await table.aclose()
        await db.aclose()

    asyncio.run(main())
    seqs = [taken["envelope"]["seq"] for taken in sink.taken]
    assert seqs == [*range(1, 11), *range(1, 11)]
    assert sink.taken[:10] == sink.taken[10:]
