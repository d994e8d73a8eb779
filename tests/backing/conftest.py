"""One embedded server for all tests of the backing, and a workspace on it."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections.abc import Iterator

import asyncpg
import pytest

from pytest_ffparity.backing.checked import check_world
from pytest_ffparity.backing.embedded import EmbeddedPostgres, Server
from pytest_ffparity.backing.seed import seed
from pytest_ffparity.backing.workspace import Workspace

_RUNS = itertools.count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    manager = EmbeddedPostgres()
    yield manager.start()
    manager.stop()


@pytest.fixture
def run_name() -> str:
    return f"t{next(_RUNS)}"


@pytest.fixture(scope="session")
def shared_workspace(server: Server) -> Iterator[Workspace]:
    workspace = Workspace.open(server.dsn, "shared")
    yield workspace
    workspace.close()


@pytest.fixture
def workspace(shared_workspace: Workspace) -> Workspace:
    """The shared workspace, emptied."""

    async def empty() -> None:
        connection = await asyncpg.connect(shared_workspace.dsn)
        await seed(connection, check_world([], [], []), schema=shared_workspace.schema)
        await connection.close()

    asyncio.run(empty())
    return shared_workspace


@pytest.fixture
def own_workspace(server: Server, run_name: str) -> Iterator[Workspace]:
    """A workspace that a test may spoil."""
    workspace = Workspace.open(server.dsn, run_name)
    yield workspace
    workspace.close()


@pytest.fixture
def socket_folder() -> Iterator[str]:
    """A folder whose path is short enough for a unix socket."""
    with tempfile.TemporaryDirectory(prefix="ffp-") as folder:
        yield folder
