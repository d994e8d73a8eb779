"""Reads a waiver file: known divergences that somebody answers for, each until a day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, Final

import msgspec

from pytest_ffparity.formats.located import item_lines
from pytest_ffparity.formats.pointer import join
from pytest_ffparity.formats.schema import Problem
from pytest_ffparity.vectors.document import digest, load

SCHEMA: Final = "waivers.v1"
_STARTER: Final = (
    '{"schema_version": "1", "waivers": [{"vector": "PT-01", "field": "/reason", "owner": "your team", '
    '"reason": "what is to be mended", "expires": "2027-01-31"}]}'
)


class Waiver(msgspec.Struct, frozen=True, kw_only=True):
    """A divergence at a field of a vector that is let pass before the day `expires`, in UTC."""

    vector: str
    field: str
    owner: str
    reason: str
    expires: date
    line: int


class WaiverFile(msgspec.Struct, frozen=True, kw_only=True):
    """A waiver file that was read and found sound; `digest` as in a vector file."""

    path: Path
    digest: str
    waivers: tuple[Waiver, ...]


def read_waivers(path: Path) -> WaiverFile:
    """Read and check a waiver file.

    Raises:
        VectorFileError: The file is missing, not strict JSON, or unsound; tells every problem.
    """
    document = load(path, SCHEMA, starter=_STARTER)
    listed = document.data["waivers"]
    problems = list(_problems(listed))
    if problems:
        raise document.error(problems)
    lines = item_lines(document.text, "/waivers")
    return WaiverFile(
        path=path,
        digest=digest(document.data),
        waivers=tuple(
            Waiver(**{**raw, "expires": date.fromisoformat(raw["expires"])}, line=line)
            for raw, line in zip(listed, lines, strict=True)
        ),
    )


def _problems(listed: list[dict[str, Any]]) -> Iterator[Problem]:
    first: dict[tuple[str, str], int] = {}
    for index, raw in enumerate(listed):
        try:
            date.fromisoformat(raw["expires"])
        except ValueError:
            sentence = f'found the day "{raw["expires"]}", expected one of the calendar'
            yield Problem(join(["waivers", index, "expires"]), sentence)
        before = first.setdefault((raw["vector"], raw["field"]), index)
        if before != index:
            sentence = (
                f"found {raw['vector']} {raw['field']} waived again, expected each once "
                f"(first at {join(['waivers', before])})"
            )
            yield Problem(join(["waivers", index]), sentence)
