from __future__ import annotations

import xml.etree.ElementTree as ET

from pytest_ffparity.parity.compare import MISSING, Breach, Divergence
from pytest_ffparity.parity.judgement import (
    Judgement,
    Load,
    PathResult,
    PhaseLoad,
    StressResult,
)
from pytest_ffparity.parity.percentiles import Latency
from pytest_ffparity.parity.stability import Unstable
from pytest_ffparity.report.junit import MAX_NAMES, properties

LATENCY = Latency(10_000, 0.5, 1.25, 12.0, 99.5)
LOAD = Load(
    latency=LATENCY,
    concurrency=16,
    throughput_per_s=1234.5,
    errors=0,
    phases=(PhaseLoad("healthy", LATENCY),),
)


def broken(field: str, rule: str = "PV-01") -> Divergence:
    return Divergence(
        field=field,
        rule=rule,
        must="MUST_MATCH",
        why="The answer itself.",
        expected=MISSING,
        paths={"file": MISSING, "db": MISSING},
        broken=(Breach("db", "differs from file", "file"),),
    )


def judgement(
    *divergences: Divergence,
    names: tuple[str, str] = ("file", "db"),
    unstable: tuple[Unstable, ...] = (),
    stress: StressResult | None = None,
) -> Judgement:
    latency = None if stress else 0.25
    return Judgement(
        run="run",
        file="v.json",
        id="PT-01",
        digest="d",
        paths={name: PathResult(decision={}, latency_ms=latency) for name in names},
        divergences=divergences,
        unstable=unstable,
        stress=stress,
    )


def test_a_vector_that_passed_says_so_and_how_long_each_path_took() -> None:
    assert properties(judgement()) == [
        ("ffparity.outcome", "passed"),
        ("ffparity.latency_ms.file", "0.250"),
        ("ffparity.latency_ms.db", "0.250"),
    ]


def test_a_vector_that_failed_names_its_rows_and_fields_once_each() -> None:
    found = dict(
        properties(judgement(broken("/value"), broken("/code", "PV-06"), broken("/value")))
    )
    assert found["ffparity.outcome"] == "failed"
    assert found["ffparity.rows"] == "PV-01,PV-06"
    assert found["ffparity.fields"] == "/value,/code"


def test_a_waived_vector_is_waived_and_one_that_passed_is_not() -> None:
    assert (
        dict(properties(judgement(broken("/value")), waived=True))["ffparity.outcome"] == "waived"
    )
    assert dict(properties(judgement(), waived=True))["ffparity.outcome"] == "passed"


def test_a_path_that_disagrees_with_itself_is_named_with_the_field() -> None:
    shaky = (
        Unstable(path="db", field="/value", rule="PV-01"),
        Unstable(path="file", field="", rule="unstable", error="raised once"),
    )
    found = dict(properties(judgement(unstable=shaky)))
    assert found["ffparity.outcome"] == "failed"
    assert found["ffparity.unstable"] == "db /value,file"


def test_a_stress_vector_gives_the_p99_of_each_path() -> None:
    found = properties(judgement(stress=StressResult(100, {"file": LOAD, "db": LOAD}, ())))
    assert found == [
        ("ffparity.outcome", "passed"),
        ("ffparity.p99_ms.file", "12.000"),
        ("ffparity.p99_ms.db", "12.000"),
    ]


def test_thousands_of_fields_are_cut() -> None:
    found = dict(properties(judgement(*(broken(f"/f{i}") for i in range(2000)))))
    assert found["ffparity.fields"].count(",") == MAX_NAMES
    assert found["ffparity.fields"].endswith(f"/f{MAX_NAMES - 1},... and 1950 more")


def test_names_and_values_are_legal_in_xml() -> None:
    names = ("file\x00", "d\x1b\ufffeb")
    found = properties(judgement(broken('/a\x07<"&\ud800李'), names=names))
    node = ET.Element("properties")
    for name, value in found:
        ET.SubElement(node, "property", {"name": name, "value": value})
    read = ET.fromstring(ET.tostring(node, "utf-8"))  # noqa: S314 - made here
    again = {each.get("name"): each.get("value") for each in read}
    assert again["ffparity.fields"] == '/a#x07<"&#xD800李'
    assert {"ffparity.latency_ms.file#x00", "ffparity.latency_ms.d#x1B#xFFFEb"} <= set(again)
