from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest

WRONG = """
class Wrong(Toy):
    async def evaluate(self, request):
        return {"answer": 1, "by": self.name} if request["ask"] == "V-2" else await super().evaluate(request)

@pytest.fixture(scope="session")
def ffparity_paths():
    return [Toy("old"), Wrong("new")]
"""
# Two runs of one attempt, and then the answer that is right.
MENDED = """
class Mended(Toy):
    calls = 0
    async def evaluate(self, request):
        Mended.calls += 1
        wrong = request["ask"] == "V-1" and Mended.calls <= 2
        return {"answer": 1, "by": self.name} if wrong else await super().evaluate(request)

@pytest.fixture(scope="session")
def ffparity_paths():
    return [Toy("old"), Mended("new")]
"""
STRESS = {
    "id": "S-1",
    "title": "One, many times",
    "stress": {
        "concurrency": 2,
        "p99_ms": 60000,
        "phases": [
            {
                "name": "only",
                "calls": 20,
                "mix": [{"id": "m", "weight": 1, "request": {"ask": 1}, "expected": {"answer": 1}}],
            }
        ],
    },
}


def written(project: Any) -> dict[str, list[tuple[str, str]]]:
    """The properties of each test case, in their order."""
    root = ET.parse(project.root / "junit.xml").getroot()  # noqa: S314 - written by the run
    return {
        case.get("name", ""): [
            (each.get("name", ""), each.get("value", "")) for each in case.iter("property")
        ]
        for case in root.iter("testcase")
    }


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_each_vector_has_its_properties_in_the_junit_file(
    project: Any, workers: tuple[str, ...]
) -> None:
    project.conftest(WRONG)
    project.vectors("V-1", "V-2")
    project.write("stress.json", {"schema_version": "1", "vectors": [STRESS]})
    files = ("vectors/parity_test_matrix.json", "vectors/stress.json")
    project.run("--junitxml=junit.xml", *files, *workers)
    found = written(project)
    assert set(found) == {"V-1", "V-2", "S-1"}
    latencies = ["ffparity.latency_ms.old", "ffparity.latency_ms.new"]
    assert [name for name, _ in found["V-1"]] == ["ffparity.outcome", *latencies]
    assert found["V-1"][0] == ("ffparity.outcome", "passed")
    assert found["V-2"][:3] == [
        ("ffparity.outcome", "failed"),
        ("ffparity.rows", "R-1"),
        ("ffparity.fields", "/answer"),
    ]
    stress = dict(found["S-1"])
    assert stress["ffparity.outcome"] == "passed"
    assert float(stress["ffparity.p99_ms.old"]) >= 0
    assert float(stress["ffparity.p99_ms.new"]) >= 0


def test_a_vector_that_is_run_again_has_them_once_and_stays_failed(project: Any) -> None:
    project.conftest(MENDED)
    project.vectors("V-1")
    project.run("--junitxml=junit.xml", "--reruns=2")
    (properties,) = written(project).values()
    names = [name for name, _ in properties]
    assert len(names) == len(set(names))
    assert properties[0] == ("ffparity.outcome", "failed")
    assert project.report()["vectors"][0]["outcome"] == "failed"


def test_the_users_own_properties_stay(project: Any) -> None:
    project.conftest(
        """
@pytest.fixture(autouse=True)
def mark(record_property):
    record_property("team", "flags")
"""
    )
    project.vectors("V-1")
    project.run("--junitxml=junit.xml")
    (properties,) = written(project).values()
    assert properties[:2] == [("team", "flags"), ("ffparity.outcome", "passed")]


def test_a_vector_without_a_judgement_has_none(project: Any) -> None:
    project.conftest(
        """
def pytest_collection_modifyitems(items):
    items[0].add_marker(pytest.mark.skip(reason="flaky"))
"""
    )
    project.vectors("V-1")
    project.run("--junitxml=junit.xml")
    assert written(project) == {"V-1": []}
