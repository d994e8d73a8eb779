from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import SMALL

CONFTEST = """
import pytest

class Toy:
    def __init__(self, name):
        self.name = name
        self.info = {"store": name + " store"}
    def prepare(self, world):
        self.world = world or {}
    async def evaluate(self, request):
        return {"answer": self.world.get("answer", request["ask"]), "by": self.name}

@pytest.fixture(scope="session")
def ffparity_paths():
    return [Toy("old"), Toy("new")]
"""


class Project:
    """A user's project with a service of its own shape: two toy paths, a matrix, some vectors."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.root: Path = pytester.path
        self.conftest("")
        self.ini("")
        self.matrix(required=[])
        self.vectors("V-1", "V-2", "V-3")

    def conftest(self, more: str) -> None:
        self.pytester.makeconftest(CONFTEST + more)

    def ini(self, more: str) -> None:
        self.pytester.makeini("[pytest]\n" + more)

    def matrix(self, required: list[str], name: str = "cutover_parity_matrix.json") -> None:
        rows = [
            {"id": "R-1", "document": "decision", "fields": ["/answer"], "rule": "MUST_MATCH"},
            {"id": "R-2", "document": "decision", "fields": ["/by"], "rule": "MUST_DIFFER"},
        ]
        for row in rows:
            row["why"] = f"why {row['id']}"
        self.write(name, {"schema_version": "1", "rows": rows, "required": required})

    def vectors(self, *ids: str, name: str = "parity_test_matrix.json", **expect: Any) -> None:
        vectors = [
            {"id": i, "title": i, "request": {"ask": i}, "expected": {"answer": expect.get(i, i)}}
            for i in ids
        ]
        self.write(name, {"schema_version": "1", "vectors": vectors})

    def write(self, name: str, document: Any) -> None:
        path = self.root / "vectors" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(document, indent=1))

    def run(self, *args: str, timeout: float = 120) -> pytest.RunResult:
        """Run the gate in a process of its own, as a user does."""
        return self.pytester.runpytest_subprocess(
            "--ffparity", "--ffparity-report=report.json", *SMALL, *args, timeout=timeout
        )

    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.root / "report.json").read_text())
        return found


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    # Set where these tests themselves run on a worker; a child process would take itself for one.
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    return Project(pytester)
