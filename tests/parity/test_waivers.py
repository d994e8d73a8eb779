from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pytest

from pytest_ffparity.parity.judgement import Judgement, PathResult, StressResult
from pytest_ffparity.parity.matrix import ParityMatrix
from pytest_ffparity.parity.run import Run
from pytest_ffparity.parity.runner import judge
from pytest_ffparity.parity.stability import Unstable
from pytest_ffparity.parity.verdict import Declared, Gap, Ruling, VectorKey, rule
from pytest_ffparity.parity.waivers import covering
from pytest_ffparity.vectors.model import (
    AnyVector,
    Case,
    CasesVector,
    MatrixRow,
    MixCase,
    Phase,
    Stress,
    StressVector,
    Vector,
)
from pytest_ffparity.vectors.waivers import Waiver

MATRIX = ParityMatrix(
    [
        MatrixRow(
            id="R-1", line=1, document="decision", fields=(field,), rule="MUST_MATCH", why="w"
        )
        for field in ("/decision", "/v", "/w")
    ]
)
KEY, OTHER = VectorKey("f.json", "V"), VectorKey("f.json", "O")
LAST_DAY, EXPIRY = date(2027, 1, 30), date(2027, 1, 31)
PLAIN = {"flags": [{"flag_key": "ff.x", "sensitive": False}]}
SENSITIVE = {"flags": [{"flag_key": "ff.x", "sensitive": True}]}
REQUEST = {"flag_key": "ff.x"}


def waiver(field: str = "/v", vector: str = "V") -> Waiver:
    return Waiver(vector=vector, field=field, owner="o", reason="r", expires=EXPIRY, line=1)


