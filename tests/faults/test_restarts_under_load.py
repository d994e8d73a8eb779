"""32 callers and a writer, while the server is killed and started again, twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

import msgspec
from tests.faults.cluster import Cluster
from tests.faults.place import Options, Place
from tests.faults.world import ASKS, NOW, RIGHT, UNAVAILABLE, Ask, expected

from pytest_ffparity.audit.chain import verify, verify_records
from pytest_ffparity.audit.envelope import Target
from pytest_ffparity.backing.changes import Change, ConflictError
from pytest_ffparity.backing.dsn import connect
from pytest_ffparity.backing.postgres_trail import read_trail
from pytest_ffparity.backing.postgres_writer import PostgresWriter
from pytest_ffparity.backing.rows import FLAG_SELECT, read_flag_row
from pytest_ffparity.backing.writes import WriteUnavailableError
from pytest_ffparity.evaluator.model import Flag, Identity, Request
from pytest_ffparity.evaluator.names import AuthMode
from pytest_ffparity.evaluator.records import flag_record

CALLERS: Final = 32
# As many answers as the callers get between one event and the next.
ENOUGH: Final = 1500
PATIENT: Final = 60.0
ACTOR: Final = Identity(AuthMode.VERIFIED, "T-ops", "U-ops")
COUNTERS: Final = ("ff.count.1", "ff.count.2")


class Counter(msgspec.Struct):
    """A flag whose value goes up by one with every write.

    `acknowledged` is the last value that a write was answered for, `attempted` the highest that a
    write may have made: a read that began at one and ended at the other lies in between.
    """

    acknowledged: int = 0
    attempted: int = 0
    unsure: bool = False
    version: int | None = None


class Load:
    def __init__(self, place: Place) -> None:
        self.place = place
        self.counters = {key: Counter() for key in COUNTERS}
        self.written: list[dict[str, Any]] = []
        self.made_up_for = 0
        self.right = 0
        self.denied = 0
        self.worst = 0.0
        self.last_right = [0.0] * CALLERS
        self.ending = False

    async def write(self) -> None:
        """Write again and again, as a caller does that was told to read again and decide anew."""
        writer = PostgresWriter(self.place.cluster.service(self.place.database), schema="ff")
        number = 0
        while not self.ending:
            key = COUNTERS[number % len(COUNTERS)]
            counter = self.counters[key]
            done = counter.acknowledged
            counter.attempted = done + 1
            record = {"value_type": "number", "default_value": done + 1, "safe_value": 0}
            change = Change(target=Target("flag", (key,)), record=record, expects=counter.version)
            try:
                written = await writer.write(change, actor=ACTOR, at=NOW)
            except WriteUnavailableError as error:
                counter.unsure = counter.unsure or error.unknown
                await asyncio.sleep(0.005)
                continue
            except ConflictError as error:
                # Only a write whose end was unknown can have been made after all.
                if not counter.unsure:
                    raise
                self.made_up_for += 1
                counter.version = error.found
            else:
                self.written.append(written.document)
                counter.version = written.version
            counter.acknowledged, counter.unsure = done + 1, False
            number += 1
            await asyncio.sleep(0.002)
        await writer.aclose()

    async def call(self, caller: int) -> None:
        number = caller
        while not self.ending:
            number += 1
            if number % 4:
                ask = ASKS[number % len(ASKS)]
                started = time.perf_counter()
                right = await self._ask(ask)
            else:
                started = time.perf_counter()
                right = await self._count(COUNTERS[number // 4 % len(COUNTERS)])
            ended = time.perf_counter()
            self.worst = max(self.worst, ended - started)
            if right:
                self.right += 1
                self.last_right[caller] = ended
            else:
                self.denied += 1
                # A caller that is told to come back does not come back at once.
                await asyncio.sleep(0.01)

    async def _ask(self, ask: Ask) -> bool:
        decision = (await self.place.answer(ask)).decision
        right = decision == expected(ask, RIGHT, "db")
        assert right or decision == expected(ask, UNAVAILABLE, "db")
        return right

    async def _count(self, key: str) -> bool:
        counter = self.counters[key]
        least = counter.acknowledged
        decision = await self.place.evaluate(Request(key))
        if decision.decision == "deny":
            assert decision.reason == "backing_unavailable" or (
                decision.reason == "flag_not_found" and least == 0
            )
            return decision.reason != "backing_unavailable"
        assert decision.reason == "registry_default"
        assert least <= decision.value <= counter.attempted
        return True

    async def until(self, met: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENT):
            while not met():  # noqa: ASYNC110 - of counts that change all the time
                await asyncio.sleep(0.001)

    async def killed_and_started(self) -> tuple[float, float]:
        """Give the seconds from a server that is ready to the first right answer, and to all's."""
        right, denied = self.right, self.denied
        await self.until(lambda: self.right >= right + ENOUGH)
        await asyncio.to_thread(self.place.cluster.kill)
        await self.until(lambda: self.denied >= denied + CALLERS)
        await asyncio.to_thread(self.place.cluster.start)
        ready = time.perf_counter()
        await self.until(lambda: max(self.last_right) > ready)
        first = time.perf_counter() - ready
        await self.until(lambda: min(self.last_right) > ready)
        return first, time.perf_counter() - ready


def test_nothing_is_lost_or_wrong_while_the_server_is_killed_twice(
    cluster: Cluster, tell: Callable[[str], None]
) -> None:
    async def main() -> None:
        options = Options(
            path="db",
            query_timeout=0.2,
            dev=False,
            breaker=1000,
            bound=PATIENT,
            own_database=True,
        )
        async with Place.opened(options, cluster) as place:
            await place.start()
            load = Load(place)
            async with asyncio.TaskGroup() as group:
                group.create_task(load.write())
                for caller in range(CALLERS):
                    group.create_task(load.call(caller))
                recoveries = [await load.killed_and_started() for _ in range(2)]
                right = load.right
                await load.until(lambda: load.right >= right + ENOUGH)
                load.ending = True
            await check_trail(load)
            for number, (first, everybody) in enumerate(recoveries, start=1):
                tell(
                    f"restart {number} under load: right again after {first * 1000:.0f} ms, "
                    f"for all {CALLERS} callers after {everybody * 1000:.0f} ms"
                )
            tell(
                f"{load.right} right, {load.denied} denied, none wrong; the longest took "
                f"{load.worst * 1000:.0f} ms; {len(load.written)} writes acknowledged, "
                f"{load.made_up_for} found made, none lost, doubled or out of order"
            )

    asyncio.run(main())


async def check_trail(load: Load) -> None:
    connection = await connect(load.place.cluster.superuser(load.place.database))
    trail = await read_trail(connection, "ff")
    rows = await connection.fetch(f"SELECT {FLAG_SELECT} FROM ff.flag_registry f")
    await connection.close()
    assert verify(trail) == []
    flags = [flag for row in rows if isinstance(flag := read_flag_row(row), Flag)]
    records = {Target("flag", (f.flag_key,)): flag_record(f) for f in flags}
    assert verify_records(trail, records) == []
    hashes = [document["envelope"]["hash"] for document in trail]
    acknowledged = [document["envelope"]["hash"] for document in load.written]
    # In the trail once, in the order in which they were acknowledged.
    assert len(set(hashes)) == len(hashes)
    assert [one for one in hashes if one in set(acknowledged)] == acknowledged
    # Nothing besides but writes whose end the caller was not told; the last may still be open.
    open_ends = sum(counter.unsure for counter in load.counters.values())
    others = len(hashes) - len(acknowledged) - load.made_up_for
    assert 0 <= others <= open_ends
