from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from pytest_ffparity.parity.compare import Breach, Divergence, Seen
from pytest_ffparity.parity.judgement import Judgement, PathResult
from pytest_ffparity.parity.stability import Unstable
from pytest_ffparity.parity.verdict import Declared, Gap, VectorKey, rule
from pytest_ffparity.report.annotations import MAX_SHOWN, annotate
from pytest_ffparity.report.model import Report, Surroundings, build
from pytest_ffparity.vectors.waivers import Waiver

WAIVER = Waiver(
    vector="V-1",
    field="/value",
    owner="flags team",
    reason="known, see the plan",
    expires=date(2026, 12, 31),
    line=3,
)


def divergence(field: str = "/value", new: Any = 2) -> Divergence:
    return Divergence(
        field=field,
        rule="R-1",
        must="MUST_MATCH",
        why="The answer itself.",
        expected=Seen(True, 1),
        paths={"old": Seen(True, 1), "new": Seen(True, new)},
        broken=(Breach("new", "differs from old", "old"),),
    )


def judgement(id_: str, *divergences: Divergence, **more: Any) -> Judgement:
    paths = {"old": PathResult(decision={}), "new": PathResult(decision={})}
    given = {"paths": paths, **more}
    return Judgement(
        run="run", file="vectors/v.json", id=id_, digest="d", divergences=divergences, **given
    )


def report(
    *judgements: Judgement,
    ids: tuple[str, ...] = ("V-1",),
    waivers: tuple[Waiver, ...] = (),
    status: int = 1,
    **more: Any,
) -> Report:
    keys = [VectorKey("vectors/v.json", name) for name in ids]
    lines = {key: 10 * (at + 1) for at, key in enumerate(keys)}
    declared = Declared(dict.fromkeys(keys, "d"), (), waivers=waivers, lines=lines)
    more.setdefault("today", date(2026, 4, 19))
    return build(
        declared=declared,
        judgements=[(j, None) for j in judgements],
        surroundings=Surroundings(
            versions={}, platform="Linux", cpus=2, commit=None, started_at="then"
        ),
        ruling=rule(declared, judgements, nonce="run", **more),
        workers=0,
        duration_s=1.5,
        finished_at="then",
        exit_status=status,
        gate_run=True,
    )


def test_a_failed_vector_is_an_error_on_its_line_with_its_values() -> None:
    assert annotate(report(judgement("V-1", divergence()))) == [
        (
            "::error file=vectors/v.json,line=10,title=V-1%3A failed::"
            "V-1: 1 field diverges (R-1)%0A/value: expected 1, old 1, new 2"
        )
    ]


@pytest.mark.parametrize(
    ("root", "place"),
    [
        ("", "vectors/v.json"),
        (".", "vectors/v.json"),
        ("services/flags", "services/flags/vectors/v.json"),
        ("/elsewhere", "/elsewhere/vectors/v.json"),
    ],
)
def test_the_file_is_named_from_the_top_of_the_repository(root: str, place: str) -> None:
    (told,) = annotate(report(judgement("V-1", divergence())), root)
    assert told.startswith(f"::error file={place},line=10,")


def test_a_file_beside_the_rootdir_is_named_without_dots() -> None:
    whole = report()
    (entry,) = whole.entries
    aside = msgspec.structs.replace(entry, key=VectorKey("../shared/v.json", "V-1"), line=None)
    (told,) = annotate(msgspec.structs.replace(whole, entries=(aside,)), "a/b")[1:]
    assert told == "::error file=a/shared/v.json,title=V-1%3A missing::no judgement on record"


def test_a_vector_without_a_judgement_is_an_error_on_its_line() -> None:
    assert annotate(report()) == [
        "::error file=vectors/v.json,line=10,title=V-1%3A missing::no judgement on record"
    ]


def test_a_gap_of_a_vector_that_passed_is_told_at_it() -> None:
    gap = Gap("was run again, though no judgement had failed", VectorKey("vectors/v.json", "V-1"))
    assert annotate(report(judgement("V-1"), gaps=[gap])) == [
        (
            "::error file=vectors/v.json,line=10,title=V-1%3A in doubt::"
            "was run again, though no judgement had failed"
        )
    ]


