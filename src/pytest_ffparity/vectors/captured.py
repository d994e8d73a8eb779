"""Reads a capture: requests as a service got them, one a line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pytest_ffparity.formats.pointer import join
from pytest_ffparity.vectors.errors import FileProblem, VectorFileError
from pytest_ffparity.vectors.json_lines import read_lines

SCHEMA: Final = "captured_request.v1"
_TOKEN: Final = re.compile(r"\beyJ[\w-]+\.[\w-]+\.")


def read_capture(path: Path) -> list[dict[str, Any]]:
    """Read a capture's lines: `id`, `request`, and `expected` where there is one.

    Raises:
        VectorFileError: The file can't be used, or holds a real token.
    """
    lines = read_lines(path, SCHEMA, lambda line: f'the id "{line["id"]}"')
    problems = [
        FileProblem(None, pointer, f'found a token in "{line["id"]}", expected its claims')
        for line in lines
        for pointer in _tokens(line["request"], ("request",))
    ]
    if problems:
        remedy = 'Put {"$bearer": {"claims": {...}}} in its place: a token is a secret.'
        raise VectorFileError(path, problems[:10], remedy)
    return lines


def _tokens(node: Any, at: tuple[str | int, ...]) -> Iterator[str]:
    if isinstance(node, str) and _TOKEN.search(node):
        yield join(at)
    elif isinstance(node, dict | list):
        members = node.items() if isinstance(node, dict) else enumerate(node)
        for key, member in members:
            yield from _tokens(member, (*at, key))
