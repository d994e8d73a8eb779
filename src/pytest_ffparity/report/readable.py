"""Text of unknown origin, made fit to be read: nothing invisible, nothing endless."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from unicodedata import normalize

from pytest_ffparity.formats.strict_json import canonical
from pytest_ffparity.parity.compare import Seen
from pytest_ffparity.report import brief
from pytest_ffparity.report.brief import MAX_SHOWN


def visible(text: str) -> str:
    """Write what has no shape of its own (controls, odd blanks, marks of direction) as JSON would.

    Line ends and the plain blank stay.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else _escape(c) for c in text)


def cut(text: str, limit: int = MAX_SHOWN) -> str:
    """Keep the beginning of a long text, and say how long all of it is."""
    return brief.cut(text, limit)


def pretty(value: Any) -> str:
    """Give a JSON value over several lines."""
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)


def side_by_side(sides: Iterable[Seen]) -> list[str]:
    """Give the values of several sides, cut, and such that no two that differ look the same."""
    texts = [canonical(side.value) if side.present else None for side in sides]
    given = {text for text in texts if text is not None}
    if len({normalize("NFC", text) for text in given}) < len(given):
        # One letter and its parts look alike: only the code points tell them apart.
        texts = [None if text is None else _code_points(text) for text in texts]
    return ["(missing)" if text is None else cut(text) for text in texts]


def _code_points(text: str) -> str:
    return "".join(c if c.isascii() else _escape(c) for c in text)


def _escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
