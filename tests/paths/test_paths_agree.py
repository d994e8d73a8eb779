"""Both built-in paths give what the definition says, in hostile worlds and under the vectors."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from pytest_ffparity.evaluator.records import RecordError
from pytest_ffparity.formats.strict_json import same
from pytest_ffparity.parity.compare import compare
from pytest_ffparity.parity.matrix import ParityMatrix
from pytest_ffparity.paths.builtin import BuiltinPath, builtin_paths
from pytest_ffparity.paths.generated import GeneratedCase, cases
from pytest_ffparity.paths.keys import KeyRing
from pytest_ffparity.paths.mint import minted
from pytest_ffparity.vectors.matrix_reader import read_matrix
from pytest_ffparity.vectors.model import CasesVector, StressVector
from pytest_ffparity.vectors.reader import read_vector_file

VECTORS = Path(__file__).parents[2] / "vectors"


class Bench:
    """Both paths, the keys, and the matrix that they are compared under."""

    def __init__(self, paths: list[BuiltinPath], keys: KeyRing, loop: asyncio.Runner) -> None:
        self.paths, self.keys, self.loop = paths, keys, loop
        self.matrix = ParityMatrix(read_matrix(VECTORS / "cutover_parity_matrix.json").rows)

    async def answers(
        self, world: dict[str, Any], asked: list[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        now = datetime.fromisoformat(world["now"]).astimezone(UTC)
        given: list[dict[str, Any]] = [{} for _ in asked]
        for path in self.paths:
            await path.prepare(world)
            for place, request in zip(given, asked, strict=True):
                found = await path.evaluate(minted(request, self.keys, now))
                place[path.name] = found.to_dict()
        return given


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    keys = KeyRing()
    with ExitStack() as stack:
        loop = stack.enter_context(asyncio.Runner())
        folder = tmp_path_factory.mktemp("paths")
        paths = stack.enter_context(builtin_paths(folder=folder, dsn=None, keys=keys, run=loop.run))
        yield Bench(paths, keys, loop)


@settings(
    max_examples=120,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a smaller number is no smaller world
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(case=cases(12))
def test_both_paths_give_what_the_definition_says(
    bench: Bench, oracle: Any, case: GeneratedCase
) -> None:
    given_answers = bench.loop.run(bench.answers(case.world, case.requests))
    file, db = bench.paths
    assert file.outcomes == db.outcomes
    for request, answers in zip(case.requests, given_answers, strict=True):
        expected = oracle(case.world).decision(request)
        assert compare(expected, answers, bench.matrix) == [], (case.world, request)


@pytest.mark.parametrize("text", ["\ud800", "a\udfff", "a\x00b"], ids=ascii)
def test_what_is_no_text_is_answered_alike(bench: Bench, oracle: Any, text: str) -> None:
    flag = {"flag_key": "ff.x", "value_type": "bool", "default_value": True, "safe_value": False}
    world = {
        "now": "2026-04-19T00:00:00Z",
        "environment": {"FF_ALLOW_DEV_HEADERS": "true"},
        "flags": [{**flag, "sensitive": True, "version": 1}],
    }
    token = {"Authorization": {"$bearer": {"claims": {"tenant_id": "T", "sub": "U"}}}}
    asked = [
        {"flag_key": text, "headers": token},
        {"flag_key": "ff.x", "headers": token, "approval_ref": text},
        {"flag_key": "ff.x", "headers": {"X-FF-Tenant": text}},
        {"flag_key": "ff.x", "headers": {"X-FF-Tenant": "T", "X-FF-User": text}},
    ]
    given_answers = bench.loop.run(bench.answers(world, asked))
    for request, answers in zip(asked, given_answers, strict=True):
        assert compare(oracle(world).decision(request), answers, bench.matrix) == []


@pytest.mark.parametrize("file", ["parity_test_matrix.json", "jwt_claim_examples.json"])
def test_every_vector_expects_what_the_definition_says(oracle: Any, file: str) -> None:
    for vector in read_vector_file(VECTORS / file).vectors:
        assert not isinstance(vector, CasesVector)
        listed = (
            [(case, phase.world) for phase in vector.stress.phases for case in phase.mix]
            if isinstance(vector, StressVector)
            else [(vector, vector.world)]
        )
        for case, world in listed:
            expected = oracle(world).decision(case.request)
            del expected["meta"]["backing_state"], expected["meta"]["latency_ms"]
            assert same(case.expected, expected), (vector.id, case.id)


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth - 1):
        value = {"a": value}
    return value


@pytest.mark.parametrize("place", ["default_value", "rollout", "override", "corrupt"])
def test_a_value_may_be_nested_a_hundred_times_wherever_it_lies(bench: Bench, place: str) -> None:
    def world(value: dict[str, Any]) -> dict[str, Any]:
        flag: dict[str, Any] = {
            "flag_key": "ff.x",
            "value_type": "object",
            "default_value": value if place == "default_value" else {},
            "safe_value": {},
            "version": 1,
        }
        if place == "rollout":
            flag["rollout"] = {"percentage": 100, "value": value}
        override = {"flag_key": "ff.x", "tenant_id": "t", "value": value, "version": 1}
        return {
            "now": "2026-04-19T00:00:00Z",
            "environment": {"FF_ALLOW_DEV_HEADERS": "true"},
            "flags": [flag],
            "tenant_overrides": [override] if place == "override" else [],
            "corrupt": [{"flag_key": "ff.x", "value": value}] if place == "corrupt" else [],
        }

    asked = [{"flag_key": "ff.x", "headers": {"X-FF-Tenant": "t"}}]
    (answers,) = bench.loop.run(bench.answers(world(nested(100)), asked))
    assert [answer["value"] for answer in answers.values()] == [nested(100)] * 2
    if place == "corrupt":
        (answers,) = bench.loop.run(bench.answers(world(nested(101)), asked))
        assert [answer["reason"] for answer in answers.values()] == ["record_invalid"] * 2
        return
    for path in bench.paths:
        with pytest.raises(RecordError, match="nested deeper than 100"):
            bench.loop.run(path.prepare(world(nested(101))))
