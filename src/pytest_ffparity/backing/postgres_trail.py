"""The trail in its table: the end of the chain, and the outbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pytest_ffparity.audit.envelope import DELIVERED, PENDING, Head, head_after
from pytest_ffparity.audit.outbox import Backlog
from pytest_ffparity.backing.checked import DOCUMENT_DEPTH, json_text
from pytest_ffparity.backing.naming import in_schema
from pytest_ffparity.evaluator.model import JSON
from pytest_ffparity.formats import instant
from pytest_ffparity.formats.strict_json import loads

if TYPE_CHECKING:
    import asyncpg

    from pytest_ffparity.backing.dsn import AnyConnection

# A record in an envelope in a document.
_DEPTH: Final = DOCUMENT_DEPTH + 4
_ROW: Final = "id, kind, topic, sink_status, envelope::text AS envelope, recorded_at"
_HEAD: Final = "SELECT envelope::text FROM {ff}.audit ORDER BY id DESC LIMIT 1"
_APPEND: Final = """
INSERT INTO {ff}.audit (kind, topic, sink_status, envelope, recorded_at)
VALUES ($1, $2, $3, $4::text::json, $5)
RETURNING id
"""
_ALL: Final = f"SELECT {_ROW} FROM {{ff}}.audit ORDER BY id"
_OLDEST: Final = (
    f"SELECT {_ROW} FROM {{ff}}.audit WHERE sink_status = '{PENDING}' ORDER BY id LIMIT $1"
)
_DELIVERED: Final = f"UPDATE {{ff}}.audit SET sink_status = '{DELIVERED}' WHERE id = $1"
_BACKLOG: Final = (
    f"SELECT count(*) AS depth, min(recorded_at) AS oldest FROM {{ff}}.audit "
    f"WHERE sink_status = '{PENDING}'"
)


async def read_head(connection: AnyConnection, schema: str) -> Head:
    """Give the end of the chain, inside a transaction that keeps other writers out."""
    text = await connection.fetchval(in_schema(_HEAD, schema))
    return Head() if text is None else head_after(loads(text, max_depth=_DEPTH))


async def append(connection: AnyConnection, schema: str, document: dict[str, JSON]) -> int:
    """Append an envelope, in the transaction of its write; gives the row's id."""
    number: int = await connection.fetchval(
        in_schema(_APPEND, schema),
        document["kind"],
        document["topic"],
        document["sink_status"],
        json_text(document["envelope"]),
        instant.parse(document["recorded_at"]),
    )
    return number


async def read_trail(connection: AnyConnection, schema: str) -> list[dict[str, JSON]]:
    """Give the whole trail in its order, for `audit.chain.verify`."""
    return [_document(row) for row in await connection.fetch(in_schema(_ALL, schema))]


class PostgresOutbox:
    """The envelopes in the table that wait for delivery.

    Args:
        connection: One that nobody else uses at the same time.
        schema: The schema of the tables.
    """

    def __init__(self, connection: AnyConnection, *, schema: str) -> None:
        self._connection = connection
        self._schema = schema

    async def pending(self, limit: int) -> list[dict[str, JSON]]:
        """Give the oldest documents that wait, in their order, so many at most."""
        rows = await self._connection.fetch(in_schema(_OLDEST, self._schema), limit)
        return [_document(row) for row in rows]

    async def delivered(self, document: dict[str, JSON]) -> None:
        """Note that the sink has taken the oldest of the waiting documents."""
        await self._connection.execute(in_schema(_DELIVERED, self._schema), document["id"])

    async def backlog(self) -> Backlog:
        """Tell how much waits."""
        row = await self._connection.fetchrow(in_schema(_BACKLOG, self._schema))
        return Backlog(row["depth"], row["oldest"]) if row is not None else Backlog(0, None)


def _document(row: asyncpg.Record) -> dict[str, Any]:
    return {
        **dict(row),
        "envelope": loads(row["envelope"], max_depth=_DEPTH),
        "recorded_at": instant.text(row["recorded_at"]),
    }
