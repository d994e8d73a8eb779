"""The writes of a world: made on both stores before the first request, and told apart."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from pytest_ffparity.paths.builtin import BuiltinPath, builtin_paths
from pytest_ffparity.paths.keys import KeyRing
from pytest_ffparity.paths.world import ShapeError
from pytest_ffparity.paths.writes import WriteOutcomeError

NUMBER = {"value_type": "number", "default_value": 1, "safe_value": 0}
TEXT = {"value_type": "string", "default_value": "new", "safe_value": ""}
SEEDED = {"flag_key": "ff.x", **NUMBER, "version": 7}
OF_T = {"flag_key": "ff.x", "tenant_id": "T"}
OF_U = {**OF_T, "user_id": "U"}
ASKED = {"flag_key": "ff.x", "headers": {"X-FF-Tenant": "T", "X-FF-User": "U"}}


def world(*writes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "now": "2026-04-19T00:00:00Z",
        "environment": {"FF_ALLOW_DEV_HEADERS": "true"},
        "flags": [SEEDED],
        "writes": list(writes),
        **more,
    }


class Bench:
    def __init__(self, paths: list[BuiltinPath], loop: asyncio.Runner) -> None:
        self.paths, self.loop = paths, loop

    def answers(self, given: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Give the decision and what the writes came to: both paths agree on them."""

        async def main() -> list[Any]:
            ends: list[Any] = []
            for path in self.paths:
                await path.prepare(given)
                decision = (await path.evaluate(ASKED)).to_dict()
                meta = {"backing_state": None, "latency_ms": None}
                decision["meta"] |= meta
                ends.append((decision, path.outcomes))
            return ends

        file, db = self.loop.run(main())
        assert file == db
        return file  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with ExitStack() as stack:
        loop = stack.enter_context(asyncio.Runner())
        folder = tmp_path_factory.mktemp("paths")
        paths = builtin_paths(folder=folder, dsn=None, keys=KeyRing(), run=loop.run)
        yield Bench(stack.enter_context(paths), loop)


def test_the_reads_see_what_the_writes_left(bench: Bench) -> None:
    decision, outcomes = bench.answers(
        world(
            {**OF_U, "record": {"value": 5}},
            {**OF_T, "record": {"value": 6}},
            {**OF_U, "record": None, "expects": 1},
            {**OF_T, "record": {"value": 2**53 + 1}, "expects": 2},
        )
    )
    assert (decision["reason"], decision["value"]) == ("tenant_override", 2**53 + 1)
    assert [one["outcome"] for one in outcomes] == ["written"] * 4
    assert [one["version"] for one in outcomes] == [1, 2, None, 3]


def test_a_flag_made_anew_has_none_of_its_old_overrides(bench: Bench) -> None:
    decision, outcomes = bench.answers(
        world(
            {"flag_key": "ff.x", "record": None, "expects": 7},
            {"flag_key": "ff.x", "record": TEXT},
            tenant_overrides=[{**OF_T, "value": 3, "version": 9}],
        )
    )
    fresh, _ = bench.answers(world(flags=[{"flag_key": "ff.x", **TEXT, "version": 1}]))
    assert (decision["reason"], decision["value"]) == ("registry_default", "new")
    assert decision["meta"]["flag_version"] == fresh["meta"]["flag_version"]
    assert outcomes[1] == {"outcome": "written", "version": 10}


def test_the_next_world_knows_nothing_of_the_writes(bench: Bench) -> None:
    bench.answers(world({"flag_key": "ff.x", "record": None, "expects": 7}))
    decision, outcomes = bench.answers(world())
    assert (decision["reason"], outcomes) == ("registry_default", [])


@pytest.mark.parametrize(
    ("write", "outcome"),
    [
        ({"flag_key": "ff.x", "record": NUMBER}, {"outcome": "conflict", "found": 7}),
        ({"flag_key": "ff.x", "record": None, "expects": 6}, {"outcome": "conflict", "found": 7}),
        ({**OF_T, "record": None}, {"outcome": "conflict", "found": None}),
        ({**OF_T, "record": {"value": "5"}}, "expected a value of the flag's type, number"),
        ({"flag_key": "", "record": NUMBER}, "expected a string of 1 to 200 bytes"),
        ({"flag_key": "x" * 201, "record": NUMBER}, "expected a string of 1 to 200 bytes"),
        ({"flag_key": "a\x00", "record": NUMBER}, "expected a string of 1 to 200 bytes"),
        ({"flag_key": "ff.x", "record": TEXT, "expects": 7}, "the flag's type is number"),
        ({**OF_T, "record": {"value": 5, "version": 1}}, "is not part of the record"),
        ({**OF_T, "flag_key": "ff.y", "record": {"value": 5}}, "there is no sound flag"),
    ],
)
def test_a_write_that_is_not_made_is_part_of_the_world(
    bench: Bench, write: dict[str, Any], outcome: Any
) -> None:
    decision, (found,) = bench.answers(world(write))
    assert (decision["reason"], decision["value"]) == ("registry_default", 1)
    if isinstance(outcome, dict):
        assert found == outcome
    else:
        assert found["outcome"] == "refused"
        assert outcome in found["problem"]


def test_a_stated_outcome_has_to_be_that_of_the_store(bench: Bench) -> None:
    made = {**OF_T, "record": {"value": 5}}
    bench.answers(world({**made, "outcome": "written"}, {**made, "outcome": "conflict"}))
    for path in bench.paths:
        with pytest.raises(WriteOutcomeError) as found:
            bench.loop.run(path.prepare(world(made, {**made, "outcome": "refused"})))
        assert str(found.value) == (
            f"/world/writes/1: it is to be refused, and the {path.name} store's outcome is conflict "
            "(found 1); mend the world or the store"
        )


def test_values_are_spoilt_and_stores_taken_away_after_the_writes(bench: Bench) -> None:
    made = {**OF_T, "record": {"value": 5}}
    spoilt, _ = bench.answers(world(made, corrupt=[{**OF_T, "value": "5"}]))
    assert spoilt["reason"] == "record_invalid"
    missing, outcomes = bench.answers(world(made, backing="missing"))
    assert missing["reason"] == "backing_unavailable"
    assert outcomes == [{"outcome": "written", "version": 1}]


@pytest.mark.parametrize(
    ("write", "sentence"),
    [
        ({"flag_key": "x"}, '/record: found nothing, expected the key "record"'),
        ({"flag_key": "x", "user_id": "U", "record": None}, "/tenant_id: found nothing"),
        ({"flag_key": "x", "record": 5}, "/record: found the number 5, expected an object or null"),
        ({"flag_key": "x", "record": None, "expects": "1"}, '/expects: found the text "1"'),
        ({"flag_key": "x", "record": None, "outcome": "ok"}, '/outcome: found the text "ok"'),
    ],
)
def test_what_is_no_write_is_said_with_its_place(
    bench: Bench, write: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ShapeError) as found:
        bench.loop.run(bench.paths[0].prepare(world(write)))
    assert f"/world/writes/0{sentence}" in str(found.value)
