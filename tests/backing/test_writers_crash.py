"""Writers of the file store that are killed at every step, and disks that fail or are full.

A process of its own forks once for each step, so that what is loaded is loaded once.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from pytest_ffparity.audit.chain import verify, verify_records
from pytest_ffparity.audit.envelope import Target
from pytest_ffparity.backing.changes import Change, ConflictError
from pytest_ffparity.backing.documents import OVERRIDES, REGISTRY, load_documents, write_documents
from pytest_ffparity.backing.file import FileBacking
from pytest_ffparity.backing.file_writer import FileWriter
from pytest_ffparity.backing.writes import WriteUnavailableError
from pytest_ffparity.evaluator.model import Identity
from pytest_ffparity.evaluator.names import AuthMode
from pytest_ffparity.evaluator.records import flag_record, override_record

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="forks, and kills with SIGKILL")

NOW: Final = datetime(2026, 4, 19, tzinfo=UTC)
ACTOR: Final = Identity(AuthMode.VERIFIED, "T-ops", "U-ops")
# The write that is hit, by case; every store starts with ff.x at 1, written, and its overrides.
WRITES: Final[dict[str, tuple[list[str], Any, int | None]]] = {
    "create": (["flag", "ff.new"], {"value_type": "number", "default_value": 1, "safe_value": 0}, None),
    "change": (["flag", "ff.x"], {"value_type": "number", "default_value": 2, "safe_value": 0}, 1),
    "override": (["tenant_override", "ff.x", "T"], {"value": 5}, 2),
    "delete": (["flag", "ff.x"], None, 1),
}  # fmt: skip

# Kills itself before the n-th thing that it does to a file in its folder, for every n.
KILLED: Final = """
import asyncio, datetime, json, os, pathlib, shutil, signal, sys
from pytest_ffparity.audit.envelope import Target
from pytest_ffparity.backing.changes import Change
from pytest_ffparity.backing.file_writer import FileWriter
from pytest_ffparity.evaluator.model import Identity
from pytest_ffparity.evaluator.names import AuthMode

base, told = pathlib.Path(sys.argv[1]), json.loads(sys.argv[2])
STEPS = {"open", "os.rename", "os.remove", "os.truncate", "os.chmod"}

def writer(folder):
    return FileWriter(folder / "registry.json", folder / "override_examples.json")

def write(store, write):
    (kind, *ids), record, expects = write
    change = Change(target=Target(kind, tuple(ids)), record=record, expects=expects)
    actor = Identity(AuthMode.VERIFIED, "T-ops", "U-ops")
    at = datetime.datetime(2026, 4, 19, tzinfo=datetime.UTC)
    return store.write(change, actor=actor, at=at)

def victim(folder, n, work):
    left = n

    def step(event, arguments):
        nonlocal left
        inside = event != "open" or str(arguments[0]).startswith(str(folder))
        if event in STEPS and inside:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sync = os.fsync
    os.fsync = lambda handle: (step("os.truncate", ()), sync(handle))
    sys.addaudithook(step)
    asyncio.run(work(folder))

async def makes(folder):
    await write(writer(folder), told["write"])

async def delivers(folder):
    store = writer(folder)
    async with store.turn():
        for document in await store.pending(1):
            await store.delivered(document)

killed = n = 0
while killed == n:
    n += 1
    folder = base.with_name(f"{base.name}-{n}")
    shutil.copytree(base, folder)
    if os.fork() == 0:
        try:
            victim(folder, n, delivers if told["write"] is None else makes)
        finally:
            os._exit(0)
    killed += os.wait()[1] == signal.SIGKILL
print(n)
"""
# The same with a limit of so many bytes to a file; then, without it, the next write.
FULL: Final = (
    KILLED.partition("killed = n = 0")[0]
    + """
import resource
from pytest_ffparity.backing.writes import WriteUnavailableError

async def full(folder, limit):
    store = writer(folder)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        await write(store, told["write"])
        said = "made"
    except WriteUnavailableError as error:
        said = "unknown" if error.unknown else "nothing"
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    (folder / "said").write_text(said)
    await write(store, told["next"])

for limit in told["limits"]:
    folder = base.with_name(f"{base.name}-{limit}")
    shutil.copytree(base, folder)
    if os.fork() == 0:
        try:
            asyncio.run(full(folder, limit))
        except BaseException as error:
            (folder / "raised").write_text(repr(error))
        finally:
            os._exit(0)
    os.wait()
