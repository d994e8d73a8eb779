"""The flip between the two backings of a running service, both of them real."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_ffparity.backing.checked import check_world
from pytest_ffparity.backing.documents import OVERRIDES, REGISTRY, write_documents
from pytest_ffparity.backing.dsn import connect
from pytest_ffparity.backing.file import FileBacking
from pytest_ffparity.backing.postgres import PostgresBacking
from pytest_ffparity.backing.seed import seed
from pytest_ffparity.backing.switch import BackingSwitch, start_state
from pytest_ffparity.backing.workspace import Workspace
from pytest_ffparity.evaluator.evaluator import Evaluator
from pytest_ffparity.evaluator.model import Identity, Request
from pytest_ffparity.evaluator.names import AuthMode
from pytest_ffparity.net.environment import ConfigurationError

FLAG = {"flag_key": "ff.x", "value_type": "string", "safe_value": "safe", "version": 1}
Ask = Callable[[], Awaitable[tuple[str, Any]]]
Steps = Callable[[BackingSwitch, Ask], Awaitable[None]]


class Anonymous:
    async def authenticate(self, headers: Any) -> Identity:
        del headers
        return Identity(AuthMode.ANONYMOUS)


class NoApprovals:
    async def check(self, **_: Any) -> Any:
        raise NotImplementedError


@pytest.fixture
def run(tmp_path: Path, workspace: Workspace) -> Callable[..., None]:
    """Run steps with a switch; each store tells its own name as the flag's value."""

    def steps_run(steps: Steps, **options: Any) -> None:
        write_documents(tmp_path, [{**FLAG, "default_value": "of the file"}], [], [])

        async def main() -> None:
            connection = await connect(workspace.dsn)
            checked = check_world([{**FLAG, "default_value": "of the db"}], [], [])
            await seed(connection, checked, schema=workspace.schema)
            await connection.close()
            db = PostgresBacking(workspace.dsn, schema=workspace.schema)
            await db.open()
            file = FileBacking(tmp_path / REGISTRY, tmp_path / OVERRIDES)
            switch = BackingSwitch(file, db, **options)
            evaluator = Evaluator(switch, Anonymous(), NoApprovals())

            async def ask() -> tuple[str, Any]:
                decision = await evaluator.evaluate(Request("ff.x"))
                return decision.meta.backing_state, decision.value

            try:
                await steps(switch, ask)
            finally:
                await db.aclose()

        asyncio.run(main())

    return steps_run


FILE, DB = ("file", "of the file"), ("db", "of the db")


def test_the_api_flips_from_the_next_request_on_and_back(run: Any) -> None:
    async def steps(switch: BackingSwitch, ask: Ask) -> None:
        assert await ask() == FILE
        switch.flip("db")
        assert await ask() == DB
        switch.flip("file")
        assert await ask() == FILE
        with pytest.raises(ValueError, match="file, db"):
            switch.flip("redis")  # type: ignore[arg-type]

    run(steps)


def test_the_api_wins_over_the_file_and_the_file_over_the_start(run: Any, tmp_path: Path) -> None:
    word = tmp_path / "backing"

    async def steps(switch: BackingSwitch, ask: Ask) -> None:
        assert await ask() == DB
        word.write_text("file\n")
        assert await ask() == FILE
        switch.flip("db")
        assert await ask() == DB
        switch.flip(None)
        assert await ask() == FILE
        word.unlink()
        assert await ask() == DB

    run(steps, start="db", switch_file=word)


@pytest.mark.parametrize("broken", [b"", b"DB", b"db file", b"\xff\xfe", b"d" * 100_000])
def test_a_switch_file_that_says_nothing_leaves_its_last_word(
    run: Any, tmp_path: Path, broken: bytes
) -> None:
    word = tmp_path / "backing"
    word.write_bytes(broken)

    async def steps(switch: BackingSwitch, ask: Ask) -> None:
        assert await ask() == FILE
        (alarm,) = switch.alarms
        assert "expected one of the words file, db" in alarm
        word.write_text("db")
        assert await ask() == DB
        assert switch.alarms == ()
        word.write_bytes(broken)
        assert await ask() == DB
        assert len(switch.alarms) == 1

    run(steps, switch_file=word)


def test_a_folder_in_the_switch_files_place_changes_nothing(run: Any, tmp_path: Path) -> None:
    async def steps(switch: BackingSwitch, ask: Ask) -> None:
        assert await ask() == FILE
        assert len(switch.alarms) == 1

    run(steps, switch_file=tmp_path)


def test_flips_in_the_midst_of_requests_never_mix_two_backings(run: Any) -> None:
    async def steps(switch: BackingSwitch, ask: Ask) -> None:
        done = asyncio.Event()

        async def flip() -> None:
            turn = 0
            while not done.is_set():
                switch.flip("db" if turn % 2 else "file")
                turn += 1
                await asyncio.sleep(0)

        async def many() -> list[tuple[str, Any]]:
            found = []
            for _ in range(60):
                found.append(await ask())
                # The file backing never lets go of the loop by itself.
                await asyncio.sleep(0)
            return found

        flipping = asyncio.create_task(flip())
        answers = await asyncio.gather(*(many() for _ in range(8)))
        done.set()
        await flipping
        seen = {answer for batch in answers for answer in batch}
        assert seen == {FILE, DB}

    run(steps)


def test_a_service_starts_on_files_while_the_database_is_down(tmp_path: Path) -> None:
    write_documents(tmp_path, [{**FLAG, "default_value": "of the file"}], [], [])

    async def main() -> None:
        db = PostgresBacking("postgresql://u:hunter2@127.0.0.1:1/x")
        await db.open(required=False)
        file = FileBacking(tmp_path / REGISTRY, tmp_path / OVERRIDES)
        switch = BackingSwitch(file, db)
        evaluator = Evaluator(switch, Anonymous(), NoApprovals())
        assert (await evaluator.evaluate(Request("ff.x"))).value == "of the file"
        assert db.health.up is None
        switch.flip("db")
        decision = await evaluator.evaluate(Request("ff.x"))
        assert (decision.decision, decision.reason) == ("deny", "backing_unavailable")
        assert db.health.to_dict()["up"] is False
        assert "hunter2" not in str(db.health.to_dict())
        await db.aclose()

    asyncio.run(main())


def test_the_start_value() -> None:
    assert start_state({}) == "file"
    assert start_state({"FF_BACKING": "db"}) == "db"
    for wrong in ("DB", "postgres", "file,db"):
        with pytest.raises(ConfigurationError, match="FF_BACKING"):
            start_state({"FF_BACKING": wrong})
