"""A path that disagrees with itself is told as that, and not as a divergence from another."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_ffparity.vectors.model import MixCase, Phase, Stress, StressVector, Vector


def vector(**expected: Any) -> Vector:
    return Vector(id="V", title="t", line=1, world=None, request={}, expected=expected)


def right(_world: Any, _request: Any, _nth: int) -> Any:
    return "a"


def counting(_world: Any, _request: Any, nth: int) -> Any:
    return f"a{nth}"


@pytest.mark.parametrize("first", ["file", "db"])
def test_only_the_unstable_path_is_named(lab: Any, first: str) -> None:
    paths = [lab.path(n, counting if n == first else right) for n in ("file", "db")]
    found = lab.judged(vector(value="a"), *paths)
    assert found.divergences == ()
    assert [(u.path, u.field, u.first.value, u.second.value) for u in found.unstable] == [
        (first, "/value", "a1", "a2")
    ]
    assert not found.passed


def test_another_path_that_is_wrong_at_the_same_field_is_told_too(lab: Any) -> None:
    wrong = lab.path("db", lambda *_: "b")
    found = lab.judged(vector(value="a"), lab.path("file", counting), wrong)
    assert [u.path for u in found.unstable] == ["file"]
    (divergence,) = found.divergences
    assert [str(b) for b in divergence.broken] == ["db misses the expectation"]


def test_what_may_differ_and_what_has_to_differ_is_held_against_itself_by_its_own_rule(
    lab: Any,
) -> None:
    def answer(by: str, ms: int) -> dict[str, Any]:
        return {"value": "a", "by": by, "ms": ms}

    steady = lab.path("file", lambda _w, _r, n: answer("file", n))
    found = lab.judged(vector(value="a"), steady, lab.path("db", lambda _w, _r, n: answer("db", n)))
    assert found.passed
    moody = lab.path("db", lambda _w, _r, n: answer("db" if n == 1 else "file", n))
    found = lab.judged(vector(value="a"), steady, moody)
    assert [(u.path, u.field, u.rule) for u in found.unstable] == [("db", "/by", "R-3")]
    assert not found.passed


def test_an_unordered_field_may_come_in_another_order(lab: Any) -> None:
    def listed(_world: Any, _request: Any, nth: int) -> Any:
        return {"list": [1, 2] if nth % 2 else [2, 1], "by": "db"}

    steady = lab.path("file", lambda *_: {"list": [1, 2], "by": "file"})
    assert lab.judged(vector(list=[1, 2]), steady, lab.path("db", listed)).passed


def test_raising_when_asked_again_is_unstable(lab: Any) -> None:
    def once(_world: Any, _request: Any, nth: int) -> Any:
        if nth > 1:
            raise RuntimeError("spent")
        return "a"

    found = lab.judged(vector(value="a"), lab.path("file", right), lab.path("db", once))
    assert [u.path for u in found.unstable] == ["db"]
    assert "spent" in str(found.unstable[0])
    assert found.divergences == ()
    assert not found.passed


def test_a_path_that_raised_is_not_asked_again(lab: Any) -> None:
    def never(*_: Any) -> Any:
        raise RuntimeError("down")

    path = lab.path("db", never)
    found = lab.judged(vector(value="a"), lab.path("file", right), path)
    assert (path.calls, found.unstable, found.passed) == (1, (), False)


def stress(calls: int) -> StressVector:
    case = MixCase(id="a", weight=1, request={}, expected={"value": "a"})
    phase = Phase(name="p", world=None, calls=calls, mix=(case,))
    return StressVector(
        id="S", title="t", line=1, stress=Stress(concurrency=4, p99_ms=60_000, phases=(phase,))
    )


@pytest.mark.parametrize("first", ["file", "db"])
def test_under_load_one_call_in_many_is_unstable_and_not_a_divergence(lab: Any, first: str) -> None:
    def seldom(_world: Any, _request: Any, nth: int) -> Any:
        return "b" if nth == 77 else "a"

    paths = [lab.path(n, seldom if n == first else right) for n in ("file", "db")]
    found = lab.judged(stress(200), *paths)
    assert found.divergences == ()
    assert [(u.path, u.case, u.count) for u in found.unstable] == [(first, "p/a", 1)]
    assert not found.passed


def test_under_load_what_is_always_wrong_is_a_divergence(lab: Any) -> None:
    found = lab.judged(stress(200), lab.path("file", right), lab.path("db", lambda *_: "b"))
    assert found.unstable == ()
    assert [(d.field, d.count) for d in found.divergences] == [("/value", 200)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answers=st.lists(st.sampled_from(["a", "b", None]), min_size=4, max_size=4))
def test_nothing_passes_unless_every_answer_is_right(lab: Any, answers: list[Any]) -> None:
    def given_by(two: list[Any]) -> Any:
        def answer(_world: Any, _request: Any, nth: int) -> Any:
            if two[nth - 1] is None:
                raise RuntimeError("down")
            return two[nth - 1]

        return answer

    file, db = lab.path("file", given_by(answers[:2])), lab.path("db", given_by(answers[2:]))
    assert lab.judged(vector(value="a"), file, db).passed is (set(answers) == {"a"})