"""
)


def run(script: str, base: Path, told: dict[str, Any]) -> str:
    return subprocess.run(
        [sys.executable, "-c", script, str(base), json.dumps(told)],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    ).stdout


def writer(folder: Path) -> FileWriter:
    return FileWriter(folder / REGISTRY, folder / OVERRIDES)


async def write(store: FileWriter, told: tuple[list[str], Any, int | None]) -> Any:
    (kind, *ids), record, expects = told
    target = Target(kind, tuple(ids))  # type: ignore[arg-type] # one of the closed list
    change = Change(target=target, record=record, expects=expects)
    return await store.write(change, actor=ACTOR, at=NOW)


def records(folder: Path) -> dict[Target, Any]:
    checked = load_documents(folder / REGISTRY, folder / OVERRIDES)
    found = {Target("flag", (one.flag_key,)): flag_record(one) for one in checked.flags}
    for override in (*checked.tenant_overrides, *checked.user_overrides):
        ids = (override.flag_key, override.tenant_id)
        target = Target("tenant_override", ids)
        if override.user_id is not None:
            target = Target("user_override", (*ids, override.user_id))
        found[target] = override_record(override)
    return found


def checked_trail(folder: Path) -> list[dict[str, Any]]:
    """Give the trail, which is whole and agrees with the documents."""
    trail = asyncio.run(writer(folder).trail())
    assert verify(trail) == []
    assert verify_records(trail, records(folder)) == []
    backing = FileBacking(folder / REGISTRY, folder / OVERRIDES)
    asyncio.run(backing.read("ff.x", "T", "U"))
    assert backing.alarms == ()
    return trail


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A store with three acknowledged writes, one of which is delivered."""
    folder = tmp_path / "store"
    folder.mkdir()
    write_documents(folder, [], [], [])

    async def fill() -> None:
        store = writer(folder)
        record = {"value_type": "number", "default_value": 1, "safe_value": 0}
        await write(store, (["flag", "ff.x"], record, None))
        await write(store, (["tenant_override", "ff.x", "T"], {"value": 3}, None))
        await write(store, (["user_override", "ff.x", "T", "U"], {"value": 4}, None))
        await store.delivered((await store.pending(1))[0])

    asyncio.run(fill())
    return folder


def killed(base: Path, told: Any) -> Iterator[Path]:
    """Give the folder of each kill; the last one's writer came to its end."""
    count = int(run(KILLED, base, {"write": told}))
    for n in range(1, count + 1):
        yield base.with_name(f"{base.name}-{n}")


@pytest.mark.parametrize("case", WRITES)
def test_a_writer_killed_at_any_step_leaves_a_whole_write_or_none(base: Path, case: str) -> None:
    told = WRITES[case]
    lengths = []
    for number, folder in enumerate(killed(base, told)):
        # Whoever comes next makes up for it: a reader of the trail, or a writer.
        length = len(checked_trail(folder)) if number % 2 else None
        try:
            asyncio.run(write(writer(folder), told))
        except ConflictError:
            assert length != 3  # it was there: the repeat is a conflict
            lengths.append(4)
        else:
            assert length != 4
            lengths.append(3)
        trail = checked_trail(folder)
        assert len(trail) == 4
        assert [one["sink_status"] for one in trail] == ["delivered", *["pending"] * 3]
    assert len(lengths) >= 10
    assert lengths == sorted(lengths)  # none is lost again once it is there
    assert {3, 4} == set(lengths)


@pytest.mark.parametrize("case", ["change", "delete"])
def test_who_makes_up_for_a_crash_may_be_killed_at_any_step_too(base: Path, case: str) -> None:
    documents = {name: (base / name).read_bytes() for name in (REGISTRY, OVERRIDES)}
    asyncio.run(write(writer(base), WRITES[case]))
    # As if it had died before its change: the envelope is there, the documents are as they were.
    trail = base / "audit.jsonl"
    trail.write_bytes(b"".join(trail.read_bytes().splitlines(keepends=True)[:-1]))
    for name, content in documents.items():
        (base / name).write_bytes(content)
    for folder in killed(base, WRITES["create"]):
        trail_now = checked_trail(folder)
        assert trail_now[3]["envelope"]["target"]["flag_key"] == "ff.x"
        assert len(trail_now) in {4, 5}


