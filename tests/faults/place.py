"""A running service over one store, and everything of it that can be broken."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
from tests.faults.cluster import Cluster
from tests.faults.peers import Peer
from tests.faults.world import APPROVAL, ASKS, FLAGS, NOW, TENANT, TENANTS, USER, USERS, Ask

from pytest_ffparity.approvals.client import AdminClient
from pytest_ffparity.approvals.settings import ApprovalSettings
from pytest_ffparity.auth.authenticator import TokenAuthenticator
from pytest_ffparity.auth.settings import AuthSettings
from pytest_ffparity.backing.documents import OVERRIDES, REGISTRY, write_documents
from pytest_ffparity.backing.file import FileBacking
from pytest_ffparity.backing.postgres import PostgresBacking
from pytest_ffparity.evaluator.evaluator import Evaluator
from pytest_ffparity.evaluator.model import Decision, Request
from pytest_ffparity.paths.keys import ISSUER, KeyRing

KEYS: Final = KeyRing()


class Options(msgspec.Struct, frozen=True):
    """How a service is set up.

    Attributes:
        path: `file` or `db`.
        query_timeout: Seconds for one read of the db.
        dev: Whether the dev fallback is on.
        breaker: Failures that open the breaker; it then is open for 0.3 s.
        bound: Seconds within which every answer has to be there.
        own_database: Whether the db path has a database that nobody else uses.
    """

    path: str
    query_timeout: float
    dev: bool
    breaker: int
    bound: float
    own_database: bool


class Answer(msgspec.Struct, frozen=True):
    """What one caller got, all but the latency, and how many ms it took."""

    ask: Ask
    decision: dict[str, Any]
    took: float


class Place:
    """A world, its servers and the service in it."""

    def __init__(self, options: Options, cluster: Cluster, folder: Path, database: str) -> None:
        self.options = options
        self.cluster = cluster
        self.folder = folder
        self.database = database
        self.admin = Peer(APPROVAL)
        self.jwks = Peer(KEYS.jwks(["k1"]))
        self.passed = 0.0
        self._backing: FileBacking | PostgresBacking | None = None
        self._parts: tuple[TokenAuthenticator, AdminClient] | None = None
        claims = {"sub": USER, "tenant_id": TENANT}
        self._headers = (("Authorization", f"Bearer {KEYS.mint({'claims': claims}, NOW)}"),)

    @classmethod
    @asynccontextmanager
    async def opened(cls, options: Options, cluster: Cluster) -> AsyncIterator[Place]:
        """Make a sound world; the service is not started yet."""
        own = options.path == "db" and options.own_database
        database = await cluster.new_database() if own else cluster.shared
        # A folder that every account may enter: who may read a file is a fault's own affair.
        folder = Path(tempfile.mkdtemp(prefix="ffparity-faults-"))
        folder.chmod(0o755)
        write_documents(folder, FLAGS, TENANTS, USERS)
        place = cls(options, cluster, folder, database)
        await place.admin.start()
        await place.jwks.start()
        try:
            yield place
        finally:
            await place.stop()
            await place.admin.stop()
            await place.jwks.stop()
            if own:
                await cluster.drop(database)
            shutil.rmtree(folder)

    @property
    def registry(self) -> Path:
        return self.folder / REGISTRY

    @property
    def overrides(self) -> Path:
        return self.folder / OVERRIDES

    @property
    def alarmed(self) -> bool:
        """Whether the store's health tells of something wrong."""
        if isinstance(self._backing, PostgresBacking):
            return self._backing.health.up is False
        return bool(self._backing is not None and self._backing.alarms)

    async def start(self) -> None:
        """Start the service, whether or not its parts are there."""
        options = self.options
        if options.path == "file":
            self._backing = FileBacking(self.registry, self.overrides)
        else:
            self._backing = PostgresBacking(
                self.cluster.service(self.database), query_timeout=options.query_timeout
            )
            await self._backing.open(required=False)
        authenticator = TokenAuthenticator(
            AuthSettings(
                issuers={ISSUER: f"{self.jwks.url}/jwks.json"}, allow_dev_headers=options.dev
            ),
            clock=lambda: NOW,
            monotonic=lambda: time.monotonic() + self.passed,
        )
        approvals = AdminClient(
            ApprovalSettings(
                admin_url=self.admin.url,
                cache_seconds=0,
                failures_to_open=options.breaker,
                open_seconds=0.3,
            )
        )
        self._parts = (authenticator, approvals)
        self._evaluator = Evaluator(self._backing, authenticator, approvals, clock=lambda: NOW)

    async def stop(self) -> None:
        if self._parts is not None:
            for part in self._parts:
                await part.aclose()
        if isinstance(self._backing, PostgresBacking):
            await self._backing.aclose()

    async def ask_all(self) -> list[Answer]:
        """Ask everything at once; an answer that does not come in time is an error."""
        async with asyncio.timeout(self.options.bound):
            return list(await asyncio.gather(*map(self.answer, ASKS)))

    async def execute(self, *statements: str) -> None:
        """Run statements in the service's database, as the superuser."""
        await self.cluster.execute(self.database, *statements)

    async def cut(self) -> None:
        await self.cluster.cut(self.database)

    async def answer(self, ask: Ask) -> Answer:
        request = Request(ask.flag_key, approval_ref=ask.approval_ref)
        started = time.perf_counter()
        decision = (await self.evaluate(request)).to_dict()
        took = (time.perf_counter() - started) * 1000
        del decision["meta"]["latency_ms"]
        return Answer(ask, decision, took)

    async def evaluate(self, request: Request) -> Decision:
        """Ask the service, with the caller's token."""
        return await self._evaluator.evaluate(
            Request(request.flag_key, self._headers, request.approval_ref)
        )
