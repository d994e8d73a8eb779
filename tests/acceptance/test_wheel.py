"""The built wheel alone, in an empty folder, with a user's own vectors, matrix and service."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Another decision shape, no flags, no world, nothing of ours but the contract of a path.
CONFTEST = """
import pytest

class Prices:
    def __init__(self, name, cents):
        self.name, self.cents = name, cents
    async def evaluate(self, request):
        return {"total": {"cents": self.cents * request["items"], "currency": "EUR"},
                "lines": [{"n": 1}, {"n": 2}], "served_by": self.name, "trace": object.__repr__(self)}

@pytest.fixture(scope="session")
def ffparity_paths():
    return [Prices("legacy", 250), Prices("rewrite", %s)]
"""
VECTORS = {
    "schema_version": "1",
    "vectors": [
        {
            "id": "PRICE-1",
            "title": "three items",
            "request": {"items": 3},
            "expected": {"total": {"cents": 750, "currency": "EUR"}, "lines": [{"n": 2}, {"n": 1}]},
        }
    ],
}
ROWS = [
    {"id": "M-1", "fields": ["/total"], "rule": "MUST_MATCH", "why": "the price"},
    {
        "id": "M-2",
        "fields": ["/lines"],
        "rule": "MUST_MATCH",
        "compare": "unordered",
        "why": "in any order",
    },
    {"id": "M-3", "fields": ["/served_by"], "rule": "MUST_DIFFER", "why": "who answered"},
    {"id": "M-4", "fields": ["/trace"], "rule": "MAY_DIFFER", "why": "an address"},
]
MATRIX = {
    "schema_version": "1",
    "rows": [{"document": "decision", **row} for row in ROWS],
    "required": ["PRICE-1"],
}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the wheel installs, and nothing of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    run = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir"]
    subprocess.run([*run, str(folder), str(ROOT)], check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    site = folder / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", site, wheel], check=True, capture_output=True)
    return site


def run(site: Path, folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "--ffparity", "--ffparity-report=report.json", *args],
        cwd=folder,
        env={**env, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def project(folder: Path, cents: str = "250") -> None:
    (folder / "vectors").mkdir()
    (folder / "vectors/parity_test_matrix.json").write_text(json.dumps(VECTORS))
    (folder / "vectors/cutover_parity_matrix.json").write_text(json.dumps(MATRIX))
    (folder / "conftest.py").write_text(CONFTEST % cents)


def test_a_service_of_another_shape_is_go(installed: Path, tmp_path: Path) -> None:
    project(tmp_path)
    (tmp_path / "test_home.py").write_text(
        "import pytest_ffparity\n"
        f"def test_home(): assert pytest_ffparity.__file__.startswith({str(installed)!r})\n"
    )
    done = run(installed, tmp_path, "vectors/parity_test_matrix.json", "test_home.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "verdict  GO  PRICE 1 of 1" in done.stdout


def test_its_divergence_is_blocked(installed: Path, tmp_path: Path) -> None:
    project(tmp_path, "250.0")
    done = run(installed, tmp_path)
    assert done.returncode == 1
    report: dict[str, Any] = json.loads((tmp_path / "report.json").read_text())
    (divergence,) = report["vectors"][0]["divergences"]
    assert (report["verdict"], divergence["field"], divergence["rule"]) == (
        "blocked",
        "/total",
        "M-1",
    )
    assert "['cents']: expected 750, rewrite 750.0" in done.stdout


def test_the_built_in_paths_work_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "vectors").mkdir()
    for file in (ROOT / "vectors").glob("*.json"):
        (tmp_path / "vectors" / file.name).write_text(file.read_text())
    done = run(installed, tmp_path, "-k", "PT-02")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
