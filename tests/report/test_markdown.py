"""Read back with a Markdown parser: whatever the text is, it is shown as it is."""

from __future__ import annotations

from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pytest_ffparity.report.brief import one_line
from pytest_ffparity.report.markdown import block, bullets, code, details, table, text

HOSTILE = (
    "a|b",
    "a\\|b",
    "a\\\\|b`c",
    "`",
    "``` x",
    "<script>alert(1)</script>",
    "</code></td></table>",
    "</summary></details>",
    "&lt;b&gt;",
    "line\nand\r\nline\u2028and\x1b[31m",
    "**bold** _it_ ~~no~~ [a](https://b.example) ![c](d)",
    "# head",
    "- item",
    "1. item",
    "+ item",
    "=====",
    "    indented",
    "> quoted",
    "$x$ @team #12",
    "",
    " ",
)


class Shown(HTMLParser):
    """Collects what a reader sees in each cell, item, block or title."""

    def __init__(self, *tags: str) -> None:
        super().__init__()
        self.tags, self.all, self.texts = tags, set[str](), list[str]()
        self._open = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        self.all.add(tag)
        if tag in self.tags:
            self._open += 1
            self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._open -= tag in self.tags

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts[-1] += data


def seen(markdown: str, *tags: str) -> Shown:
    shown = Shown(*tags)
    shown.feed(MarkdownIt("gfm-like", {"linkify": False}).render(markdown))
    return shown


def words(anything: str) -> str:
    return " ".join(anything.replace("\u200b", "").split())


def check(anything: str) -> None:
    whole = table(["head", "two"], [[code(anything), text(anything)], ["next", "row"]])
    shown = seen(whole, "td")
    wanted = words(one_line(anything))
    assert [*map(words, shown.texts)] == [wanted, wanted, "next", "row"]
    assert shown.all <= {"table", "thead", "tbody", "tr", "th", "td", "code"}
    shown = seen(bullets([text(anything), "next"]), "li")
    assert [*map(words, shown.texts)] == [wanted, "next"]
    assert shown.all <= {"ul", "li", "p"}


@pytest.mark.parametrize("anything", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_shown_as_it_is(anything: str) -> None:
    check(anything)


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("|\\`<>&*_[]()~$@#!-+=1.: \n\u2028aé"), max_size=12))
def test_any_text_is_shown_as_it_is(anything: str) -> None:
    check(anything)


@settings(deadline=None)
@given(st.text(alphabet="`~\n a", max_size=20))
def test_nothing_ends_a_block_of_code(anything: str) -> None:
    shown = seen(f"{block(anything, 'json')}\n\nafter", "code", "p")
    assert shown.texts == [f"{anything}\n", "after"]


@pytest.mark.parametrize("anything", HOSTILE, ids=range(len(HOSTILE)))
def test_a_title_that_opens_is_plain_text(anything: str) -> None:
    part = details(anything, block("1", "json"))
    title = part.removeprefix("<details><summary>").split("</summary>")[0]
    assert "<" not in title
    assert words(unescape(title)) == words(one_line(anything))
    assert seen(part, "pre").texts == ["1\n"]
