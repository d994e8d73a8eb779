"""Puts the built-in paths together: an evaluator over each store, in a world of its own servers."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pytest_ffparity.approvals.client import AdminClient
from pytest_ffparity.approvals.settings import ApprovalSettings
from pytest_ffparity.auth.authenticator import TokenAuthenticator
from pytest_ffparity.auth.jwks import Held
from pytest_ffparity.auth.settings import AuthSettings
from pytest_ffparity.evaluator.evaluator import Evaluator
from pytest_ffparity.evaluator.model import Decision
from pytest_ffparity.evaluator.protocols import Backing
from pytest_ffparity.paths.keys import ISSUER, KeyRing
from pytest_ffparity.paths.servers import WorldServers
from pytest_ffparity.paths.stores import FileStore, PostgresStore
from pytest_ffparity.paths.world import World, read_request, read_world

T = TypeVar("T")
Run = Callable[[Coroutine[Any, Any, T]], T]


class Store(Protocol):
    """Where a path keeps its flags, and how a world gets there."""

    info: dict[str, str]
    outcomes: list[dict[str, Any]]

    async def load(self, world: World) -> Backing:
        """Replace everything that is stored by the world's records, and make its writes."""
        ...

    async def close(self) -> None:
        """Give up connections; what was made for the run goes with its owner."""
        ...


class BuiltinPath:
    """The embedded evaluator over one store.

    `store` is for conftests that look behind a path: `folder` of the file path's documents, `dsn`
    and `schema` of the db path's tables.
    """

    def __init__(self, name: str, store: Store, keys: KeyRing) -> None:
        self.name = name
        self.info = store.info
        self.store = store
        self._keys = keys
        self._parts: _Parts | None = None

    @property
    def outcomes(self) -> list[dict[str, Any]]:
        """What each write of the world came to, see `make_writes`; the paths have to agree on it."""
        return self.store.outcomes

    async def prepare(self, world: Any) -> None:
        """Start afresh in a world: new records, servers, key set, caches and breaker.

        Raises:
            ShapeError: The world is none for a built-in path.
            RecordError: A record of it may not be written.
            WriteOutcomeError: A write of it comes to something else than it says.
        """
        await self._end()
        whole = read_world(world)
        backing = await self.store.load(whole)
        self._parts = _Parts(whole, backing, self._keys)

    async def evaluate(self, request: Any) -> Decision:
        """Decide one request.

        Raises:
            ShapeError: The request is none for a built-in path.
            RuntimeError: The path was never prepared.
        """
        if self._parts is None:
            raise RuntimeError(f"the path {self.name!r} has no world yet: prepare(world) it first")
        return await self._parts.evaluator.evaluate(read_request(request))

    async def close(self) -> None:
        """End the world and give up connections; may be called twice."""
        await self._end()
        await self.store.close()

    async def _end(self) -> None:
        if self._parts is not None:
            parts, self._parts = self._parts, None
            await parts.close()


class _Parts:
    """What one path owns in one world."""

    def __init__(self, world: World, backing: Backing, keys: KeyRing) -> None:
        jwks = world.jwks
        self._servers = WorldServers(
            jwks=keys.jwks(jwks.published) if jwks.reachable else None,
            approvals=world.approvals if world.admin.reachable else None,
        )
        env = {
            "FF_JWT_ISSUER": ISSUER,
            **world.environment,
            "FF_JWKS_URL": self._servers.jwks_url,
            "FF_ADMIN_URL": self._servers.admin_url,
        }
        now = world.instant
        held = None
        if jwks.held is not None:
            held = Held(keys.jwks(jwks.held), jwks.fetched_seconds_ago or 0.0)
        self._authenticator = TokenAuthenticator(
            AuthSettings.from_env(env),
            clock=lambda: now,
            # The set's age is what the world says, however long the machine takes over it.
            monotonic=lambda: 0.0,
            held=held,
        )
        self._approvals = AdminClient(ApprovalSettings.from_env(env))
        self.evaluator = Evaluator(backing, self._authenticator, self._approvals, clock=lambda: now)

    async def close(self) -> None:
        await self._authenticator.aclose()
        await self._approvals.aclose()
        self._servers.close()


@contextmanager
def builtin_paths(
    *, folder: Path, dsn: str | None, keys: KeyRing, run: Run[Any]
) -> Iterator[list[BuiltinPath]]:
    """Give the paths `file` and `db`, and put everything away that was made for them.

    Args:
        folder: An empty folder for the file path's documents.
        dsn: A PostgreSQL server to work on, in a database of its own; None starts one.
        keys: The keys of the run.
        run: Runs a coroutine in the run's event loop.

    Raises:
        DatabaseUnreachableError: The server can't be used; says what to do.
    """
    with ExitStack() as stack:
        postgres = stack.enter_context(PostgresStore.opened(dsn, uuid.uuid4().hex[:12]))
        paths = [
            BuiltinPath("file", FileStore(folder), keys),
            BuiltinPath("db", postgres, keys),
        ]
        stack.callback(lambda: [run(path.close()) for path in paths])
        yield paths
