from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_ffparity.parity.compare import Breach, Divergence, Seen
from pytest_ffparity.parity.judgement import (
    Example,
    Judgement,
    Load,
    PathResult,
    PhaseLoad,
    StressResult,
)
from pytest_ffparity.parity.percentiles import Bucket, Latency
from pytest_ffparity.parity.stability import Unstable
from pytest_ffparity.parity.verdict import Declared, Gap, VectorKey, Verdict, rule
from pytest_ffparity.report import json_report
from pytest_ffparity.report.model import (
    Baseline,
    Report,
    Source,
    Surroundings,
    Weakening,
    build,
)
from pytest_ffparity.report.reading import ReportFileError, read_report
from pytest_ffparity.vectors.waivers import Waiver

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
TEXTS = st.lists(TEXT, max_size=2).map(tuple)
COUNT = st.integers(1, 9)
MS = st.one_of(st.integers(0, 99), st.floats(0, 1e6))
JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False)
    )
    | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)
SEEN = st.one_of(st.just(Seen(False)), st.builds(Seen, st.just(True), JSON))
DIVERGENCE = st.builds(
    Divergence,
    field=st.sampled_from(["", "/a", "/b/c"]),
    rule=TEXT,
    must=st.sampled_from(["MUST_MATCH", "MUST_DIFFER", "MAY_DIFFER", "UNLISTED"]),
    why=TEXT,
    expected=st.none() | SEEN,
    paths=st.dictionaries(TEXT, SEEN, max_size=2),
    broken=st.lists(st.builds(Breach, TEXT, TEXT, st.none() | TEXT), min_size=1, max_size=2).map(
        tuple
    ),
    odd=st.none() | TEXT,
    explanation=TEXTS,
    count=COUNT,
    case=st.none() | TEXT,
)
UNSTABLE = st.builds(
    Unstable,
    path=TEXT,
    field=TEXT,
    rule=TEXT,
    first=SEEN,
    second=SEEN,
    error=st.none() | TEXT,
    case=st.none() | TEXT,
    count=COUNT,
)
EXAMPLE = st.builds(
    Example,
    case=TEXT,
    world=JSON,
    requests=st.lists(JSON, min_size=1, max_size=2),
    divergences=st.lists(DIVERGENCE, max_size=1).map(tuple),
    raised=st.dictionaries(TEXT, TEXT, max_size=1),
    saved=st.none() | TEXT,
    again=st.none() | TEXT,
)
LATENCY = st.builds(Latency, COUNT, MS, MS, MS, MS)
LOAD = st.builds(
    Load,
    latency=LATENCY,
    concurrency=COUNT,
    throughput_per_s=MS,
    errors=st.integers(0, 9),
    phases=st.lists(st.builds(PhaseLoad, TEXT, LATENCY), max_size=2).map(tuple),
    histogram=st.lists(st.builds(Bucket, MS, COUNT), max_size=2).map(tuple),
)
STRESS = st.builds(StressResult, MS, st.dictionaries(TEXT, LOAD, max_size=2), TEXTS)
PATH = st.builds(
    PathResult,
    st.none() | st.dictionaries(TEXT, JSON, max_size=2),
    st.none() | TEXT,
    st.none() | MS,
    st.dictionaries(TEXT, TEXT, max_size=2),
)
NAMES = st.sampled_from(["a", "a: b", "a::b", "PT-01", ""])
JUDGEMENT = st.builds(
    Judgement,
    run=st.sampled_from(["run", "run", "another"]),
    file=NAMES,
    id=NAMES,
    digest=st.just("d"),
    paths=st.dictionaries(st.sampled_from(["file", "db", "third"]), PATH, max_size=3),
    divergences=st.lists(DIVERGENCE, max_size=2).map(tuple),
    unstable=st.lists(UNSTABLE, max_size=1).map(tuple),
    stress=st.none() | STRESS,
    decisions=COUNT,
    examples=st.lists(EXAMPLE, max_size=1).map(tuple),
    opened=st.just(()) | TEXTS,
    problems=st.just(()) | TEXTS,
)
WAIVERS = st.builds(
    Waiver,
    vector=NAMES,
    field=st.sampled_from(["", "/a", "/b/c"]),
    owner=TEXT,
    reason=TEXT,
    expires=st.dates(date(2026, 1, 1)),
    line=COUNT,
)
SOURCE = st.builds(Source, TEXT, TEXT, st.none() | TEXT, st.none() | COUNT)
AROUND = st.builds(
    Surroundings,
    versions=st.dictionaries(TEXT, TEXT, max_size=2),
    platform=TEXT,
    cpus=st.none() | COUNT,
    commit=st.none() | TEXT,
    started_at=st.just("2026-04-19T00:00:00.000000Z"),
    vectors=st.lists(SOURCE, max_size=2).map(tuple),
    matrix=st.builds(Source, TEXT, TEXT),
    rows=TEXTS,
    generated=st.integers(0, 2),
    seed=st.integers(0, 2),
)
BASELINE = st.builds(
    Baseline,
    TEXT,
    st.lists(st.builds(Weakening, TEXT, TEXT, st.none() | TEXT, st.none() | TEXT), max_size=2).map(
        tuple
    ),
)


