"""A parent that is killed leaves nothing, at whatever point of the start that happens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

# {0} is where the parent stops: in place of the step, it waits for a file and kills itself.
PARENT = """
import os, pathlib, signal, time
from pytest_ffparity.backing import embedded

def killed(*arguments):
    folder = next(argument for argument in reversed(arguments) if isinstance(argument, pathlib.Path))
    while not (folder / {1!r}).exists():
        time.sleep(0.001)
    os.kill(os.getpid(), signal.SIGKILL)

embedded.{0} = killed
embedded.EmbeddedPostgres().start()
"""


@pytest.mark.parametrize(
    ("step", "awaited"),
    [
        ("programs", "."),  # before the programs are known
        ("_wait_until_ready", "data"),  # in the middle of initdb
        ("_wait_until_ready", "data/global"),
        ("_wait_until_ready", "data/pg_ident.conf"),
        ("_wait_until_ready", "pid"),  # the server takes no signal yet
        ("_wait_until_ready", "data/postmaster.pid"),
    ],
)
def test_a_parent_killed_at_any_step_leaves_nothing(step: str, awaited: str) -> None:
    with tempfile.TemporaryDirectory(prefix="ffp-") as name:
        folder = Path(name)
        folder.chmod(0o1777)
        process = subprocess.run(
            [sys.executable, "-c", PARENT.format(step, awaited)],
            check=False,
            env={**os.environ, "TMPDIR": name},
            timeout=60,
        )
        assert process.returncode == -signal.SIGKILL
        end = time.monotonic() + 60
        while list(folder.iterdir()):
            assert time.monotonic() < end, list(folder.rglob("*"))[:5]
            time.sleep(0.02)
