from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_ffparity.errors import FFParityError
from pytest_ffparity.parity.cases import MAX_EXAMPLES
from pytest_ffparity.parity.judgement import Judgement
from pytest_ffparity.parity.matrix import ParityMatrix
from pytest_ffparity.parity.pseudonyms import Pseudonyms
from pytest_ffparity.parity.run import Run
from pytest_ffparity.parity.runner import judge
from pytest_ffparity.vectors.model import Case, CasesVector, MatrixRow

RULES: list[tuple[str, Any]] = [("v", "MUST_MATCH"), ("w", "MUST_MATCH"), ("ms", "MAY_DIFFER")]
MATRIX = ParityMatrix(
    [
        MatrixRow(
            id=f"R-{name}", line=1, document="decision", fields=(f"/{name}",), rule=rule, why="w"
        )
        for name, rule in RULES
    ]
)


class By:
    """Answers by a function of the request, and of all requests before it in this world."""

    def __init__(self, name: str, answer: Callable[[Any, list[Any]], Any]) -> None:
        self.name = name
        self._answer = answer
        self._before: list[Any] = []
        self.prepared = 0

    def prepare(self, _world: Any) -> None:
        self._before = []
        self.prepared += 1

    async def evaluate(self, request: Any) -> Any:
        answer = self._answer(request, list(self._before))
        self._before.append(request)
        return answer


def same(request: Any, _before: Any) -> Any:
    return {"v": request["n"] % 3 == 0, "w": 1, "ms": 0.5}


def judged(*paths: Any, count: int = 50, expected: Any = None, **run: Any) -> Judgement:
    listed = tuple(
        Case(id=f"c{n}", request={"n": n, "noise": {"x": [n] * 3}}, expected=expected)
        for n in range(count)
    )
    vector = CasesVector(id="V", title="t", line=1, world={"big": [1] * 20}, cases=listed)
    how = Run("n", list(paths), MATRIX, lambda request, _world: request)
    for name, value in run.items():
        how = Run(**{**{f: getattr(how, f) for f in how.__struct_fields__}, name: value})
    return asyncio.run(judge(how, "f.json", vector))


def test_thousands_of_cases_that_agree_pass_in_one_judgement() -> None:
    found = judged(By("old", same), By("new", same), count=5000)
    assert found.passed
    assert (found.decisions, found.examples) == (5000, ())


def test_divergences_are_counted_by_field_and_the_first_ones_shrunk() -> None:
    def new(request: Any, before: Any) -> Any:
        answer = same(request, before)
        if request["n"] % 10 == 7:
            answer["v"] = not answer["v"]
        if request["n"] % 100 == 3:
            answer["w"] = "1"
        return answer

    found = judged(By("old", same), By("new", new), count=5000)
    assert [(d.field, d.count, d.case) for d in found.divergences] == [
        ("/w", 50, "c3"),
        ("/v", 500, "c7"),
    ]
    assert [(e.case, e.world, e.requests) for e in found.examples] == [
        ("c3", {}, [{"n": 3}]),
        ("c7", {}, [{"n": 7}]),
    ]
    assert [d.field for d in found.examples[0].divergences] == ["/w"]


def test_the_same_rate_over_other_users_is_a_divergence_for_each_of_them() -> None:
    def old(request: Any, _before: Any) -> Any:
        return {"v": request["n"] % 10 < 3, "w": 1}

    def new(request: Any, _before: Any) -> Any:
        return {"v": request["n"] % 10 >= 7, "w": 1}

    found = judged(By("old", old), By("new", new), count=1000)
    assert sum(d.count for d in found.divergences) == 600


def test_a_divergence_that_rests_on_the_cases_before_keeps_those_it_needs() -> None:
    def new(request: Any, before: list[Any]) -> Any:
        answer = same(request, before)
        if request["n"] == 40 and any(b.get("n") == 33 for b in before):
            answer["w"] = 2
        return answer

    found = judged(By("old", same), By("new", new))
    assert [(d.field, d.case) for d in found.divergences] == [("/w", "c40")]
    assert found.examples[0].requests == [{"n": 33}, {"n": 40}]