@st.composite
def reports(draw: st.DrawFn) -> Report:
    keys = draw(st.lists(st.builds(VectorKey, NAMES, NAMES), max_size=4, unique=True))
    waivers = draw(
        st.lists(WAIVERS, max_size=3, unique_by=lambda w: (w.vector, w.field)).map(tuple)
    )
    declared = Declared(
        dict.fromkeys(keys, "d"),
        draw(TEXTS),
        waivers=waivers,
        lines={key: draw(COUNT) for key in keys[1:]},
    )
    judgements = draw(st.lists(JUDGEMENT, max_size=4))
    ruling = rule(
        declared,
        judgements,
        nonce="run",
        narrowed=keys[:1] if draw(st.booleans()) else (),
        gaps=draw(st.lists(st.builds(Gap, TEXT, st.sampled_from([None, *keys])), max_size=2)),
        objections=draw(TEXTS),
        today=date(2026, 4, 19),
    )
    return build(
        declared=declared,
        judgements=[(j, draw(st.none() | TEXT)) for j in judgements],
        ruling=ruling,
        surroundings=draw(AROUND),
        workers=draw(st.integers(0, 2)),
        duration_s=draw(MS),
        finished_at="2026-04-19T00:00:01.500000Z",
        exit_status=draw(st.integers(0, 5)),
        gate_run=not ruling.narrowed,
        baseline=draw(st.none() | BASELINE),
    )


@given(whole=reports())
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_what_was_written_is_read_and_written_the_same(
    whole: Report, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.getbasetemp() / "round_trip.json"
    text = json_report.to_text(whole)
    file.write_text(text, "utf-8")
    again = read_report(file)
    assert json_report.to_text(again) == text
    assert again.ruling.verdict is whole.ruling.verdict


def test_the_model_is_the_one_that_was_written(
    tmp_path: Path,
    report: Callable[..., Report],
    judgement: Callable[..., Judgement],
    wrong: Divergence,
    waiver: Waiver,
) -> None:
    whole = report(judgement("PT-01", wrong), judgement("PT-02", p99_ms=12.5), waivers=(waiver,))
    read = read_report(written(tmp_path, json_report.to_text(whole)))
    # A file holds neither nonce nor digest.
    entries = tuple(
        msgspec.structs.replace(
            entry,
            judgements=tuple(
                msgspec.structs.replace(j, run="", digest="") for j in entry.judgements
            ),
        )
        for entry in whole.entries
    )
    assert read == msgspec.structs.replace(whole, entries=entries)
    assert read.ruling.gaps == (Gap("no judgement on record", VectorKey("v.json", "PT-03")),)


def written(folder: Path, text: str) -> Path:
    (folder / "report.json").write_text(text, "utf-8")
    return folder / "report.json"


def test_a_run_that_never_finished_stays_incomplete(tmp_path: Path, around: Surroundings) -> None:
    text = json_report.unfinished(around, "the machine went away")
    read = read_report(written(tmp_path, text))
    assert (read.finished, read.gate_run) == (False, False)
    assert read.ruling.verdict is Verdict.INCOMPLETE
    assert read.ruling.gaps == (Gap("the machine went away"),)
    assert json_report.to_text(read) == text


def test_every_cut_of_a_report_is_told_as_one(
    tmp_path: Path, report: Callable[..., Report], judgement: Callable[..., Judgement]
) -> None:
    text = json_report.to_text(report(*map(judgement, ("PT-01", "PT-02", "PT-03"))))
    for end in [*range(0, len(text) - 2, 97), len(text) - 3, len(text) - 2]:
        file = written(tmp_path, text[:end])
        with pytest.raises(ReportFileError) as caught:
            read_report(file)
        assert re.match(
            re.escape(f"{file}:") + r"\d+: it is cut off: the run that wrote it did not finish\n"
            r"Run the gate again with --ffparity-report=FILE, or name another file\.$",
            str(caught.value),
        )


def test_a_report_without_a_footer_is_cut_off_too(
    tmp_path: Path, report: Callable[..., Report]
) -> None:
    data = json.loads(json_report.to_text(report()))
    del data["footer"]
    with pytest.raises(ReportFileError, match=r":1: \(top level\): found no footer: it is cut off"):
        read_report(written(tmp_path, json.dumps(data)))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ReportFileError, match=r"none\.json: found no such file"):
        read_report(tmp_path / "none.json")


