from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).resolve().parents[1]
VECTORS = "parity_test_matrix.json"
EXAMPLES = "jwt_claim_examples.json"
MATRIX = "cutover_parity_matrix.json"


@pytest.fixture(scope="session", autouse=True)
def _off_github() -> Iterator[None]:
    """Keep the runs that tests start from annotating the workflow that runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("GITHUB_"):
                patch.delenv(name)
        yield


# Hypothesis' plugin imports Hypothesis at the end of any run: half the time of a small one.
SMALL = ("-p", "no:hypothesispytest")

# The db path with its evaluate, and its prepare, replaced: what a user's conftest may do.
WRAPPER = """
import pytest

class Wrapped:
    asked = 0
    def __init__(self, inner):
        self.inner, self.name, self.info = inner, inner.name, inner.info
    async def prepare(self, world):
{prepare}
    async def evaluate(self, request):
        Wrapped.asked += 1
{evaluate}
    async def close(self):
        await self.inner.close()

@pytest.fixture(scope="session")
def ffparity_paths(ffparity_paths):
    file, db = ffparity_paths
    return [file, Wrapped(db)]
"""


class Gate:
    """A project with this repository's vectors and the built-in paths; PT-08 only on demand."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.root: Path = pytester.path
        pytester.makeini("[pytest]\n")
        self.copy(stress=False)

    def copy(self, *, stress: bool) -> None:
        vectors = json.loads((ROOT / "vectors" / VECTORS).read_text())
        matrix = json.loads((ROOT / "vectors" / MATRIX).read_text())
        if not stress:
            vectors["vectors"] = [v for v in vectors["vectors"] if "stress" not in v]
            matrix["required"].remove("PT-08")
        (self.root / "vectors").mkdir(exist_ok=True)
        (self.root / "vectors" / VECTORS).write_text(json.dumps(vectors))
        (self.root / "vectors" / MATRIX).write_text(json.dumps(matrix))
        shutil.copy(ROOT / "vectors" / EXAMPLES, self.root / "vectors")

    def wrap_db(
        self,
        evaluate: str = "return await self.inner.evaluate(request)",
        prepare: str = "await self.inner.prepare(world)",
    ) -> None:
        """Write a conftest that wraps the db path; both bodies are Python."""
        bodies = {"evaluate": evaluate, "prepare": prepare}
        indented = {name: indent(dedent(body), " " * 8) for name, body in bodies.items()}
        self.pytester.makeconftest(WRAPPER.format(**indented))

    def run(self, *args: str, timeout: float = 300) -> pytest.RunResult:
        return self.pytester.runpytest_subprocess(
            "--ffparity", "--ffparity-report=report.json", *SMALL, *args, timeout=timeout
        )

    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.root / "report.json").read_text())
        return found

    def broken(self) -> dict[str, set[tuple[str, str]]]:
        """The diverging fields and rows of each failed vector."""
        return {
            v["id"]: {(d["field"], d["rule"]) for d in v["divergences"]}
            for v in self.report()["vectors"]
            if v["outcome"] == "failed"
        }


@pytest.fixture
def gate(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Gate:
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "FFPARITY_DSN"):
        monkeypatch.delenv(name, raising=False)
    return Gate(pytester)
