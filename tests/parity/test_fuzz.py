from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ffparity.parity.fuzz import IN_A_DRAW, MAX_EXAMPLES, Draw, Fuzzer, draws
from pytest_ffparity.parity.judgement import Judgement, Subject
from pytest_ffparity.parity.matrix import ParityMatrix
from pytest_ffparity.parity.run import Run
from pytest_ffparity.parity.runner import judge
from pytest_ffparity.vectors.model import MatrixRow
from pytest_ffparity.vectors.reader import read_vector_file

MATRIX = ParityMatrix(
    [
        MatrixRow(
            id=f"R-{name}",
            line=1,
            document="decision",
            fields=(f"/{name}",),
            rule="MUST_MATCH",
            why="w",
        )
        for name in ("decision", "v", "w", "x", "y")
    ]
)


class Generated(msgspec.Struct):
    world: Any
    requests: list[Any]


class By:
    def __init__(self, name: str, answer: Callable[[Any, int], Any]) -> None:
        self.name, self._answer, self._round = name, answer, 0

    def prepare(self, _world: Any) -> None:
        self._round += 1

    async def evaluate(self, request: Any) -> Any:
        return self._answer(request, self._round)


def good(request: Any, _round: int) -> Any:
    return {"decision": "deny", "v": request["n"], "w": 0, "x": 0, "y": 0}


def worlds(decisions: int, size: int = 10) -> list[Generated]:
    numbers = [list(range(s, min(s + size, decisions))) for s in range(0, decisions, size)]
    return [
        Generated({"flags": [], "noise": [1] * 9}, [{"n": n, "noise": "z" * 9} for n in each])
        for each in numbers
    ]


def judged(
    new: Callable[[Any, int], Any],
    decisions: int = 40,
    *,
    old: Callable[[Any, int], Any] = good,
    drawn: list[Generated] | None = None,
    save: Path | None = None,
) -> Judgement:
    run = Run("n", [By("old", old), By("new", new)], MATRIX, lambda r, _world: r, save=save)
    draw = Draw(id="fuzz-1", seed=7, decisions=decisions)
    given_ = worlds(decisions) if drawn is None else drawn
    return asyncio.run(Fuzzer(run).judge(Subject("m.json", "fuzz-1", "d"), draw, given_))


@given(st.integers(1, 30_000), st.integers(0, 2**32))
def test_the_draws_part_all_decisions_and_can_each_be_drawn_again(count: int, seed: int) -> None:
    found = draws(count, seed)
    assert sum(d.decisions for d in found) == count
    assert all(0 < d.decisions <= IN_A_DRAW for d in found)
    assert [d.seed for d in found] == list(range(seed, seed + len(found)))
    assert [d.id for d in found] == sorted({d.id for d in found})
    (alone,) = draws(found[-1].decisions, found[-1].seed)
    assert (alone.seed, alone.decisions) == (found[-1].seed, found[-1].decisions)


def test_paths_that_agree_on_all_that_was_asked_for_pass() -> None:
    found = judged(good)
    assert found.passed
    assert found.decisions == 40


def test_no_more_is_asked_than_was_asked_for() -> None:
    assert judged(good, 17, drawn=worlds(40)).decisions == 17


@pytest.mark.parametrize(
    "drawn", [[], worlds(39), [Generated({}, [])] * 50], ids=["none", "less", "empty"]
)
def test_fewer_decisions_than_asked_for_are_red(drawn: list[Generated]) -> None:
    found = judged(good, drawn=drawn)
    assert not found.passed
    assert found.problems == (f"{found.decisions} decisions were drawn, expected 40",)


def test_cases_that_no_path_takes_are_red_and_told_a_few_times() -> None:
    def refusing(request: Any, round_: int) -> Any:
        if request["n"] % 2:
            raise ValueError("odd")
        return good(request, round_)

    found = judged(refusing, old=refusing)
    assert not found.passed
    assert found.problems[0] == "decision 2: no path takes it: ValueError: odd"
    assert len(found.problems) == 5


def test_a_divergence_is_shrunk_with_the_command_that_finds_it_again(tmp_path: Path) -> None:
    def new(request: Any, round_: int) -> Any:
        return {**good(request, round_), "v": -1} if request["n"] >= 12 else good(request, round_)

    found = judged(new, save=tmp_path)
    (divergence,) = found.divergences
    assert (divergence.field, divergence.case, divergence.count) == ("/v", "decision 13", 28)
    (example,) = found.examples
    assert (example.case, example.world, example.requests) == ("decision 13", {}, [{"n": 12}])
    assert example.again == "pytest --ffparity-fuzz 40 --ffparity-seed 7"
    assert example.saved is not None


