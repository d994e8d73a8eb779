"""A path that disagrees with itself is told so, and not held against the other."""

from __future__ import annotations

from typing import Any

import pytest

COUNTING = """
class Counting(Toy):
    asked = 0
    async def evaluate(self, request):
        Counting.asked += 1
        return {"answer": request["ask"] + str(Counting.asked), "by": self.name}

@pytest.fixture(scope="session")
def ffparity_paths():
    return [PATHS]
"""


@pytest.mark.parametrize("workers", [[], ["-n", "2"], ["-p", "no:xdist"]], ids=" ".join)
@pytest.mark.parametrize("name", ["old", "new"])
def test_an_unstable_path_is_named_and_blocks(project: Any, workers: list[str], name: str) -> None:
    listed = [f'{"Counting" if name == n else "Toy"}("{n}")' for n in ("old", "new")]
    project.conftest(COUNTING.replace("PATHS", ", ".join(listed)))
    project.vectors("V-1")
    result = project.run(*workers)
    assert result.ret == 1
    marks = "~." if name == "old" else ".~"
    result.stdout.fnmatch_lines(
        [
            f"V-1: {name} disagrees with itself",
            f"{name} is unstable at /answer (R-1)",
            '    once   "V-11"',
            '    again  "V-12"',
            "marks *  ~ disagrees with itself",
            f"V-1     {marks}*",
            "verdict  BLOCKED*",
            f"         - V-1: {name} is unstable at /answer (R-1)",
        ]
    )
    (vector,) = project.report()["vectors"]
    assert vector["divergences"] == []
    assert [u["path"] for u in vector["unstable"]] == [name]


def test_a_path_that_raises_the_second_time_is_unstable(project: Any) -> None:
    project.conftest(
        """
class Once(Toy):
    asked = 0
    async def evaluate(self, request):
        Once.asked += 1
        if Once.asked > 1:
            raise RuntimeError("spent")
        return {"answer": request["ask"], "by": self.name}

@pytest.fixture(scope="session")
def ffparity_paths():
    return [Toy("old"), Once("new")]
"""
    )
    project.vectors("V-1")
    result = project.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["new is unstable: *raised when it was asked again: *spent*"])
