"""Reads the acknowledgements: which weakenings of the standard somebody stands for, and why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from pytest_ffparity.formats.located import item_lines
from pytest_ffparity.formats.pointer import join
from pytest_ffparity.formats.schema import Problem
from pytest_ffparity.vectors.document import digest, load

SCHEMA: Final = "acknowledgements.v1"
_STARTER: Final = '{"schema_version": "1", "acknowledged": []}'


class Acknowledgement(msgspec.Struct, frozen=True, kw_only=True):
    """One change, by the text of its id, that somebody has seen and stands for."""

    change: str
    who: str
    why: str
    line: int


class AcknowledgementFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of acknowledgements that was read and found sound; `digest` as in a vector file."""

    path: Path
    digest: str
    acknowledged: tuple[Acknowledgement, ...]


def read_acknowledgements(path: Path) -> AcknowledgementFile:
    """Read and check a file of acknowledgements.

    Raises:
        VectorFileError: The file is missing, not strict JSON, or unsound; tells every problem.
    """
    document = load(path, SCHEMA, starter=_STARTER)
    listed = document.data["acknowledged"]
    problems = list(_named_twice(listed))
    if problems:
        raise document.error(problems)
    lines = item_lines(document.text, "/acknowledged")
    return AcknowledgementFile(
        path=path,
        digest=digest(document.data),
        acknowledged=tuple(
            Acknowledgement(**raw, line=line) for raw, line in zip(listed, lines, strict=True)
        ),
    )


def _named_twice(listed: list[dict[str, Any]]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, raw in enumerate(listed):
        before = first.setdefault(raw["change"], index)
        if before != index:
            sentence = (
                f'found the change "{raw["change"]}" again, expected each once '
                f"(first at {join(['acknowledged', before])})"
            )
            yield Problem(join(["acknowledged", index, "change"]), sentence)