def test_an_expectation_is_met_by_every_path_or_told() -> None:
    found = judged(By("old", same), By("new", same), count=6, expected={"v": True, "w": 1})
    assert [(d.field, d.count, str(d.broken[0])) for d in found.divergences] == [
        ("/v", 4, "old misses the expectation")
    ]
    assert found.examples == ()


def test_there_are_never_more_examples_than_a_few() -> None:
    def new(request: Any, _before: Any) -> Any:
        return {"v": 1, "w": 1, f"stray{request['n']}": 1}

    def old(_request: Any, _before: Any) -> Any:
        return {"v": 1, "w": 1}

    found = judged(By("old", old), By("new", new), count=20)
    assert len(found.examples) == MAX_EXAMPLES
    assert len(found.divergences) == 20


def test_a_case_that_one_path_refuses_is_an_error_with_an_example() -> None:
    def new(request: Any, before: Any) -> Any:
        if request["n"] == 9:
            raise ValueError("nine")
        return same(request, before)

    found = judged(By("old", same), By("new", new))
    assert found.paths["new"].error == "c9: ValueError: nine"
    assert found.examples[0].raised == {"new": "ValueError: nine"}
    assert found.examples[0].requests == [{"n": 9}]


def test_cases_that_every_path_refuses_are_errors_without_an_example() -> None:
    def refusing(_request: Any, _before: Any) -> Any:
        raise ValueError("no")

    found = judged(By("old", refusing), By("new", refusing), count=3)
    assert not found.passed
    assert found.paths["old"].error == "c0: ValueError: no (and 2 more)"
    assert found.examples == ()


def test_a_case_in_which_a_path_is_unstable_makes_no_example() -> None:
    class Unsteady(By):
        async def evaluate(self, request: Any) -> Any:
            answer = await super().evaluate(request)
            return {**answer, "w": self.prepared} if request["n"] == 5 else answer

    found = judged(By("old", same), Unsteady("new", same))
    assert [(u.path, u.field, u.case) for u in found.unstable] == [("new", "/w", "c5")]
    assert (found.divergences, found.examples) == ((), ())
    assert not found.passed


def test_requests_that_no_token_can_be_made_of_do_not_stop_the_shrinking() -> None:
    def materialise(request: Any, _world: Any) -> Any:
        if "noise" not in request:
            raise FFParityError("claims are missing")
        return request

    def new(request: Any, before: Any) -> Any:
        return {**same(request, before), "w": 2}

    found = judged(By("old", same), By("new", new), count=2, materialise=materialise)
    assert found.examples[0].requests == [{"n": 0, "noise": {}}]


@pytest.mark.parametrize("world", [None, {"flags": []}], ids=repr)
def test_an_example_is_saved_with_and_without_a_world(world: Any, tmp_path: Path) -> None:
    def new(request: Any, before: Any) -> Any:
        return {**same(request, before), "w": 2}

    listed = (Case(id="c", request={"n": 1}),)
    vector = CasesVector(id="V", title="t", line=1, world=world, cases=listed)
    paths = [By("old", same), By("new", new)]
    run = Run("n", list(paths), MATRIX, lambda request, _world: request, save=tmp_path)
    (example,) = asyncio.run(judge(run, "f.json", vector)).examples
    assert example.saved is not None
    assert Path(example.saved).is_file()


def test_a_request_that_can_not_be_made_names_its_case() -> None:
    def materialise(request: Any, _world: Any) -> Any:
        if request["n"] == 7:
            raise FFParityError("no such fault: sleepy")
        return request

    with pytest.raises(FFParityError, match=r"^case c7: no such fault: sleepy$"):
        judged(By("old", same), By("new", same), materialise=materialise)


def test_a_captured_request_that_can_not_be_made_is_told_by_its_place() -> None:
    def materialise(request: Any, _world: Any) -> Any:
        if request["n"] == 1:
            raise FFParityError("no such fault: sleepy")
        return request

    listed = tuple(Case(id=f"of ann {n}", request={"n": n}) for n in range(3))
    vector = CasesVector(id="V", title="t", line=1, world={}, cases=listed, captured=True)
    how = Run(
        "n",
        [By("old", same), By("new", same)],
        MATRIX,
        materialise,
        pseudonyms=Pseudonyms(b"k"),
    )
    with pytest.raises(FFParityError, match=r"^request 2: no such fault: sleepy$"):
        asyncio.run(judge(how, "f.json", vector))
