"""Markdown as GitHub renders it, made of text that may hold anything."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from pytest_ffparity.report.brief import one_line

# Entities, for a backslash before a bar means something else in a table than outside.
_ENTITIES: Final = str.maketrans({char: f"&#{ord(char)};" for char in "&<>|`*_[]\\~$@#"})
_UNFIT_FOR_TICKS: Final = re.compile(r"[|`\\]|^ | $|^$")
# Blanks, bullets and numbers that would begin something at the start of a line.
_START: Final = re.compile(r"^\s*(?=[-+=]|\d+[.)])|^\s+")
_FENCE: Final = re.compile("`{3,}")


def text(anything: str) -> str:
    """Give text on one line that is shown as it is."""
    return _START.sub("&#8203;", one_line(anything).translate(_ENTITIES))


def code(anything: str) -> str:
    """Give text on one line as code, also inside a table."""
    line = one_line(anything)
    if _UNFIT_FOR_TICKS.search(line):
        return f"<code>{line.translate(_ENTITIES)}</code>"
    return f"`{line}`"


def block(anything: str, language: str) -> str:
    """Give a block of code that nothing in it can end."""
    fence = "`" * max(3, *(len(found) + 1 for found in _FENCE.findall(anything)), 0)
    return f"{fence}{language}\n{anything}\n{fence}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Give a table; its cells are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def bullets(items: Iterable[str]) -> str:
    """Give a list; its items are Markdown already."""
    return "\n".join(f"- {item}" for item in items)


def details(title: str, body: str) -> str:
    """Give a part that opens on demand; the title is plain text, the body Markdown already."""
    return f"<details><summary>{text(title)}</summary>\n\n{body}\n\n</details>"
