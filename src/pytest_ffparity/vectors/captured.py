"""Reads a capture: requests as a service got them, one a line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pytest_ffparity.formats.pointer import join
from pytest_ffparity.formats.schema import Problem
from pytest_ffparity.vectors.json_lines import read_lines

SCHEMA: Final = "captured_request.v1"
_TOKEN: Final = re.compile(r"eyJ[\w-]+\.[\w-]+\.|^\s*(?i:bearer)\s+\S{8}")
# Headers that hold nothing else.
_SECRET: Final = re.compile(r"(proxy-)?authorization|(set-)?cookie|(x-)?api-key", re.IGNORECASE)
_PLAIN: Final = 12
_SENTENCE: Final = (
    'found a token or another secret, expected its claims, or nothing: put {"$bearer": {"claims": '
    "{...}}} in its place"
)


def read_capture(path: Path) -> list[dict[str, Any]]:
    """Read a capture's lines: `id`, `request`, and `expected` where there is one.

    Raises:
        VectorFileError: The file can't be used, or holds a real token.
    """
    return read_lines(path, SCHEMA, lambda line: f'the id "{line["id"]}"', _tokens, quotes=False)


def _tokens(node: Any, at: tuple[str | int, ...] = ()) -> Iterator[Problem]:
    if isinstance(node, str) and (_TOKEN.search(node) or (_kept_secret(at) and len(node) > _PLAIN)):
        yield Problem(join(at), _SENTENCE)
    elif isinstance(node, dict):
        if any(map(_TOKEN.search, node)):
            yield Problem(join(at), _SENTENCE)
            return
        for key, member in node.items():
            yield from _tokens(member, (*at, key))
    elif isinstance(node, list):
        for index, member in enumerate(node):
            yield from _tokens(member, (*at, index))


def _kept_secret(at: tuple[str | int, ...]) -> bool:
    """Tell by the names above a text whether it is a secret; described claims are none."""
    names = [part for part in at if isinstance(part, str)]
    return "$bearer" not in names and any(map(_SECRET.fullmatch, names))