def test_a_deliverer_killed_at_any_step_loses_no_envelope(base: Path) -> None:
    oldest = []
    for folder in killed(base, None):

        async def waits(store: FileWriter) -> list[int]:
            async with store.turn() as mine:
                assert mine
                return [one["envelope"]["seq"] for one in await store.pending(9)]

        oldest.append(asyncio.run(waits(writer(folder))))
        checked_trail(folder)
    assert oldest == sorted(oldest)  # what is marked once stays marked
    assert (oldest[0], oldest[-1]) == ([2, 3], [3])


def test_a_last_line_torn_at_any_byte_is_taken_back(base: Path) -> None:
    trail = base / "audit.jsonl"
    whole = trail.read_bytes()
    start = whole.rstrip(b"\n").rfind(b"\n") + 1
    envelope = whole[:start].rstrip(b"\n").rfind(b"\n") + 1
    for length in [*range(envelope + 1, start, 29), *range(start - 3, len(whole) + 1)]:
        trail.write_bytes(whole[:length])
        found = asyncio.run(writer(base).trail())
        # The change is there, and of its envelope only what is left: it was never torn by a crash.
        assert len(found) == (2 if length < start else 3)
        assert verify(found) == []
        assert asyncio.run(writer(base).backlog()).depth == len(found) - 1


@pytest.mark.parametrize("size", [1, 900])
def test_a_full_disk_in_the_trail_leaves_a_whole_write_or_none(base: Path, size: int) -> None:
    big = {"value_type": "string", "default_value": "x" * size, "safe_value": ""}
    told = (["flag", "ff.big"], big, None)
    whole = base.with_name("whole")
    shutil.copytree(base, whole)
    asyncio.run(write(writer(whole), told))
    length, end = ((folder / "audit.jsonl").stat().st_size for folder in (base, whole))
    # The note that the change is there is the last line: no matter if it is cut off.
    envelope = end - len(b'{"applied":4}\n')
    limits = sorted({0, length - 1, length, length + 1, envelope - 1, *range(envelope, end + 1)})
    run(FULL, base, {"write": told, "next": WRITES["change"], "limits": limits})
    ends = []
    for limit in limits:
        folder = base.with_name(f"{base.name}-{limit}")
        assert not (folder / "raised").exists(), (folder / "raised").read_text()
        said = (folder / "said").read_text()
        seen = [one["envelope"]["target"]["flag_key"] for one in checked_trail(folder)]
        assert seen[-1] == "ff.x"
        assert len(seen) == 4 + ("ff.big" in seen)
        assert said == "unknown" or (said == "made") == ("ff.big" in seen)
        ends.append(said)
    torn = limits.index(envelope)
    assert ends == ["nothing"] * torn + ["made"] * (len(limits) - torn)


def test_a_full_disk_at_the_documents_takes_the_envelope_back(base: Path) -> None:
    document = json.loads((base / REGISTRY).read_bytes())
    document["flags"].append(
        {**document["flags"][0], "flag_key": "ff.long", "description": "x" * 9000}
    )
    (base / REGISTRY).write_text(json.dumps(document))
    limits = [5000, 9000]
    run(FULL, base, {"write": WRITES["create"], "next": WRITES["change"], "limits": limits})
    for limit in limits:
        folder = base.with_name(f"{base.name}-{limit}")
        assert not (folder / "raised").exists()
        assert (folder / "said").read_text() == "nothing"
        assert [one["envelope"]["target"]["flag_key"] for one in checked_trail(folder)] == [
            "ff.x"
        ] * 4
        assert not list(folder.glob(".*"))


@pytest.mark.parametrize("sticks", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("case", WRITES)
def test_a_sync_that_fails_is_told_as_it_is(
    base: Path, case: str, *, sticks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No real disk fails on command at a given sync.
    told = WRITES[case]
    kept = {path: path.read_bytes() for path in base.iterdir()}
    sync = os.fsync
    for n in range(1, 20):
        for path in base.iterdir():
            path.unlink()
        for path, content in kept.items():
            path.write_bytes(content)
        seen = 0

        def failing(handle: int, n: int = n) -> None:
            nonlocal seen
            seen += 1
            if seen == n or (sticks and seen > n):
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            sync(handle)

        monkeypatch.setattr(os, "fsync", failing)
        said = "made"
        try:
            asyncio.run(write(writer(base), told))
        except WriteUnavailableError as error:
            said = "unknown" if error.unknown else "nothing"
        monkeypatch.setattr(os, "fsync", sync)
        made = len(checked_trail(base)) == 4
        assert said == "unknown" or made == (said == "made"), n
        if seen < n:
            break
    assert said == "made"
    assert n > 3
