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
_TOKEN: Final = re.compile(r"eyJ[\w-]+\.[\w-]+\.")
_SENTENCE: Final = (
    'found a token, expected its claims: put {"$bearer": {"claims": {...}}} in its place, for a '
    "token is a secret"
)


def read_capture(path: Path) -> list[dict[str, Any]]:
    """Read a capture's lines: `id`, `request`, and `expected` where there is one.

    Raises:
        VectorFileError: The file can't be used, or holds a real token.
    """
    return read_lines(path, SCHEMA, lambda line: f'the id "{line["id"]}"', _tokens)


def _tokens(node: Any, at: tuple[str | int, ...] = ()) -> Iterator[Problem]:
    if isinstance(node, str) and _TOKEN.search(node):
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
