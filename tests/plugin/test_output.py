from __future__ import annotations

from typing import Any


def test_many_vectors_give_a_short_section(project: Any) -> None:
    project.vectors(*(f"x{i}.b-c_{i}" for i in range(200)))
    result = project.run()
    assert result.ret == 0
    section = result.stdout.str().partition("= ffparity =")[2]
    assert len(section.splitlines()) <= 40
    assert max(map(len, section.splitlines())) <= 120
    result.stdout.fnmatch_lines(["*verdict  GO  200 of 200 vectors passed"])


def test_a_huge_value_is_cut_where_a_person_reads_it(project: Any) -> None:
    project.conftest(
        """
class Wordy(Toy):
    async def evaluate(self, request):
        return {"answer": "x" * 1_000_000, "by": self.name}

@pytest.fixture(scope="session")
def ffparity_paths():
    return [Toy("old"), Wordy("new")]
"""
    )
    project.vectors("V-1")
    result = project.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*new  *xxx... 1,000,002 characters"])
    (vector,) = project.report()["vectors"]
    assert len(vector["paths"]["new"]["decision"]["answer"]) == 1_000_000
