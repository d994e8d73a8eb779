"""A real PostgreSQL server that can be killed, stopped, and started again on the same folder."""

from __future__ import annotations

import itertools
import os
import shlex
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlsplit

import asyncpg
import psutil
from tests.faults.world import FLAGS, TENANTS, USERS

from pytest_ffparity.backing import blocking
from pytest_ffparity.backing.binaries import account
from pytest_ffparity.backing.checked import check_world
from pytest_ffparity.backing.dsn import connect, with_database
from pytest_ffparity.backing.embedded import EmbeddedPostgres
from pytest_ffparity.backing.seed import seed
from pytest_ffparity.backing.workspace import Workspace

SERVICE: Final = "service"
PASSWORD: Final = "first"  # noqa: S105 - of a role of this server
SLOTS: Final = 24
_PATIENT: Final = 60.0


class Cluster:
    """One server, and a sound database on it for every fault.

    The service logs in with a password, as a role that is no superuser: so it meets limits as any
    service does.
    """

    def __init__(self) -> None:
        self._manager = EmbeddedPostgres()
        self.dsn = self._manager.start().dsn
        self.folder = Path(parse_qs(urlsplit(self.dsn).query)["host"][0])
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count(1)
        self.shared = "ffparity_shared"
        try:
            self._template = Workspace.open(self.dsn, "faults")
            blocking.run(self._set_up())
            self.shut_down()  # what was set up is not to be lost
            self.start()
        except BaseException:
            self.stop()
            raise

    @property
    def socket(self) -> Path:
        return self.folder / ".s.PGSQL.5432"

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(_PATIENT)
        self._manager.stop()

    def processes(self) -> list[psutil.Process]:
        """Give the server's processes, the first of them first."""
        pid = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        first = psutil.Process(pid)
        return [first, *first.children(recursive=True)]

    def signal(self, which: signal.Signals, *, only_first: bool = False) -> None:
        for process in self.processes()[: 1 if only_first else None]:
            process.send_signal(which)

    def kill(self) -> None:
        """Kill the whole server at one blow, and wait until nothing is left of it."""
        processes = self.processes()
        for process in processes:
            process.send_signal(signal.SIGKILL)
        self._gone(processes)

    def shut_down(self) -> None:
        """Ask for the fast shutdown: every session is ended by its server."""
        processes = self.processes()
        processes[0].send_signal(signal.SIGINT)
        self._gone(processes)

    def start(self) -> None:
        """Start it as it was started before, and wait until it takes connections."""
        command = shlex.split((self.folder / "data" / "postmaster.opts").read_text())
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                start_new_session=True,
                **account().switch,
            )
        end = time.monotonic() + _PATIENT
        while not self._ready(self._process.pid):
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError((self.folder / "log").read_text()[-2000:])
            time.sleep(0.002)

    def superuser(self, database: str) -> str:
        return with_database(self.dsn, database)

    def service(self, database: str) -> str:
        host = quote(str(self.folder), safe="")
        return f"postgresql://{SERVICE}:{PASSWORD}@/{database}?host={host}"

    async def new_database(self) -> str:
        name = f"fault_{next(self._numbers)}"
        await self.execute("postgres", f"CREATE DATABASE {name} TEMPLATE ffparity_faults")
        return name

    async def drop(self, database: str) -> None:
        await self.execute("postgres", f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    async def execute(self, database: str, *statements: str) -> None:
        """Run statements as the superuser, on a connection of their own."""
        connection = await connect(self.superuser(database))
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    async def fetchval(self, statement: str, *values: Any) -> Any:
        connection = await connect(self.dsn)
        try:
            return await connection.fetchval(statement, *values)
        finally:
            await connection.close()

    async def cut(self, database: str) -> None:
        """End every session of a database, as an operator would."""
        connection: asyncpg.Connection[asyncpg.Record] = await connect(self.dsn)
        try:
            ending = (
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = $1"
            )
            await connection.fetch(ending, database)
        finally:
            await connection.close()

    async def _set_up(self) -> None:
        connection = await connect(self._template.dsn)
        await seed(connection, check_world(FLAGS, TENANTS, USERS), schema="ff")
        for statement in (
            "ALTER SYSTEM SET scram_iterations = 1",
            "SET scram_iterations = 1",  # to log in is no matter of these tests
            f"CREATE ROLE {SERVICE} LOGIN PASSWORD '{PASSWORD}'",
            f"GRANT USAGE ON SCHEMA ff TO {SERVICE}",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ff TO {SERVICE}",
            f"ALTER SYSTEM SET max_connections = {SLOTS}",
        ):
            await connection.execute(statement)
        await connection.close()
        await self.execute("postgres", f"CREATE DATABASE {self.shared} TEMPLATE ffparity_faults")
        rules = self.folder / "data" / "pg_hba.conf"
        rules.write_text(f"local all {SERVICE} scram-sha-256\n{rules.read_text()}")

    def _ready(self, pid: int) -> bool:
        # What a killed server has left there says that it is ready, too.
        try:
            state = (self.folder / "data" / "postmaster.pid").read_text().split()
        except OSError:
            return False
        return bool(state) and (state[0], state[-1]) == (str(pid), "ready")

    def _gone(self, processes: list[psutil.Process]) -> None:
        if self._process is not None:
            self._process.wait(_PATIENT)
        _, alive = psutil.wait_procs(processes, timeout=_PATIENT)
        if alive:
            raise RuntimeError(f"still there: {alive}")