def test_a_folder_is_no_report(tmp_path: Path) -> None:
    with pytest.raises(ReportFileError, match="can't be read"):
        read_report(tmp_path)


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"\xff{}", "found bytes that are not UTF-8 \\(at byte 0\\)"),
        (b"[]", r":1: \(top level\): found an empty array, expected an object"),
        (b'{"header": NaN, "footer": 1}', "NaN is no JSON number"),
        (b'{"header": 1, "header": 1}', 'the key "header" stands twice'),
        (b'{"header": 1,, "footer": 1}', ":1: not JSON: "),
        (b'{"header": "\\ud800", "footer": 1}', "holds a lone surrogate"),
        (b"[" * 100_000, "nested too deep"),
    ],
    ids=["bytes", "kind", "nan", "twice", "comma", "surrogate", "deep"],
)
def test_what_is_no_report_is_told(tmp_path: Path, raw: bytes, told: str) -> None:
    (tmp_path / "report.json").write_bytes(raw)
    with pytest.raises(ReportFileError, match=told):
        read_report(tmp_path / "report.json")


def test_what_breaks_the_schema_is_told_with_line_and_pointer(
    tmp_path: Path, report: Callable[..., Report]
) -> None:
    text = json_report.to_text(report()).replace('"cpus": 2', '"cpus": "two"')
    line = text[: text.index('"cpus"')].count("\n") + 1
    with pytest.raises(ReportFileError, match=f':{line}: /header/cpus: found the text "two"'):
        read_report(written(tmp_path, text))


def _set(pointer: str, value: Any) -> Callable[[Any], None]:
    *way, last = pointer.strip("/").split("/")

    def change(data: Any) -> None:
        for key in way:
            data = data[int(key)] if isinstance(data, list) else data[key]
        data[int(last) if isinstance(data, list) else last] = value

    return change


@pytest.fixture
def sound(
    report: Callable[..., Report],
    judgement: Callable[..., Judgement],
    wrong: Divergence,
    waiver: Waiver,
) -> Any:
    """The data of a report that holds a bit of everything."""
    whole = report(
        judgement("PT-01", wrong),
        judgement("PT-02", p99_ms=12.5),
        waivers=(msgspec.structs.replace(waiver, vector="PT-03"),),
    )
    return json.loads(json_report.to_text(whole))


CONTRADICTIONS = {
    "/verdict": ("go", "/footer/verdict: found"),
    "/vectors/0/outcome": ("passed", '/vectors/0/outcome: found the text "passed", but'),
    "/vectors/0/judgements": (1.0, "/vectors/0/judgements: found the number 1.0, but"),
    "/vectors/2/judgements": (
        10**13,
        "/vectors/2/judgements: found 10000000000000, expected 10000",
    ),
    "/counts/failed": (0, "/counts/failed: found the number 0, but the rest of the file"),
    "/stress": ({}, "/stress: found an empty object, but"),
    "/waivers/0/expires": ("2026-02-30", '/waivers/0/expires: found the day "2026-02-30"'),
    "/header/timing/started_at": ("today", '/header/timing/started_at: found "today"'),
    "/footer/timing/finished_at": ("now", '/footer/timing/finished_at: found "now"'),
    "/vectors/1/id": ("PT-01", "/vectors/1: found v.json::PT-01 again"),
    "/vectors/0/waived": (["PT-09 /a"], "/vectors/0/waived: found"),
    "/footer/exit_status": (None, "/footer/exit_status: found null"),
}


@pytest.mark.parametrize("pointer", CONTRADICTIONS)
def test_a_report_that_contradicts_itself_is_refused(
    tmp_path: Path, sound: Any, pointer: str
) -> None:
    value, told = CONTRADICTIONS[pointer]
    _set(pointer, value)(sound)
    file = written(tmp_path, json.dumps(sound, indent=1))
    with pytest.raises(ReportFileError, match=told):
        read_report(file)


def test_go_is_not_believed_where_a_vector_failed(
    tmp_path: Path,
    report: Callable[..., Report],
    judgement: Callable[..., Judgement],
    wrong: Divergence,
) -> None:
    data = json.loads(json_report.to_text(report(judgement("PT-01", wrong), ids=["PT-01"])))
    data["verdict"] = data["footer"]["verdict"] = "go"
    data["reasons"]["failures"] = []
    with pytest.raises(ReportFileError, match=r'/verdict: found "go", but .* makes it "blocked"'):
        read_report(written(tmp_path, json.dumps(data)))
