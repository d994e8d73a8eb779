from __future__ import annotations

from typing import Any

from pytest_ffparity.parity.judgement import Judgement, Load, PathResult, StressResult
from pytest_ffparity.parity.percentiles import Latency
from pytest_ffparity.parity.verdict import Declared, Gap, Ruling, VectorKey, rule

RUN = "this run"
KEYS = [VectorKey("v.json", f"V-{i}") for i in range(3)]
DECLARED = Declared({key: f"digest of {key.id}" for key in KEYS}, ("V-0", "V-1"))


def judgement(key: VectorKey, **changes: Any) -> Judgement:
    fields: dict[str, Any] = {
        "run": RUN,
        "file": key.file,
        "id": key.id,
        "digest": DECLARED.digests.get(key, "?"),
        "paths": {"old": PathResult(decision={}), "new": PathResult(decision={})},
        "divergences": (),
    }
    return Judgement(**{**fields, **changes})


def ruled(*judgements: Judgement, **more: Any) -> Ruling:
    return rule(DECLARED, judgements, nonce=RUN, **more)


ALL = [judgement(key) for key in KEYS]


def test_exactly_one_passed_judgement_of_each_is_go() -> None:
    assert ruled(*ALL) == Ruling("go", (), (), ())  # type: ignore[arg-type]


def test_nothing_on_record_is_incomplete() -> None:
    assert ruled().verdict == "incomplete"
    assert rule(Declared({}, ()), [], nonce=RUN).verdict == "incomplete"


def test_a_missing_judgement_is_named() -> None:
    found = ruled(*ALL[1:])
    assert found.verdict == "incomplete"
    assert found.gaps == (Gap("no judgement on record", KEYS[0]),)


def test_two_judgements_of_one_vector_are_one_too_many() -> None:
    assert ruled(*ALL, ALL[0]).verdict == "incomplete"


def test_a_judgement_of_another_run_counts_for_nothing() -> None:
    stale = judgement(KEYS[0], run="another run")
    assert ruled(stale, *ALL[1:]).verdict == "incomplete"
    assert ruled(stale, *ALL).verdict == "incomplete"


def test_a_judgement_of_another_text_counts_for_nothing() -> None:
    assert ruled(judgement(KEYS[0], digest="other"), *ALL[1:]).verdict == "incomplete"


def test_a_judgement_that_nobody_declared_is_a_gap() -> None:
    assert ruled(*ALL, judgement(VectorKey("x.json", "X"))).verdict == "incomplete"


def test_a_required_id_in_no_file_is_a_gap() -> None:
    declared = Declared(DECLARED.digests, ("V-0", "W-9"))
    found = rule(declared, ALL, nonce=RUN)
    assert [str(gap) for gap in found.gaps] == [
        "W-9: required by the matrix, but in no vector file"
    ]


def test_one_failed_attempt_blocks_even_beside_a_passed_one() -> None:
    failed = judgement(
        KEYS[0], paths={"old": PathResult(decision={}), "new": PathResult(error="x")}
    )
    found = ruled(failed, *ALL)
    assert found.verdict == "blocked"
    assert found.failures == ("V-0: new raised",)


def test_blocked_goes_before_incomplete() -> None:
    assert ruled(judgement(KEYS[0], paths={"old": PathResult()})).verdict == "blocked"


def test_a_missed_limit_blocks() -> None:
    load = Load(
        latency=Latency(1, 1, 1, 100.0, 100.0),
        concurrency=1,
        throughput_per_s=1,
        errors=0,
        phases=(),
    )
    stress = StressResult(100, {"old": load, "new": load}, ("old: p99 100.000 ms is not under",))
    assert ruled(judgement(KEYS[0], stress=stress), *ALL[1:]).verdict == "blocked"


def test_left_out_on_purpose_is_incomplete_without_a_gap() -> None:
    found = ruled(*ALL[1:], narrowed=[KEYS[0]])
    assert (found.verdict, found.narrowed, found.gaps) == ("incomplete", (KEYS[0],), ())


def test_paths_that_change_during_a_run_are_a_gap() -> None:
    three = {name: PathResult(decision={}) for name in ("old", "new", "third")}
    assert ruled(judgement(KEYS[0], paths=three), *ALL[1:]).verdict == "incomplete"


def test_any_other_gap_is_incomplete() -> None:
    assert ruled(*ALL, gaps=[Gap("worker gw0 died")]).verdict == "incomplete"


def test_a_judgement_survives_as_text() -> None:
    for value in (1, 1.0, True, "1", None, -0.0, 1e22, {"a": [1.5]}):
        one = judgement(KEYS[0], paths={"old": PathResult(decision={"v": value})})
        back = Judgement.from_text(one.to_text())
        assert repr(back) == repr(one)
