from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ffparity.parity.compare import compare
from pytest_ffparity.parity.judgement import Judgement
from pytest_ffparity.parity.matrix import ParityMatrix
from pytest_ffparity.parity.run import Run
from pytest_ffparity.parity.runner import judge
from pytest_ffparity.parity.verdict import Declared, VectorKey, rule
from pytest_ffparity.vectors.model import (
    Case,
    CasesVector,
    MatrixRow,
    MixCase,
    Phase,
    Stress,
    StressVector,
    Vector,
)


def row(id_: str, field: str, rule: Any = "MUST_MATCH", **more: Any) -> MatrixRow:
    return MatrixRow(
        id=id_, line=1, document="decision", fields=(field,), rule=rule, why="w", **more
    )


MATRIX = ParityMatrix(
    [
        row("R-1", "/v"),
        row("R-2", "/set", compare="unordered"),
        row("R-3", "/near", compare="tolerance", tolerance=1.0),
        row("R-4", "/meta"),
        row("R-6", "/meta/ms", "MAY_DIFFER"),
    ]
)


class Rounds:
    """Answers one thing in the first world that it is brought into, another in the second."""

    def __init__(self, name: str, *answers: Any) -> None:
        self.name = name
        self._answers = answers
        self._round = -1

    def prepare(self, _world: Any) -> None:
        self._round += 1

    async def evaluate(self, _request: Any) -> Any:
        answer = self._answers[min(self._round, len(self._answers) - 1)]
        if isinstance(answer, Exception):
            raise answer
        return answer


def judged(*paths: Any, expected: Any = None, matrix: ParityMatrix = MATRIX) -> Judgement:
    run = Run("n", list(paths), matrix, lambda request, _world: request)
    one: Any = Vector(id="V", title="t", line=1, world=None, request="r", expected=expected)
    if expected is None:
        one = CasesVector(id="V", title="t", line=1, world=None, cases=(Case(id="c", request="r"),))
    return asyncio.run(judge(run, "f.json", one))


def shaky(judgement: Judgement) -> list[tuple[str, str]]:
    return [(u.path, u.field) for u in judgement.unstable]


def blocked(judgement: Judgement) -> bool:
    key = VectorKey("f.json", "V")
    return rule(Declared({key: judgement.digest}, ()), [judgement], nonce="n").verdict == "blocked"


@pytest.mark.parametrize("expected", [None, {"v": 1}], ids=["agree", "expected"])
@pytest.mark.parametrize("answers", [(2, 1), (1, 2)], ids=["first-run", "second-run"])
@pytest.mark.parametrize("place", [0, 1])
def test_an_unstable_path_is_told_as_such_and_not_as_a_divergence(
    place: int, answers: tuple[int, int], expected: Any
) -> None:
    paths = [Rounds("old", {"v": 1}), Rounds("new", {"v": 1})]
    name = paths[place].name
    paths[place] = Rounds(name, *({"v": answer} for answer in answers))
    found = judged(*paths, expected=expected)
    assert shaky(found) == [(name, "/v")]
    assert found.divergences == ()
    assert blocked(found)


def test_a_path_that_is_wrong_beside_an_unstable_one_is_still_told() -> None:
    paths = [Rounds("old", {"v": 1}, {"v": 2}), Rounds("new", {"v": 1}), Rounds("third", {"v": 9})]
    found = judged(*paths, expected={"v": 1})
    assert shaky(found) == [("old", "/v")]
    (divergence,) = found.divergences
    assert [(b.path, b.against) for b in divergence.broken] == [("third", None)]


def test_an_unstable_path_is_never_the_odd_one_out() -> None:
    paths = [Rounds("old", {"v": 2}), Rounds("new", {"v": 2}), Rounds("third", {"v": 3}, {"v": 1})]
    (divergence,) = judged(*paths, expected={"v": 1}).divergences
    assert divergence.odd is None
    assert {b.path for b in divergence.broken} == {"old", "new"}


