from __future__ import annotations

import asyncio
import json
import os
import threading
from pathlib import Path
from typing import Any

from pytest_ffparity.backing.atomic import write_atomic
from pytest_ffparity.backing.documents import write_documents
from pytest_ffparity.backing.file import FileBacking
from pytest_ffparity.evaluator.model import Failed, Flag, Override, Records
from pytest_ffparity.evaluator.names import FailSafe

FLAG: dict[str, Any] = {
    "flag_key": "ff.x",
    "value_type": "number",
    "default_value": 1,
    "safe_value": 0,
    "version": 1,
}
TENANT: dict[str, Any] = {"flag_key": "ff.x", "tenant_id": "t", "value": 2, "version": 1}
USER: dict[str, Any] = {**TENANT, "user_id": "u", "value": 3}
OLD = 1_000_000_000_000_000_000


def backing(folder: Path) -> FileBacking:
    return FileBacking(folder / "registry.json", folder / "override_examples.json")


def read(store: FileBacking, *ids: str | None) -> Records | Failed:
    flag, tenant, user = (*ids, None, None, None)[:3]
    return asyncio.run(store.read(flag or "ff.x", tenant, user))


def default_of(found: Records | Failed) -> object:
    assert isinstance(found, Records)
    assert isinstance(found.flag, Flag)
    return found.flag.default_value


def age(path: Path) -> None:
    """Make a file old enough to be trusted at once."""
    os.utime(path, ns=(OLD, OLD))


def test_a_read_gives_the_flag_and_the_callers_overrides_only(tmp_path: Path) -> None:
    write_documents(tmp_path, [FLAG], [TENANT], [USER])
    store = backing(tmp_path)
    found = read(store, "ff.x", "t", "u")
    assert isinstance(found, Records)
    assert isinstance(found.tenant_override, Override)
    assert isinstance(found.user_override, Override)
    assert (found.tenant_override.value, found.user_override.value) == (2, 3)
    assert read(store, "ff.x", "other", "u") == Records(found.flag)
    assert read(store, "ff.x", None, "u") == Records(found.flag)
    assert read(store, "ff.none", "t", "u") == Records(None)
    assert store.alarms == ()


def test_a_change_is_seen_at_the_next_read(tmp_path: Path) -> None:
    write_documents(tmp_path, [FLAG], [], [])
    age(tmp_path / "registry.json")
    store = backing(tmp_path)
    assert default_of(read(store)) == 1
    write_documents(tmp_path, [{**FLAG, "default_value": 7}], [], [])
    assert default_of(read(store)) == 7


def test_a_change_in_place_within_one_tick_of_the_file_clock_is_seen(tmp_path: Path) -> None:
    write_documents(tmp_path, [FLAG], [], [])
    path = tmp_path / "registry.json"
    store = backing(tmp_path)
    assert default_of(read(store)) == 1
    before = path.stat().st_mtime_ns
    path.write_text(path.read_text().replace('"default_value": 1', '"default_value": 7'))
    os.utime(path, ns=(before, before))  # the same size, inode and time
    assert default_of(read(store)) == 7


def test_an_unchanged_file_is_read_once(tmp_path: Path) -> None:
    write_documents(tmp_path, [FLAG], [], [])
    for path in tmp_path.iterdir():
        age(path)
    store = backing(tmp_path)
    first, second = read(store), read(store)
    assert isinstance(first, Records)
    assert isinstance(second, Records)
    assert first.flag is second.flag


def test_a_broken_file_leaves_the_last_good_state_in_force(tmp_path: Path) -> None:
    write_documents(tmp_path, [FLAG], [TENANT], [])
    store = backing(tmp_path)
    read(store)
    (tmp_path / "override_examples.json").write_text("{")
    # The other document goes on being followed: a kill switch works.
    write_atomic(tmp_path / "registry.json", json.dumps({"flags": [{**FLAG, "enabled": False}]}))
    found = read(store, "ff.x", "t")
    assert isinstance(found, Records)
    assert isinstance(found.flag, Flag)
    assert not found.flag.enabled
    assert isinstance(found.tenant_override, Override)
    assert len(store.alarms) == 1
    assert "override_examples.json" in store.alarms[0]
    assert "line 1" in store.alarms[0]


def test_a_removed_file_leaves_the_last_good_state_and_coming_back_ends_the_alarm(
    tmp_path: Path,
) -> None:
    write_documents(tmp_path, [FLAG], [], [])
    store = backing(tmp_path)
    read(store)
    path = tmp_path / "registry.json"
    text = path.read_text()
    path.unlink()
    assert default_of(read(store)) == 1
    assert "registry.json" in store.alarms[0]
    path.write_text(text)
    assert default_of(read(store)) == 1
    assert store.alarms == ()


def test_without_a_good_state_the_store_is_unavailable(tmp_path: Path) -> None:
    write_documents(tmp_path, [FLAG], [], [])
    for name in ("registry.json", "override_examples.json"):
        path = tmp_path / name
        good = path.read_text()
        for bad in (None, "", "[]"):
            path.unlink(missing_ok=True)
            if bad is not None:
                path.write_text(bad)
            store = backing(tmp_path)
            assert read(store) == Failed(FailSafe.BACKING_UNAVAILABLE)
            assert store.alarms
        path.write_text(good)


def test_a_folder_in_the_files_place_is_unavailable(tmp_path: Path) -> None:
    write_documents(tmp_path, [FLAG], [], [])
    (tmp_path / "registry.json").unlink()
    (tmp_path / "registry.json").mkdir()
    assert read(backing(tmp_path)) == Failed(FailSafe.BACKING_UNAVAILABLE)


def test_a_record_without_a_key_is_an_alarm(tmp_path: Path) -> None:
    write_documents(tmp_path, [FLAG], [], [])
    (tmp_path / "registry.json").write_text(json.dumps({"flags": [FLAG, {}]}))
    store = backing(tmp_path)
    assert default_of(read(store)) == 1
    assert "/flags/1" in store.alarms[0]


def test_a_file_is_never_seen_half_written(tmp_path: Path) -> None:
    def text(number: int) -> str:
        filler = {**FLAG, "flag_key": "ff.filler", "description": "x" * (number % 5 * 20_000)}
        return json.dumps({"flags": [{**FLAG, "default_value": number}, filler]})

    write_documents(tmp_path, [FLAG], [], [])
    path = tmp_path / "registry.json"
    write_atomic(path, text(0))
    store = backing(tmp_path)
    done = threading.Event()

    def write() -> None:
        for number in range(100):
            write_atomic(path, text(number))
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = []
    while not done.is_set():
        seen.append(default_of(read(store)))
        assert store.alarms == ()
    writer.join()
    assert default_of(read(store)) == 99
    assert seen == sorted(seen)  # type: ignore[type-var]
