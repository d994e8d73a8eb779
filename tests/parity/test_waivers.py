"""What a waiver covers, what it never covers, and when it is red itself."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from pytest_ffparity.parity.compare import Breach, Divergence, Seen
from pytest_ffparity.parity.judgement import Judgement, PathResult
from pytest_ffparity.parity.stability import Unstable
from pytest_ffparity.parity.verdict import Declared, VectorKey, rule
from pytest_ffparity.parity.waivers import complaints, covering
from pytest_ffparity.vectors.waivers import Waiver

TODAY = date(2026, 6, 1)
KEY = VectorKey("v.json", "V-1")


def waiver(field: str = "/reason", **more: Any) -> Waiver:
    fields = {"vector": "V-1", "owner": "ada", "reason": "T-7", "expires": date(2026, 6, 2)}
    return Waiver(**{**fields, "field": field, "line": 1, **more})


def divergence(field: str = "/reason") -> Divergence:
    paths = {"file": Seen(True, "a"), "db": Seen(True, "b")}
    return Divergence(
        field=field,
        rule="R-1",
        must="MUST_MATCH",
        why="w",
        expected=Seen(True, "a"),
        paths=paths,
        broken=(Breach("db", "misses the expectation"),),
    )


def judgement(*fields: str, **more: Any) -> Judgement:
    given = {"paths": {"file": PathResult({}), "db": PathResult({})}, **more}
    divergences = tuple(map(divergence, fields))
    return Judgement(run="n", file="v.json", id="V-1", digest="d", divergences=divergences, **given)


def verdict(judged: Judgement, *waivers: Waiver) -> Any:
    declared = Declared({KEY: "d"}, (), waivers=waivers)
    return rule(declared, [judged], nonce="n", today=TODAY)


def test_each_field_needs_a_waiver_of_its_own() -> None:
    judged = judgement("/reason", "/value")
    assert covering(judged, [waiver()], TODAY) is None
    both = covering(judged, [waiver(), waiver("/value")], TODAY)
    assert both == (waiver(), waiver("/value"))


@pytest.mark.parametrize("field", ["", "/", "/reason/0", "/reaso", "/Reason"])
def test_a_waiver_is_of_this_very_field(field: str) -> None:
    assert covering(judgement("/reason"), [waiver(field)], TODAY) is None


def test_it_is_void_from_the_beginning_of_its_day() -> None:
    assert covering(judgement("/reason"), [waiver()], date(2026, 6, 1)) is not None
    assert covering(judgement("/reason"), [waiver()], date(2026, 6, 2)) is None


@pytest.mark.parametrize(
    "more",
    [
        {"paths": {"file": PathResult({}), "db": PathResult(error="down")}},
        {"paths": {"file": PathResult({})}},
        {"unstable": (Unstable(path="db", field="/reason", rule="R-1"),)},
        {"problems": ("anything",)},
        {"opened": ("db",)},
    ],
    ids=["raised", "one path", "unstable", "problem", "opened"],
)
def test_nothing_but_divergences_can_be_waived(more: dict[str, Any]) -> None:
    assert covering(judgement("/reason", **more), [waiver()], TODAY) is None
    assert verdict(judgement("/reason", **more), waiver()).verdict == "blocked"


def test_what_passes_needs_none() -> None:
    assert covering(judgement(), [waiver()], TODAY) is None


def test_a_covered_divergence_is_go_with_waivers() -> None:
    ruling = verdict(judgement("/reason"), waiver())
    assert (ruling.verdict, ruling.failures) == ("go_with_waivers", ())
    assert [(w.key, w.waivers) for w in ruling.waived] == [(KEY, (waiver(),))]


def test_anything_else_that_is_wrong_weighs_more() -> None:
    declared = Declared({KEY: "d", VectorKey("v.json", "V-2"): "d"}, (), waivers=(waiver(),))
    ruling = rule(declared, [judgement("/reason")], nonce="n", today=TODAY)
    assert ruling.verdict == "incomplete"
    ruling = rule(declared, [judgement("/reason")], nonce="n", today=TODAY, objections=["no"])
    assert (ruling.verdict, ruling.failures) == ("blocked", ("no",))


def test_expired_and_unused_waivers_block() -> None:
    old = waiver(expires=date(2026, 1, 1))
    assert "expired on 2026-01-01" in complaints([old], [judgement("/reason")], TODAY)[0]
    assert "unused" in complaints([waiver()], [judgement()], TODAY)[0]
    assert "unused" in complaints([waiver("/value")], [judgement("/reason")], TODAY)[0]
    assert complaints([waiver()], [], TODAY, left_out={"V-1"}) == []
    assert verdict(judgement(), waiver()).verdict == "blocked"
    assert verdict(judgement("/reason"), old).verdict == "blocked"


def test_without_a_day_every_waiver_is_void() -> None:
    declared = Declared({KEY: "d"}, (), waivers=(waiver(expires=date.max),))
    assert rule(declared, [judgement("/reason")], nonce="n").verdict == "blocked"
