"""SIGTERM in the middle of PT-08 ends the run as Ctrl-C does."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

# Told to end from inside the event loop, in the one place where an exception would tear it apart.
ENDED = """
import os, signal, pytest

class Ended:
    asked = 0
    def __init__(self, inner):
        self.inner, self.name, self.info = inner, inner.name, inner.info
    async def prepare(self, world):
        await self.inner.prepare(world)
    async def evaluate(self, request):
        Ended.asked += 1
        if Ended.asked == 500:
            os.kill(os.getpid(), signal.SIGTERM)
        return await self.inner.evaluate(request)
    async def close(self):
        await self.inner.close()

@pytest.fixture(scope="session")
def ffparity_paths(ffparity_paths):
    file, db = ffparity_paths
    return [file, Ended(db)]
"""


def test_sigterm_under_load_ends_the_run_in_good_order(gate: Any) -> None:
    gate.copy(stress=True)
    gate.pytester.makeconftest(ENDED)
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
