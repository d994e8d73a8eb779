"""However a run ends, it leaves no server, no folder and no green report behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

# Stops at the third vector, with everything up, until it is ended from outside.
WAITING = """
import asyncio, pathlib
if Wrapped.asked == 3:
    pathlib.Path("waiting").touch()
    await asyncio.sleep(3600)
return await self.inner.evaluate(request)
"""
# Told to end from inside the event loop, in the one place where an exception would tear it apart.
ENDED = """
import os, signal
if Wrapped.asked == 500:
    os.kill(os.getpid(), signal.SIGTERM)
return await self.inner.evaluate(request)
"""


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A short folder that the server's account can reach too: sockets have short names."""
    folder = Path(tempfile.mkdtemp(prefix="t", dir="/tmp"))
    folder.chmod(0o1777)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def interruptible() -> None:
    """A shell in the background hands on a SIGINT that is ignored; a terminal does not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def started(gate: Any, temporary: Path, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "--ffparity", "--ffparity-report=report.json", *args],
        cwd=gate.root,
        env={**os.environ, "TMPDIR": str(temporary)},
        start_new_session=True,
        preexec_fn=interruptible,  # noqa: PLW1509 - one call that takes no lock
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_for(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def holding(folder: Path, besides: int) -> list[int]:
    """Processes with the folder in their command line; a zombie has none."""
    found = []
    for process in psutil.process_iter(["pid", "cmdline"]):
        command = process.info["cmdline"] or []
        if process.pid != besides and any(str(folder) in word for word in command):
            found.append(process.pid)
    return found


def servers_left(folder: Path, run: int) -> bool:
    return bool(holding(folder, run)) or any(folder.glob("ffparity-*"))


@pytest.mark.parametrize("workers", ["0", "2"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_ended_leaves_nothing(
    gate: Any, temporary: Path, number: signal.Signals, workers: str
) -> None:
    gate.wrap_db(WAITING)
    run = started(gate, temporary, "-n", workers)
    try:
        wait_for((gate.root / "waiting").exists, "the run never got as far")
        assert servers_left(temporary, run.pid)
        run.send_signal(number)
        output, _ = run.communicate(timeout=120)
    finally:
        if run.poll() is None:
            run.kill()
    assert run.returncode != 0, output
    assert gate.report()["verdict"] == "incomplete"
    wait_for(lambda: not servers_left(temporary, run.pid), f"left behind: {output}")


def test_two_runs_at_once_do_not_meet(gate: Any, temporary: Path) -> None:
    runs = [started(gate, temporary, f"--basetemp={temporary}/b{i}") for i in range(2)]
    for run in runs:
        output, _ = run.communicate(timeout=300)
        assert run.returncode == 0, output
        assert "verdict  GO" in output
    assert not servers_left(temporary, 0)


def test_sigterm_under_load_ends_the_run_in_good_order(gate: Any) -> None:
    gate.copy(stress=True)
    gate.wrap_db(ENDED)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--ffparity", "--ffparity-report=report.json"],
        cwd=gate.root,
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert "INCOMPLETE" in done.stdout
    assert done.stderr == ""
    assert gate.report()["verdict"] == "incomplete"