def test_two_unstable_paths_are_both_told() -> None:
    found = judged(Rounds("old", {"v": 1}, {"v": 2}), Rounds("new", {"v": 2}, {"v": 1}))
    assert shaky(found) == [("old", "/v"), ("new", "/v")]


def test_other_fields_of_an_unstable_path_are_compared_as_ever() -> None:
    new = Rounds("new", {"v": 1, "set": [1]}, {"v": 2, "set": [1]})
    found = judged(Rounds("old", {"v": 1, "set": [2]}), new)
    assert shaky(found) == [("new", "/v")]
    assert [d.field for d in found.divergences] == ["/set"]


@pytest.mark.parametrize(
    ("first", "second", "field"),
    [
        ({"v": 1}, {"v": 1.0}, "/v"),
        ({"v": 1}, {}, "/v"),
        ({"v": None}, {}, "/v"),
        ({"set": [1, 2]}, {"set": [2, 1]}, None),
        ({"set": [1, 2]}, {"set": [1, 2, 2]}, "/set"),
        ({"near": 1.0}, {"near": 2.0}, None),
        ({"near": 1.0}, {"near": 2.1}, "/near"),
        ({"meta": {"ms": 1}}, {"meta": {"ms": 2}}, None),
        ({"meta": {"ms": 1}}, {"meta": {}}, "/meta/ms"),
        ({"meta": {"a": 1}}, {"meta": {"a": 2}}, "/meta/a"),
        ({"meta": {"a": 1}}, {"meta": 1}, "/meta"),
        ({"v": 1}, {"v": 1, "stray": 1}, "/stray"),
        ({"v": 1, "stray": 1}, {"v": 1}, "/stray"),
    ],
)
def test_a_path_is_held_against_itself_by_the_rule_of_each_field(
    first: Any, second: Any, field: str | None
) -> None:
    found = judged(Rounds("old", first), Rounds("new", first, second))
    assert ("new", field) in shaky(found) if field else not found.unstable
    assert field is None or not found.passed


def test_what_has_to_differ_between_paths_has_to_stay_what_it_is() -> None:
    matrix = ParityMatrix([row("R-1", "/v"), row("R-5", "/state", "MUST_DIFFER")])
    old = Rounds("old", {"v": 1, "state": "old"})
    new = {"v": 1, "state": "new"}
    assert judged(old, Rounds("new", new), matrix=matrix).passed
    found = judged(old, Rounds("new", new, {"v": 1, "state": "?"}), matrix=matrix)
    assert shaky(found) == [("new", "/state")]
    assert found.divergences == ()


def test_an_unlisted_field_that_is_always_there_is_a_divergence() -> None:
    found = judged(Rounds("old", {"v": 1}), Rounds("new", {"v": 1, "stray": 1}))
    assert not found.unstable
    assert [d.rule for d in found.divergences] == ["unlisted"]


def test_what_is_unstable_inside_takes_the_whole_out_and_the_other_way_round() -> None:
    new = Rounds("new", {"meta": {"a": 2}}, {"meta": 1})
    found = judged(Rounds("old", {"meta": {"a": 1}}), new)
    assert {path for path, _ in shaky(found)} == {"new"}
    assert found.divergences == ()


def test_a_path_that_raises_only_the_second_time_is_unstable() -> None:
    found = judged(Rounds("old", {"v": 1}), Rounds("new", {"v": 1}, OSError("gone")))
    (one,) = found.unstable
    assert str(one) == (
        "new is unstable: it answered, and raised when it was asked again: OSError: gone"
    )
    assert found.divergences == ()
    assert blocked(found)


def test_a_path_that_raises_only_the_first_time_is_an_error() -> None:
    found = judged(Rounds("old", {"v": 1}), Rounds("new", OSError("gone"), {"v": 1}))
    assert found.unstable == ()
    assert found.paths["new"].error is not None
    assert blocked(found)