class Saying:
    """Answers what the request tells it to, by its own name."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def evaluate(self, request: Any) -> Any:
        return request["say"][self.name]


def asking(old: Any, new: Any) -> dict[str, Any]:
    return {**REQUEST, "say": {"old": old, "new": new}}


def judged(vector: AnyVector) -> Judgement:
    run = Run("n", [Saying("old"), Saying("new")], MATRIX, lambda request, _world: request)
    return asyncio.run(judge(run, KEY.file, vector))


def single(old: Any, new: Any, world: Any = None) -> Judgement:
    request = asking(old, new)
    return judged(Vector(id="V", title="t", line=1, world=world, request=request, expected=old))


def cases(*pairs: tuple[Any, Any], world: Any = None) -> Judgement:
    listed = tuple(Case(id=f"c{n}", request=asking(*pair)) for n, pair in enumerate(pairs))
    return judged(CasesVector(id="V", title="t", line=1, world=world, cases=listed))


def stressed(*pairs: tuple[Any, Any], world: Any = None) -> Judgement:
    mix = tuple(
        MixCase(id=f"c{n}", weight=1, request=asking(*pair), expected=pair[0])
        for n, pair in enumerate(pairs)
    )
    phase = Phase(name="p", world=world, calls=10, mix=mix)
    stress = Stress(concurrency=2, p99_ms=60_000, phases=(phase,))
    return judged(StressVector(id="V", title="t", line=1, stress=stress))


KINDS = pytest.mark.parametrize("kind", [cases, stressed], ids=["cases", "stress"])


def ruled(*judgements: Judgement, waivers: Any = (), today: date = LAST_DAY, **more: Any) -> Ruling:
    digests = {KEY: judgements[0].digest, OTHER: "o"}
    declared = Declared(digests, (), waivers=tuple(waivers))
    return rule(declared, [*judgements, GOOD], nonce="n", today=today, **more)


GOOD = Judgement(
    run="n",
    file=OTHER.file,
    id=OTHER.id,
    digest="o",
    paths={"old": PathResult(decision={}), "new": PathResult(decision={})},
    divergences=(),
)
V1, V2 = {"decision": "allow", "v": 1, "w": 1}, {"decision": "allow", "v": 2, "w": 1}
BOTH = {"decision": "allow", "v": 2, "w": 2}
DENIED = {"decision": "deny", "v": 1, "w": 1}
ALL_FIELDS = [waiver("/decision"), waiver("/v"), waiver("/w")]


def test_a_waived_divergence_is_go_with_waivers_and_listed() -> None:
    found = ruled(single(V1, V2), waivers=[waiver()])
    assert (found.verdict, found.failures, found.gaps) == ("go_with_waivers", (), ())
    assert [(w.key, w.waivers) for w in found.waived] == [(KEY, (waiver(),))]


def test_every_field_needs_a_waiver_of_its_own() -> None:
    assert ruled(single(V1, BOTH), waivers=[waiver()]).verdict == "blocked"
    assert ruled(single(V1, BOTH), waivers=[waiver(), waiver("/w")]).verdict == "go_with_waivers"


@pytest.mark.parametrize(
    "one", [waiver("/v/0"), waiver(""), waiver("/"), waiver("/w"), waiver("/v", "O")]
)
def test_a_waiver_covers_its_very_place_and_no_other(one: Waiver) -> None:
    assert ruled(single(V1, V2), waivers=[one]).verdict == "blocked"


def test_from_the_day_of_its_expiry_on_a_waiver_is_void() -> None:
    assert ruled(single(V1, V2), waivers=[waiver()], today=LAST_DAY).verdict == "go_with_waivers"
    found = ruled(single(V1, V2), waivers=[waiver()], today=EXPIRY)
    assert found.verdict == "blocked"
    assert found.failures[1] == (
        "waiver of V /v (owner: o) expired on 2027-01-31: mend the divergence, or renew it"
    )


def test_an_expired_waiver_blocks_though_nothing_diverges() -> None:
    assert ruled(single(V1, V1), waivers=[waiver()], today=EXPIRY).verdict == "blocked"


def test_without_a_day_every_waiver_has_expired() -> None:
    one = single(V1, V2)
    declared = Declared({KEY: one.digest}, (), waivers=(waiver(),))
    assert rule(declared, [one], nonce="n").verdict == "blocked"


def test_an_unused_waiver_blocks() -> None:
    found = ruled(single(V1, V1), waivers=[waiver()])
    assert (found.verdict, found.failures) == (
        "blocked",
        ("waiver of V /v (owner: o) is unused: nothing diverges there, so remove it",),
    )


def test_a_waiver_of_a_vector_that_no_file_declares_is_unused() -> None:
    assert ruled(single(V1, V1), waivers=[waiver(vector="gone")]).verdict == "blocked"


def test_of_a_vector_that_was_left_out_nobody_knows_whether_it_diverges() -> None:
    digests = {KEY: "d", OTHER: "o"}
    declared = Declared(digests, (), waivers=(waiver(),))
    found = rule(declared, [GOOD], nonce="n", today=LAST_DAY, narrowed=iter([KEY]))
    assert (found.verdict, found.failures, found.narrowed) == ("incomplete", (), (KEY,))


def test_a_vector_that_was_lost_leaves_its_waiver_in_doubt() -> None:
    declared = Declared({KEY: "d", OTHER: "o"}, (), waivers=(waiver(),))
    found = rule(declared, [GOOD], nonce="n", today=LAST_DAY)
    assert (found.verdict, found.failures) == ("incomplete", ())


def test_a_file_that_cannot_be_read_leaves_the_waivers_of_its_vectors_in_doubt() -> None:
    declared = Declared(
        {OTHER: "o"}, (), problems=(Gap("broken", file="f.json"),), waivers=(waiver(),)
    )
    found = rule(declared, [GOOD], nonce="n", today=LAST_DAY)
    assert (found.verdict, found.failures) == ("incomplete", ())


def test_incomplete_and_blocked_go_before_go_with_waivers() -> None:
    one = single(V1, V2)
    assert ruled(one, waivers=[waiver()], gaps=[Gap("lost")]).verdict == "incomplete"
    assert ruled(one, waivers=[waiver()], objections=["x"]).verdict == "blocked"
    both = ruled(one, waivers=[waiver()], gaps=[Gap("lost")], objections=["x"])
    assert both.verdict == "blocked"


def test_a_waived_judgement_twice_is_one_too_many() -> None:
    one = single(V1, V2)
    assert ruled(one, one, waivers=[waiver()]).verdict == "incomplete"


def test_a_waived_judgement_of_another_run_or_text_counts_for_nothing() -> None:
    one = single(V1, V2)
    digests = Declared({KEY: "another", OTHER: "o"}, (), waivers=(waiver(),))
    assert rule(digests, [one, GOOD], nonce="n", today=LAST_DAY).verdict == "incomplete"
    declared = Declared({KEY: one.digest, OTHER: "o"}, (), waivers=(waiver(),))
    assert rule(declared, [one, GOOD], nonce="m", today=LAST_DAY).verdict == "incomplete"


def _with(**changes: Any) -> Judgement:
    one = single(V1, V2)
    fields = {name: getattr(one, name) for name in one.__struct_fields__}
    return Judgement(**{**fields, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"unstable": (Unstable(path="new", field="/v", rule="R-1"),)},
        {"problems": ("something",)},
        {"opened": ("new",)},
        {"paths": {"old": PathResult(decision={}), "new": PathResult(error="x")}},
        {"paths": {"old": PathResult(decision={})}},
        {"stress": StressResult(1.0, {}, ("new: p99",))},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_no_waiver_covers_more_than_divergences(changes: Any) -> None:
    one = _with(**changes)
    assert covering(one, ALL_FIELDS, LAST_DAY) is None
    found = ruled(one, waivers=[waiver()])
    assert found.verdict == "blocked"
    assert not any("unused" in failure for failure in found.failures)


def test_no_waiver_covers_a_sensitive_flags_deny_that_became_an_allow() -> None:
    found = ruled(single(DENIED, V1, SENSITIVE), waivers=[waiver("/decision")])
    assert found.verdict == "blocked"
    assert found.failures == ("V: R-1 broken at /decision; new allows what is denied: no waiver",)


def test_one_of_a_flag_that_is_not_sensitive_can_be_waived() -> None:
    assert ruled(single(DENIED, V1, PLAIN), waivers=[waiver("/decision")]).verdict == (
        "go_with_waivers"
    )


def test_the_other_way_round_can_be_waived() -> None:
    assert ruled(single(V1, DENIED, SENSITIVE), waivers=[waiver("/decision")]).verdict == (
        "go_with_waivers"
    )


@KINDS
def test_one_case_that_opens_keeps_the_waivers_from_all_the_others(kind: Any) -> None:
    fields = [waiver("/v"), waiver("/decision")]
    found = kind((V1, V2), (DENIED, V1), world=SENSITIVE)
    assert found.opened == ("new",)
    assert ruled(found, waivers=fields).verdict == "blocked"
    assert ruled(kind((V1, V2), world=SENSITIVE), waivers=fields[:1]).verdict == "go_with_waivers"
    assert ruled(kind((V1, V2), (DENIED, V1), world=PLAIN), waivers=fields).verdict == (
        "go_with_waivers"
    )


@KINDS
def test_a_case_that_raises_keeps_the_waivers_from_all_the_others(kind: Any) -> None:
    assert ruled(kind((V1, V2), (V1, None)), waivers=[waiver()]).verdict == "blocked"
