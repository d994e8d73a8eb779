"""A waiver lets a known divergence pass a merge, until its day, and never counts as GO."""

from __future__ import annotations

from typing import Any

import pytest

FAR = "2999-01-01"
DIVERGED = {"V-2": "else"}
LIVE = {"vector": "V-2", "field": "/answer", "owner": "flags@example.org", "reason": "T-12"}
SPLIT = """
class Other(Toy):
    async def evaluate(self, request):
        answer = await super().evaluate(request)
        return {**answer, **request.get("new", {})}

@pytest.fixture(scope="session")
def ffparity_paths():
    return [Toy("old"), Other("new")]
"""


def waive(project: Any, *waivers: dict[str, str], name: str = "waivers.json") -> None:
    listed = [{"expires": FAR, **waiver} for waiver in waivers]
    project.write(name, {"schema_version": "1", "waivers": listed})


@pytest.mark.parametrize("workers", [[], ["-n", "2"], ["-p", "no:xdist"]], ids=" ".join)
def test_a_waived_divergence_passes_the_merge_and_is_told(project: Any, workers: list[str]) -> None:
    project.vectors("V-1", "V-2", "V-3", **DIVERGED)
    waive(project, LIVE)
    result = project.run(*workers)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "V-2     xx*waived",
            "verdict  GO WITH WAIVERS  V 2 of 3",
            "         - V-2 /answer is waived until 2999-01-01 by flags@example.org: T-12",
            "         this lets a merge pass, and no cutover",
        ]
    )
    report = project.report()
    assert report["verdict"] == report["footer"]["verdict"] == "go_with_waivers"
    assert [v["outcome"] for v in report["vectors"]] == ["passed", "waived", "passed"]
    assert report["vectors"][1]["waived"] == ["V-2 /answer"]
    assert report["counts"]["waived"] == 1


def test_no_waiver_makes_a_cutover_go(project: Any) -> None:
    project.vectors("V-1", "V-2", **DIVERGED)
    waive(project, LIVE)
    assert project.run("--ffparity-require-go").ret == 1


@pytest.mark.parametrize(
    ("waiver", "told"),
    [
        ({**LIVE, "expires": "2020-01-01"}, "*waiver of V-2 /answer*expired on 2020-01-01*"),
        ({**LIVE, "field": "/by"}, "*waiver of V-2 /by*is unused*"),
        ({**LIVE, "vector": "V-9"}, "*waiver of V-9 /answer*is unused*"),
    ],
    ids=["expired", "another field", "another vector"],
)
def test_a_waiver_that_covers_nothing_is_red(
    project: Any, waiver: dict[str, str], told: str
) -> None:
    project.vectors("V-1", "V-2", **DIVERGED)
    waive(project, waiver)
    result = project.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["verdict  BLOCKED*", told])


def test_an_unused_waiver_is_red_where_all_is_well(project: Any) -> None:
    waive(project, LIVE)
    result = project.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["verdict  BLOCKED  V 3 of 3", "*V-2 /answer*is unused*"])


def test_a_waiver_of_a_vector_that_was_left_out_is_not_unused(project: Any) -> None:
    waive(project, LIVE)
    assert project.run("-k", "V-1").ret == 0


@pytest.mark.parametrize("key", ["owner", "reason", "expires"])
@pytest.mark.parametrize("value", [None, " "], ids=["missing", "blank"])
def test_nobody_answers_for_it_so_nothing_runs(project: Any, key: str, value: str | None) -> None:
    waiver = {k: v for k, v in {**LIVE, "expires": FAR, key: value}.items() if v is not None}
    project.write("waivers.json", {"schema_version": "1", "waivers": [waiver]})
    result = project.run()
    assert result.ret == 4
    result.stderr.fnmatch_lines([f"*waivers.json:*{key}*"])
    assert project.report()["verdict"] == "incomplete"


def test_every_field_has_to_be_waived(project: Any) -> None:
    project.conftest(SPLIT)
    vector = {"id": "V-1", "title": "t", "expected": {"answer": "a"}}
    vector["request"] = {"ask": "a", "new": {"answer": "b", "by": "old"}}
    project.write("parity_test_matrix.json", {"schema_version": "1", "vectors": [vector]})
    waive(project, {**LIVE, "vector": "V-1"})
    result = project.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*- V-1: R-1, R-2 broken at /answer, /by"])
    waive(project, {**LIVE, "vector": "V-1"}, {**LIVE, "vector": "V-1", "field": "/by"})
    assert project.run().ret == 0


def test_another_file_can_be_named(project: Any) -> None:
    project.vectors("V-1", "V-2", **DIVERGED)
    waive(project, LIVE, name="mine.json")
    assert project.run().ret == 1
    assert project.run("--ffparity-waivers", "vectors/mine.json").ret == 0
    project.ini("ffparity_waivers = vectors/mine.json\n")
    assert project.run().ret == 0


def test_a_waiver_file_that_is_named_and_missing_stops_the_run(project: Any) -> None:
    result = project.run("--ffparity-waivers", "nowhere.json")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*nowhere.json*found no such file*"])


@pytest.mark.parametrize(
    ("flags", "status"),
    [([{"flag_key": "f", "sensitive": True}], 1), ([], 1), ([{"flag_key": "f"}], 0)],
    ids=["sensitive", "unknown", "not sensitive"],
)
def test_a_sensitive_deny_that_became_an_allow_can_not_be_waived(
    project: Any, flags: list[Any], status: int
) -> None:
    project.conftest(SPLIT)
    rows = [
        {"id": "R-1", "fields": ["/answer", "/decision"], "rule": "MUST_MATCH"},
        {"id": "R-2", "fields": ["/by"], "rule": "MUST_DIFFER"},
    ]
    listed = [{**row, "document": "decision", "why": "w"} for row in rows]
    project.write(
        "cutover_parity_matrix.json", {"schema_version": "1", "rows": listed, "required": []}
    )
    request = {"ask": "a", "flag_key": "f", "new": {"decision": "allow"}}
    vector = {"id": "V-1", "title": "t", "world": "w", "request": request}
    vector["expected"] = {"answer": "a", "decision": "deny"}
    denying = "class Denying(Toy):\n    async def evaluate(self, request):\n"
    denying += "        return {**await super().evaluate(request), 'decision': 'deny'}\n"
    project.conftest(SPLIT.replace("return [Toy(", "return [Denying(") + denying)
    document = {"schema_version": "1", "worlds": {"w": {"flags": flags}}, "vectors": [vector]}
    project.write("parity_test_matrix.json", document)
    waive(project, {**LIVE, "vector": "V-1", "field": "/decision"})
    result = project.run()
    assert result.ret == status
    if status:
        result.stdout.fnmatch_lines(["*- V-1: R-1 broken at /decision; new allows what is denied*"])
