"""Callers who give up leave no connection behind, and keep no place in the queue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

from tests.faults.cluster import SERVICE, Cluster
from tests.faults.world import TENANT, USER

from pytest_ffparity.backing.dsn import connect
from pytest_ffparity.backing.postgres import PostgresBacking
from pytest_ffparity.evaluator.model import Records

READS: Final = 1000
CONNECTIONS: Final = 4
PATIENT: Final = 60.0
OPEN: Final = f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{SERVICE}'"


async def read(store: PostgresBacking) -> object:
    return await store.read("ff.user", TENANT, USER)


async def cancelled(store: PostgresBacking, turns: int) -> None:
    """Read, and give up after so many turns of the event loop."""
    task = asyncio.create_task(read(store))
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def cancel_many(store: PostgresBacking, reads: int, cluster: Cluster) -> int:
    """Cancel reads in crowds of 20, from before they begin to after they end; gives the most open."""
    most = 0
    for start in range(0, reads, 20):
        first = start % 40
        await asyncio.gather(*(cancelled(store, turns) for turns in range(first, first + 20)))
        most = max(most, await cluster.fetchval(OPEN))
    return most


@asynccontextmanager
async def opened(cluster: Cluster, connections: int) -> AsyncIterator[tuple[PostgresBacking, str]]:
    database = await cluster.new_database()
    dsn = cluster.service(database)
    store = PostgresBacking(dsn, connections=connections, query_timeout=PATIENT)
    await store.open()
    yield store, database
    await store.aclose()
    await open_at_most(0, cluster)
    await cluster.drop(database)


async def open_at_most(limit: int, cluster: Cluster) -> int:
    """Wait until the server has heard of what was cut off; gives what is open then."""
    async with asyncio.timeout(PATIENT):
        while (left := int(await cluster.fetchval(OPEN))) > limit:
            pass
    return left


def test_a_thousand_cancelled_reads_leave_no_connection(
    cluster: Cluster, tell: Callable[[str], None]
) -> None:
    async def main() -> None:
        async with opened(cluster, CONNECTIONS) as (store, _):
            most = await cancel_many(store, READS, cluster)
            left = await open_at_most(CONNECTIONS, cluster)
            found = await asyncio.gather(*(read(store) for _ in range(50)))
            assert all(isinstance(one, Records) for one in found)
            assert await cluster.fetchval(OPEN) <= CONNECTIONS
        tell(f"{READS} cancelled reads: {most} connections at most, {left} left of {CONNECTIONS}")

    asyncio.run(main())


def test_reads_are_served_as_they_came_after_many_were_cancelled(cluster: Cluster) -> None:
    async def main() -> None:
        async with opened(cluster, 1) as (store, database):
            await cancel_many(store, 200, cluster)
            finished: list[int] = []

            async def one(number: int) -> None:
                assert isinstance(await read(store), Records)
                finished.append(number)

            blocker = await connect(cluster.superuser(database))
            async with blocker.transaction():
                await blocker.execute("LOCK TABLE ff.user_override IN ACCESS EXCLUSIVE MODE")
                waiting = [asyncio.create_task(one(number)) for number in range(60)]
                await asyncio.sleep(0)  # each has asked
                # Every third gives up while it waits: nobody behind it may lose the place.
                for task in waiting[1::3]:
                    task.cancel()
                await asyncio.sleep(0)
            await asyncio.gather(*waiting, return_exceptions=True)
            await blocker.close()
            assert finished == [number for number in range(60) if number % 3 != 1]

    asyncio.run(main())