def test_a_drift_within_the_tolerance_may_not_leave_what_is_expected() -> None:
    new = Rounds("new", {"near": 1.0}, {"near": 2.0})
    found = judged(Rounds("old", {"near": 0.0}), new, expected={"near": 0.0})
    assert shaky(found) == [("new", "/near")]
    assert found.unstable[0].first.value == 1.0


_DECISIONS = st.fixed_dictionaries(
    {},
    optional={
        "v": st.sampled_from([None, 1, 1.0]),
        "near": st.sampled_from([0, 0.5, 1.5, "x"]),
        "set": st.sampled_from([[1, 2], [2, 1], [1]]),
        "meta": st.sampled_from([1, {}, {"a": 1}, {"ms": 1}, {"a": 1, "ms": 2}]),
        "stray": st.just(0),
    },
)


@given(st.lists(_DECISIONS, min_size=4, max_size=4), st.none() | _DECISIONS)
def test_a_judgement_passes_only_if_every_answer_of_both_runs_meets_every_rule(
    four: list[dict[str, Any]], expected: dict[str, Any] | None
) -> None:
    found = judged(Rounds("old", *four[:2]), Rounds("new", *four[2:]), expected=expected)
    rounds = [{"old": four[n], "new": four[n + 2]} for n in (0, 1)]
    if found.passed:
        assert [compare(expected, each, MATRIX) for each in rounds] == [[], []]
    elif not found.unstable:
        assert compare(expected, rounds[0], MATRIX) or found.problems


def _stress(new: Callable[[int], Any], *, old: Callable[[int], Any] = lambda _: 1) -> Judgement:
    class Nth:
        def __init__(self, name: str, answer: Callable[[int], Any]) -> None:
            self.name, self._answer, self._calls = name, answer, -1

        async def evaluate(self, request: Any) -> Any:
            if request == "quiet":
                return {"v": 1}
            self._calls += 1
            answer = self._answer(self._calls)
            if isinstance(answer, Exception):
                raise answer
            return {"v": answer}

    mix = tuple(
        MixCase(id=name, weight=1, request=name, expected={"v": 1}) for name in ("a", "quiet")
    )
    stress = Stress(
        concurrency=3, p99_ms=60_000, phases=(Phase(name="p", world=None, calls=400, mix=mix),)
    )
    vector = StressVector(id="V", title="t", line=1, stress=stress)
    run = Run("n", [Nth("old", old), Nth("new", new)], MATRIX, lambda request, _world: request)
    return asyncio.run(judge(run, "f.json", vector))


def test_one_call_in_two_hundred_of_a_case_is_unstable() -> None:
    found = _stress(lambda n: 2 if n == 77 else 1)
    (one,) = found.unstable
    assert (one.path, one.field, one.case, one.count) == ("new", "/v", "p/a", 1)
    assert (one.first.value, one.second.value) == (1, 2)
    assert found.divergences == ()
    assert blocked(found)


def test_the_first_path_wavers_and_the_other_is_not_blamed() -> None:
    found = _stress(lambda _: 1, old=lambda n: 2 if n % 3 else 1)
    assert [(u.path, u.case) for u in found.unstable] == [("old", "p/a")]
    assert found.divergences == ()


def test_the_first_path_wavers_and_another_that_is_always_wrong_is_told() -> None:
    found = _stress(lambda _: 3, old=lambda n: 2 if n % 3 else 1)
    assert [u.path for u in found.unstable] == ["old"]
    assert {(b.path, b.against) for d in found.divergences for b in d.broken} == {("new", None)}
    assert sum(d.count for d in found.divergences) == 200


def test_wrong_at_every_call_of_one_case_is_a_divergence_though_the_other_case_is_right() -> None:
    found = _stress(lambda _: 2)
    assert found.unstable == ()
    assert [(d.case, d.count) for d in found.divergences] == [("p/a", 200)]


def test_a_call_that_raises_now_and_then_is_an_error() -> None:
    found = _stress(lambda n: OSError("gone") if n == 5 else 1)
    assert found.paths["new"].error == "p/a: OSError: gone"
    assert blocked(found)
