"""What a read of the db backing costs beside a bare prepared fetchrow on the same server.

Run it with `python benchmarks/db_read.py`; it starts a server of its own and ends it. The ratios
carry over to other machines, the figures do not.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

import asyncpg

from pytest_ffparity.backing.checked import check_world
from pytest_ffparity.backing.dsn import connect
from pytest_ffparity.backing.embedded import EmbeddedPostgres
from pytest_ffparity.backing.postgres import PostgresBacking
from pytest_ffparity.backing.seed import seed
from pytest_ffparity.backing.workspace import Workspace
from pytest_ffparity.parity.percentiles import Latency, latency

FLAGS: Final = 100
CALLS: Final = 4000
CALLERS: Final = 32
BARE: Final = "SELECT flag_key, default_value FROM ff.flag_registry WHERE flag_key = $1"


def records() -> tuple[list[object], list[object]]:
    flags = [
        {
            "flag_key": f"f{number}",
            "value_type": "bool",
            "default_value": True,
            "safe_value": False,
            "rollout": {"percentage": 33.3, "value": False},
            "version": 1,
        }
        for number in range(FLAGS)
    ]
    overrides = [
        {"flag_key": f"f{number}", "tenant_id": "T", "value": False, "version": 1}
        for number in range(0, FLAGS, 2)
    ]
    return list(flags), list(overrides)


async def timed(ask: Callable[[str], Awaitable[object]], callers: int) -> tuple[Latency, float]:
    """Give the latencies and the calls a second."""
    samples: list[int] = []
    calls = iter(range(CALLS))

    async def caller() -> None:
        for call in calls:
            started = time.perf_counter_ns()
            await ask(f"f{call % FLAGS}")
            samples.append(time.perf_counter_ns() - started)

    started = time.perf_counter()
    await asyncio.gather(*[caller() for _ in range(callers)])
    return latency(samples), CALLS / (time.perf_counter() - started)


async def measure(workspace: Workspace) -> None:
    connection = await connect(workspace.dsn)
    await seed(connection, check_world(*records(), []), schema=workspace.schema)
    statement: asyncpg.prepared_stmt.PreparedStatement[asyncpg.Record] = await connection.prepare(
        BARE
    )
    backing = PostgresBacking(workspace.dsn, schema=workspace.schema)
    await backing.open()

    async def bare(key: str) -> object:
        return await statement.fetchrow(key)

    async def read(key: str) -> object:
        return await backing.read(key, "T", "U")

    for ask in (bare, read):  # once to warm up
        await timed(ask, 1)
    base, _ = await timed(bare, 1)
    one, _ = await timed(read, 1)
    many, rate = await timed(read, CALLERS)
    print(f"bare fetchrow, 1 caller     p50 {base.p50_ms:8.3f} ms  p99 {base.p99_ms:8.3f} ms")
    print(f"backing.read, 1 caller      p50 {one.p50_ms:8.3f} ms  p99 {one.p99_ms:8.3f} ms")
    print(
        f"backing.read, {CALLERS} callers    p50 {many.p50_ms:8.3f} ms  p99 {many.p99_ms:8.3f} ms"
    )
    print(f"read / bare, p50            {one.p50_ms / base.p50_ms:8.2f} x")
    print(
        f"{CALLERS} callers against 1         {rate * one.p50_ms / 1000:8.2f} x the calls a second"
    )
    await backing.aclose()
    await connection.close()


def main() -> None:
    server = EmbeddedPostgres()
    try:
        workspace = Workspace.open(server.start().dsn, "benchmark")
        asyncio.run(measure(workspace))
    finally:
        server.stop()


if __name__ == "__main__":
    main()
