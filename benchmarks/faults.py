"""Breaks a running service in every way that the tests know, and prints what its callers got.

Run it with `python benchmarks/faults.py`; it starts a server of its own and ends it. The exit status
is that of the tests.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "table.txt"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/faults"]
        done = subprocess.run(
            command,
            check=False,
            cwd=ROOT,
            capture_output=True,
            text=True,
            env={**os.environ, "FFPARITY_FAULT_TABLE": str(table)},
        )
        if done.returncode != 0 or not table.exists():
            print(done.stdout, done.stderr, sep="")
            return done.returncode or 1
        print(table.read_text("utf-8"), end="")
        return 0


if __name__ == "__main__":
    sys.exit(main())
