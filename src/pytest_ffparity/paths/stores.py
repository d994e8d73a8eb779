"""Where the built-in paths keep their flags, and how a world gets there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pytest_ffparity.backing import faults
from pytest_ffparity.backing.checked import check_world
from pytest_ffparity.backing.documents import OVERRIDES, REGISTRY, write_documents
from pytest_ffparity.backing.dsn import connect
from pytest_ffparity.backing.embedded import EmbeddedPostgres
from pytest_ffparity.backing.file import FileBacking
from pytest_ffparity.backing.file_writer import FileWriter
from pytest_ffparity.backing.postgres import PostgresBacking
from pytest_ffparity.backing.postgres_writer import PostgresWriter
from pytest_ffparity.backing.seed import seed
from pytest_ffparity.backing.workspace import Workspace
from pytest_ffparity.evaluator.protocols import Backing
from pytest_ffparity.paths.world import CorruptValue, World
from pytest_ffparity.paths.writes import make_writes

if TYPE_CHECKING:
    import asyncpg

MISSING: Final = "missing"


class FileStore:
    """The two documents in a folder of the run's own, `folder`."""

    def __init__(self, folder: Path) -> None:
        self.info = {"backing": "file"}
        self.folder = folder
        self.outcomes: list[dict[str, Any]] = []

    async def load(self, world: World) -> Backing:
        """Write the world's documents, make its writes, and give the backing over them."""
        write_documents(self.folder, world.flags, world.tenant_overrides, world.user_overrides)
        registry, overrides = self.folder / REGISTRY, self.folder / OVERRIDES
        backing = FileBacking(registry, overrides)
        self.outcomes = await make_writes(
            world.writes,
            writer=FileWriter(registry, overrides),
            backing=backing,
            at=world.instant,
        )
        for corrupt in world.corrupt:
            faults.overwrite_in_documents(self.folder, _key(corrupt), corrupt.value)
        if world.backing == MISSING:
            faults.remove_documents(self.folder)
            # What has read the documents before would go on with them.
            return FileBacking(registry, overrides)
        return backing

    async def close(self) -> None:
        """Nothing is open; the folder goes with its owner."""


class PostgresStore:
    """The tables in a place of the run's own: schema `schema` of the database at `dsn`."""

    def __init__(self, workspace: Workspace, *, embedded: bool) -> None:
        kind = "embedded" if embedded else "by DSN"
        self.info = {"backing": f"PostgreSQL {workspace.server_version} {kind}"}
        self.dsn = workspace.dsn
        self.schema = workspace.schema
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self.outcomes: list[dict[str, Any]] = []
        self._backing: PostgresBacking | None = None
        # It connects at its first write.
        self._writer = PostgresWriter(workspace.dsn, schema=workspace.schema)

    @classmethod
    @contextmanager
    def opened(cls, dsn: str | None, run: str) -> Iterator[PostgresStore]:
        """Make a place for a run, and drop it again; without a DSN on a server started for it.

        Raises:
            FFParityError: There is no server to be had; says what to do.
        """
        with ExitStack() as stack:
            if dsn is None:
                server = EmbeddedPostgres()
                stack.callback(server.stop)
            workspace = Workspace.open(server.start().dsn if dsn is None else dsn, run)
            stack.callback(workspace.close)
            yield cls(workspace, embedded=dsn is None)

    async def load(self, world: World) -> Backing:
        """Fill the tables with the world, make its writes, and give the backing over them."""
        checked = check_world(world.flags, world.tenant_overrides, world.user_overrides)
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect(self.dsn)
        await faults.restore_tables(self._connection, schema=self.schema)
        await seed(self._connection, checked, schema=self.schema)
        backing = await self._opened()
        self.outcomes = await make_writes(
            world.writes, writer=self._writer, backing=backing, at=world.instant
        )
        for corrupt in world.corrupt:
            await faults.overwrite_in_tables(
                self._connection, self.schema, _key(corrupt), corrupt.value
            )
        if world.backing == MISSING:
            await faults.hide_tables(self._connection, schema=self.schema)
        return backing

    async def close(self) -> None:
        """Close the connections."""
        await self._writer.aclose()
        if self._backing is not None:
            await self._backing.aclose()
            self._backing = None
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _opened(self) -> PostgresBacking:
        # The pool holds no decision and no record: it alone outlives a world.
        if self._backing is None:
            self._backing = PostgresBacking(self.dsn, schema=self.schema)
            await self._backing.open()
        return self._backing


def _key(corrupt: CorruptValue) -> tuple[str, ...]:
    ids = (corrupt.flag_key, corrupt.tenant_id, corrupt.user_id)
    return tuple(part for part in ids if part is not None)
