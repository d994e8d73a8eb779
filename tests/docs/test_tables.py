from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_the_tables_of_the_pages_are_what_the_code_says() -> None:
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("tables.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}run: python tests/docs/tables.py"


def test_the_index_names_every_page() -> None:
    docs = Path(__file__).resolve().parents[2] / "docs"
    index = (docs / "index.md").read_text("utf-8")
    missing = [
        p.name for p in docs.glob("*.md") if p.name != "index.md" and f"]({p.name})" not in index
    ]
    assert missing == []