def test_what_is_of_no_vector_is_one_error_without_a_place() -> None:
    stale = msgspec.structs.replace(WAIVER, expires=date(2026, 1, 1))
    whole = report(
        judgement("V-1", divergence()),
        waivers=(stale,),
        objections=["V-1: expectation changed at /value"],
        gaps=[Gap("worker gw0 died before it had finished")],
    )
    assert annotate(whole)[0] == (
        "::error title=ffparity%3A blocked::"
        "waiver of V-1 /value (owner: flags team) expired on 2026-01-01: mend the divergence, or "
        "renew it%0AV-1: expectation changed at /value%0Aworker gw0 died before it had finished"
    )
    assert len(annotate(whole)) == 2


def test_waived_vectors_are_warnings() -> None:
    whole = report(judgement("V-1", divergence()), waivers=(WAIVER,), status=0)
    assert annotate(whole) == [
        (
            "::warning file=vectors/v.json,line=10,title=V-1%3A waived::"
            "/value until 2026-12-31 by flags team: known, see the plan"
        )
    ]


@pytest.mark.parametrize(("status", "level"), [(0, "warning"), (1, "error")])
def test_a_narrowed_run_is_as_grave_as_its_exit_status(status: int, level: str) -> None:
    left_out = VectorKey("vectors/v.json", "V-2")
    whole = report(judgement("V-1"), ids=("V-1", "V-2"), narrowed=[left_out], status=status)
    assert annotate(whole) == [
        (
            f"::{level} title=ffparity%3A incomplete::"
            "the command line left out 1 of 2 vectors: this is no gate run"
        )
    ]


def test_errors_missed_limits_and_unstable_fields_are_told_too() -> None:
    paths = {"old": PathResult(decision={}), "new": PathResult(error="OSError: gone\nfor good")}
    shaky = Unstable(path="old", field="/value", rule="R-1")
    wrong = judgement("V-1", paths=paths, unstable=(shaky,), problems=("first", "second"))
    (told,) = annotate(report(wrong))
    assert told.split("::")[2].split("%0A")[1:] == [
        "new raised: OSError: gone for good",
        "second",
        "old is unstable at /value (R-1)",
    ]


def test_what_github_reads_as_its_own_is_escaped() -> None:
    name = "V-1,line=1::50%\r\n"
    (told,) = annotate(report(judgement(name, divergence("/100%\n", "\r")), ids=(name,)))
    head, message = told.removeprefix("::error ").split("::", 1)
    assert head == "file=vectors/v.json,line=10,title=V-1%2Cline=1%3A%3A50%25%0D%0A%3A failed"
    assert message == (
        'V-1,line=1::50%25 : 1 field diverges (R-1)%0A/100%25 : expected 1, old 1, new "\\r"'
    )


@pytest.mark.parametrize("count", [MAX_SHOWN, MAX_SHOWN + 1, 2000])
def test_no_more_than_github_shows_and_the_last_says_how_many(count: int) -> None:
    ids = tuple(f"V-{i}" for i in range(count))
    found = annotate(report(*(judgement(i, divergence()) for i in ids), ids=ids))
    assert len(found) == MAX_SHOWN
    if count > MAX_SHOWN:
        more = count - MAX_SHOWN + 1
        assert (
            found[-1] == f"::error title=ffparity::... and {more} more: see the summary, or the log"
        )


def test_a_message_is_short_whatever_diverges() -> None:
    wide = [divergence(f"/{i}" + "x" * 5000, "y" * 1_000_000) for i in range(500)]
    (told,) = annotate(report(judgement("V-1", *wide)))
    assert len(told) < 4000
    assert told.endswith("%0A... and 496 more")


def test_a_run_that_is_go_is_not_annotated() -> None:
    assert annotate(report(judgement("V-1"), status=0)) == []
