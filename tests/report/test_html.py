"""The page of a run: one file that needs nothing, and shows what a person has to see."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest

from pytest_ffparity.parity.verdict import Verdict
from pytest_ffparity.report.html import page, trend_page
from pytest_ffparity.report.trend import TrendPoint

# Elements that have no end, and those whose end may be left out.
VOID = {"meta", "line", "rect", "path", "circle", "br", "td", "tr", "th"}


class Reader(HTMLParser):
    """Takes a page apart: its elements, its text, and the text of each row of a table."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.rows: list[str] = []
        self.verdict = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.elements.append((tag, given))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append("")
        if given.get("id") == "verdict":
            self.verdict = str(given["data-verdict"])

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self.rows and "table" in self.open:
            self.rows[-1] += data

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def read(report: Any) -> Reader:
    return Reader(page(report))


@pytest.mark.parametrize(
    ("sample", "verdict", "label"),
    [
        ("passing", "go", "GO"),
        ("failing", "blocked", "BLOCKED"),
        ("waived", "go_with_waivers", "GO WITH WAIVERS"),
        ("large", "blocked", "BLOCKED"),
    ],
)
def test_the_verdict_can_be_read_by_people_and_machines(
    request: pytest.FixtureRequest, sample: str, verdict: str, label: str
) -> None:
    reader = read(request.getfixturevalue(sample))
    assert reader.verdict == verdict
    assert label in reader.text
    assert reader.open == []


@pytest.mark.parametrize("sample", ["passing", "failing", "waived", "large"])
def test_the_page_needs_no_network_and_runs_nothing(
    request: pytest.FixtureRequest, sample: str
) -> None:
    reader = read(request.getfixturevalue(sample))
    for tag, attributes in reader.elements:
        assert tag not in {"script", "link", "img", "iframe", "object", "embed", "base", "form"}
        for name, value in attributes.items():
            assert not name.startswith("on")
            assert name not in {"src", "srcset", "data", "action", "formaction", "xlink:href"}
            if name == "href":
                assert str(value).startswith("#")
    (policy,) = [a["content"] for t, a in reader.elements if a.get("http-equiv")]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"
    styles = re.findall(r"<style>(.*?)</style>", page(request.getfixturevalue(sample)), re.DOTALL)
    assert styles
    assert not re.search(r"url\(|@import|https?:", "".join(styles))


def test_an_agreeing_vector_is_one_row(passing: Any) -> None:
    rows = read(passing).rows
    for number in range(1, 18):
        assert sum(f"PT-{number:02} " in row or f"PT-{number:02}\n" in row for row in rows) <= 1
    assert sum("passed" in row for row in rows) == 17


def test_values_stand_side_by_side_where_they_differ_and_only_there(failing: Any) -> None:
    text = read(failing).text
    assert "/value" in text
    assert '"daily":500.0' in text
    assert "PT-09 vectors" in text
    # What agrees in PT-02 is nowhere.
    assert "/override_scope" not in text


def test_letters_that_look_alike_are_told_apart(failing: Any) -> None:
    text = read(failing).text
    assert r"jos\u00e9" in text
    assert r"jose\u0301" in text


def test_hostile_text_is_text(failing: Any) -> None:
    text = page(failing)
    assert "<script>" not in text
    assert "alert(" in text
    assert "\u202e" not in text
    assert "\u2028" not in text
    assert "5,002 characters" in text


def test_what_else_has_to_be_seen_is_there(failing: Any) -> None:
    text = read(failing).text
    for told in (
        "known since March",
        "PT-09: /reason was expected, and is not any more",
        "agreed in review",
        "the server gave no answer",
        "limit 100 ms",
        "no judgement on record",
        "the recording has no answer",
        "Smallest example",
        "vectors/saved/ff_x.json",
        "--ffparity-seed 7",
        "odd one out: db",
        "2,126 times",
    ):
        assert told in text, told


def test_distributions_are_drawn_on_one_scale(passing: Any) -> None:
    reader = read(passing)
    drawings = [a for t, a in reader.elements if t == "svg"]
    assert len(drawings) == 2
    assert {a["role"] for a in drawings} == {"img"}
    ticks = re.findall(r'<text class="tick"[^>]*>([^<]+)</text>', page(passing))
    assert ticks[: len(ticks) // 2] == ticks[len(ticks) // 2 :]
    assert len([t for t, a in reader.elements if t == "rect"]) > 10


def test_two_thousand_vectors_fold_into_a_small_page(large: Any) -> None:
    text = page(large)
    assert len(text) < 400_000
    reader = Reader(text)
    assert "GEN 699 of 700 passed" in reader.text
    assert sum("GEN-0002" in row for row in reader.rows) == 1


def test_tables_have_heads_and_dark_and_print_are_thought_of(failing: Any) -> None:
    text = page(failing)
    heads = [a for t, a in Reader(text).elements if t == "th"]
    assert heads
    assert all(a.get("scope") in ("row", "col") for a in heads)
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


def test_a_field_without_an_expectation_says_so(failing: Any) -> None:
    entries = []
    for entry in failing.entries:
        judgements = [
            msgspec.structs.replace(
                j,
                divergences=tuple(msgspec.structs.replace(d, expected=None) for d in j.divergences),
            )
            for j in entry.judgements
        ]
        entries.append(msgspec.structs.replace(entry, judgements=tuple(judgements)))
    report = msgspec.structs.replace(failing, entries=tuple(entries))
    assert "only that the paths agree" in read(report).text


def point(number: int, verdict: Verdict, **p99_ms: float) -> TrendPoint:
    return TrendPoint(
        started_at=f"2026-04-{number:02}T00:00:00.000000Z",
        commit=None,
        verdict=verdict,
        divergences=number,
        p99_ms=p99_ms,
        file=f"<run {number}>.json",
    )


def test_a_trend_has_a_line_a_path_and_a_mark_a_run() -> None:
    points = [
        point(1, Verdict.GO, file=3.0, db=8.0),
        point(2, Verdict.INCOMPLETE),
        point(3, Verdict.BLOCKED, file=3.5, db=90.0),
        point(4, Verdict.GO_WITH_WAIVERS, file=0.0, db=1e9),
    ]
    text = trend_page(points)
    reader = Reader(text)
    assert reader.open == []
    paths = [a for t, a in reader.elements if t == "path"]
    marks = [a["class"] for a in paths if a.get("class")]
    assert marks == ["go", "incomplete", "blocked", "go_with_waivers"]
    # The line is broken where nothing was measured.
    lines = [str(a["d"]) for a in paths if str(a["d"]).count("M") == 2 and "L" in str(a["d"])]
    assert len(lines) == 2
    assert "<run 3>.json" in reader.text
    assert "1 of 4 GO" in reader.text


def test_a_trend_of_runs_without_load_is_a_page_too() -> None:
    reader = Reader(trend_page([point(1, Verdict.GO)]))
    assert reader.verdict == "go"
    assert reader.open == []
