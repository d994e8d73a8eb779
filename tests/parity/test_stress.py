from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ffparity.parity.judgement import Judgement
from pytest_ffparity.parity.matrix import ParityMatrix
from pytest_ffparity.parity.percentiles import histogram, latency, nearest_rank
from pytest_ffparity.parity.run import Run
from pytest_ffparity.parity.runner import judge
from pytest_ffparity.vectors.model import MatrixRow, MixCase, Phase, Stress, StressVector

MATRIX = ParityMatrix(
    [MatrixRow(id="R-1", line=1, document="decision", fields=("/v",), rule="MUST_MATCH", why="w")]
)


class Counting:
    """Answers after giving way once, and notes how many calls were in flight."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.calls: list[Any] = []
        self.worlds: list[Any] = []
        self.in_flight = self.most = 0

    def prepare(self, world: Any) -> None:
        self.worlds.append(world)

    async def evaluate(self, request: Any) -> Any:
        self.calls.append(request)
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        await asyncio.sleep(0)
        self.in_flight -= 1
        return {"v": request}


def vector(*phases: Phase, p99_ms: float = 60_000) -> StressVector:
    stress = Stress(concurrency=4, p99_ms=p99_ms, phases=phases)
    return StressVector(id="S", title="s", line=1, stress=stress)


def phase(name: str, calls: int, **weights: int) -> Phase:
    mix = tuple(
        MixCase(id=case, weight=weight, request=case, expected={"v": case})
        for case, weight in weights.items()
    )
    return Phase(name=name, world={"name": name}, calls=calls, mix=mix)


def judged(one: StressVector, *paths: Any) -> Judgement:
    run = Run("n", list(paths), MATRIX, lambda request, _world: request)
    return asyncio.run(judge(run, "f.json", one))


def test_every_path_gets_the_same_calls_by_weight_at_the_stated_concurrency() -> None:
    old, new = Counting("old"), Counting("new")
    found = judged(vector(phase("p", 400, a=3, b=1), phase("q", 10, a=1)), old, new)
    assert found.passed
    assert sorted(old.calls[:400]) == ["a"] * 300 + ["b"] * 100
    assert old.calls == new.calls
    assert old.worlds == [{"name": "p"}, {"name": "q"}]
    assert old.most == 4
    assert found.stress is not None
    figures = found.stress.paths["new"]
    assert (figures.latency.n, figures.concurrency) == (410, 4)
    assert [(p.name, p.latency.n) for p in figures.phases] == [("p", 400), ("q", 10)]


def test_a_phase_that_misses_the_limit_fails_though_the_whole_holds_it() -> None:
    class Slow(Counting):
        async def evaluate(self, request: Any) -> Any:
            if request == "slow":
                await asyncio.sleep(0.05)
            return await super().evaluate(request)

    one = vector(phase("fast", 2000, a=1), phase("late", 10, slow=1), p99_ms=40)
    found = judged(one, Counting("old"), Slow("new"))
    assert not found.passed
    assert found.stress is not None
    assert [text.split(" p99")[0] for text in found.stress.missed] == ["new:"]
    assert "in late" in found.stress.missed[0]


def test_the_limit_itself_is_not_under_the_limit() -> None:
    found = judged(vector(phase("p", 10, a=1), p99_ms=0.0), Counting("old"), Counting("new"))
    assert found.stress is not None
    assert len(found.stress.missed) == 4


def test_one_wrong_answer_among_many_is_found_and_named() -> None:
    class Wrong(Counting):
        async def evaluate(self, request: Any) -> Any:
            nth = len(self.calls)
            answer = await super().evaluate(request)
            return {"v": "b"} if nth == 77 else answer

    found = judged(vector(phase("p", 200, a=1)), Counting("old"), Wrong("new"))
    assert found.divergences == ()
    (shaky,) = found.unstable
    assert (shaky.path, shaky.case, shaky.count, shaky.field) == ("new", "p/a", 1, "/v")
    assert not found.passed


def test_an_answer_that_is_wrong_at_every_call_is_a_divergence() -> None:
    class Wrong(Counting):
        async def evaluate(self, request: Any) -> Any:
            await super().evaluate(request)
            return {"v": "b"}

    found = judged(vector(phase("p", 200, a=1)), Counting("old"), Wrong("new"))
    (divergence,) = found.divergences
    assert (divergence.case, divergence.count, divergence.field) == ("p/a", 200, "/v")
    assert found.unstable == ()


def test_errors_fail_the_vector_and_stay_in_the_percentiles() -> None:
    class Failing(Counting):
        async def evaluate(self, request: Any) -> Any:
            await super().evaluate(request)
            raise ConnectionError("gone")

    found = judged(vector(phase("p", 20, a=1)), Counting("old"), Failing("new"))
    assert not found.passed
    assert found.paths["new"].error == "p/a: ConnectionError: gone (and 19 more)"
    assert found.stress is not None
    assert (found.stress.paths["new"].errors, found.stress.paths["new"].latency.n) == (20, 20)


def test_a_phase_that_cannot_be_prepared_fails_the_vector() -> None:
    class Homeless(Counting):
        def prepare(self, world: Any) -> None:
            raise RuntimeError(f"no world {world['name']}")

    found = judged(vector(phase("p", 5, a=1)), Counting("old"), Homeless("new"))
    assert not found.passed
    assert found.stress is not None
    assert found.stress.missed == ("new: not measured, because no phase could be run",)


@pytest.mark.parametrize(
    ("percent", "expected"), [(50, 50), (95, 95), (99, 99), (100, 100), (0.5, 1), (98.1, 99)]
)
def test_nearest_rank(percent: float, expected: int) -> None:
    assert nearest_rank(list(range(1, 101)), percent) == expected


@given(st.lists(st.integers(0, 10**9), min_size=1), st.sampled_from([50, 95, 99]))
def test_at_least_p_percent_of_the_samples_do_not_exceed_the_percentile(
    samples: list[int], percent: int
) -> None:
    ordered = sorted(samples)
    found = nearest_rank(ordered, percent)
    assert found in ordered
    assert 100 * sum(s <= found for s in ordered) >= percent * len(ordered)
    assert 100 * sum(s < found for s in ordered) < percent * len(ordered)


def test_latency_is_exact() -> None:
    found = latency([3_000_000, 1_000_000, 2_000_000])
    assert (found.n, found.p50_ms, found.p99_ms, found.max_ms) == (3, 2.0, 3.0, 3.0)


def test_a_histogram_has_every_sample_not_above_its_bucket_and_above_the_one_before() -> None:
    found = histogram([1_000_000, 1_000_001, 1_258_000, 999_999, 0])
    assert [(round(b.up_to_ms, 6), b.n) for b in found] == [(1e-06, 1), (1.0, 2), (1.258925, 2)]


@given(st.lists(st.integers(0, 10**11)))
def test_a_histogram_loses_no_sample(samples: list[int]) -> None:
    found = histogram(samples)
    assert sum(b.n for b in found) == len(samples)
    assert [b.up_to_ms for b in found] == sorted({b.up_to_ms for b in found})
    below = 0
    for bucket in found:
        below += bucket.n
        assert sum(ns / 1e6 <= bucket.up_to_ms * (1 + 1e-9) for ns in samples) >= below
