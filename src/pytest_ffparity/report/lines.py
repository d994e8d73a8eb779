"""Text with styles, so that one writer serves a terminal, a file and a pipe."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import TypeAlias

import msgspec


class Style(StrEnum):
    """How a piece of text is meant; the terminal decides how it looks."""

    PLAIN = ""
    GOOD = "good"
    BAD = "bad"
    DOUBTFUL = "doubtful"
    STRONG = "strong"
    FAINT = "faint"


class Span(msgspec.Struct, frozen=True):
    """A piece of text in one style."""

    text: str
    style: Style = Style.PLAIN


Line: TypeAlias = tuple[Span, ...]


def line(*parts: str | Span) -> Line:
    """Make a line of plain texts and spans."""
    return tuple(p if isinstance(p, Span) else Span(p) for p in parts)


def plain(lines: Iterable[Line]) -> str:
    """Give the text without styles."""
    return "\n".join("".join(span.text for span in each).rstrip() for each in lines)