def test_one_path_that_raises_is_an_error_with_an_example() -> None:
    def new(request: Any, round_: int) -> Any:
        if request["n"] == 25:
            raise ValueError("gone")
        return good(request, round_)

    found = judged(new)
    assert found.paths["new"].error == "decision 26: ValueError: gone"
    assert [e.raised for e in found.examples] == [{"new": "ValueError: gone"}]
    assert not found.passed


@pytest.mark.parametrize("place", [0, 1])
def test_a_path_that_disagrees_with_itself_is_unstable_and_no_divergence(place: int) -> None:
    def moody(request: Any, round_: int) -> Any:
        return (
            {**good(request, round_), "v": -round_} if request["n"] == 3 else good(request, round_)
        )

    sides: list[Callable[[Any, int], Any]] = [good, good]
    sides[place] = moody
    found = judged(sides[1], old=sides[0])
    assert [(u.path, u.field, u.case) for u in found.unstable] == [
        (("old", "new")[place], "/v", "decision 4")
    ]
    assert (found.divergences, found.examples) == ((), ())
    assert not found.passed


def test_a_divergence_that_does_not_show_again_is_red_all_the_same() -> None:
    def once(request: Any, round_: int) -> Any:
        return (
            {**good(request, round_), "v": -1}
            if round_ <= 2 and request["n"] == 3
            else good(request, round_)
        )

    found = judged(once)
    assert not found.passed
    assert found.problems == ("decision 4 diverged, and did not when it was asked again",)
    assert found.examples == ()


def test_a_process_shrinks_a_few_kinds_and_each_once() -> None:
    def new(request: Any, round_: int) -> Any:
        return {**good(request, round_), "vwxy"[request["n"] % 4]: "other"}

    run = Run("n", [By("old", good), By("new", new)], MATRIX, lambda r, _world: r)
    fuzzer = Fuzzer(run)
    both = [
        asyncio.run(fuzzer.judge(Subject("m", d.id, "d"), d, worlds(d.decisions)))
        for d in draws(IN_A_DRAW + 10, 1)
    ]
    assert [len(j.examples) for j in both] == [MAX_EXAMPLES, 0]
    assert [{d.field for d in j.divergences} for j in both] == [{"/v", "/w", "/x", "/y"}] * 2
    assert not any(j.passed for j in both)


def test_a_deny_that_became_an_allow_is_told_as_opened() -> None:
    def new(request: Any, round_: int) -> Any:
        return {**good(request, round_), "decision": "allow" if request["n"] == 3 else "deny"}

    assert judged(new).opened == ("new",)


class Writing(By):
    """A path whose writes come to an end of its own where a flag of the world is `big`."""

    outcomes: Any = None

    def prepare(self, world: Any) -> None:
        ends = ["refused" if w.get("big") and self.name == "new" else "written" for w in world["w"]]
        self.outcomes = ends


def test_writes_that_come_to_different_ends_are_shrunk_and_saved(tmp_path: Path) -> None:
    writes = [{"n": n, "big": n == 2, "noise": [n] * 5} for n in range(4)]
    drawn = [Generated({"w": writes, "noise": [1]}, [{"n": 1}, {"n": 2}]) for _ in range(3)]
    run = Run(
        "n", [Writing("old", good), Writing("new", good)], MATRIX, lambda r, _w: r, save=tmp_path
    )
    draw = draws(6, 7)[0]
    found = asyncio.run(Fuzzer(run).judge(Subject("m.json", draw.id, "d"), draw, drawn))
    assert not found.passed
    (example,) = found.examples
    assert example.world == {"w": [{"big": True}]}
    assert len(example.requests) == 1
    assert example.case == (
        'decision 1: the world\'s writes came to different ends: old ["written"], new ["refused"]'
    )
    saved = read_vector_file(Path(str(example.saved))).vectors[0]
    assert saved.title == "The world's writes come to different ends"
    assert not asyncio.run(judge(run, "saved.json", saved)).passed
    mended = Run("n", [Writing("old", good), Writing("older", good)], MATRIX, lambda r, _w: r)
    assert asyncio.run(judge(mended, "saved.json", saved)).passed
