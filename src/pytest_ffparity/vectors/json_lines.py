"""Reads a file of JSON lines strictly: one document a line, each checked against a schema."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from pytest_ffparity.formats import schema, strict_json
from pytest_ffparity.formats.schema import Problem
from pytest_ffparity.vectors.errors import FileProblem, VectorFileError

# A file that is broken throughout is told by its first lines.
MAX_PROBLEMS: Final = 20
_QUOTED: Final = re.compile(
    r'(?<=^found )the (text|number) (?:"(?:[^"\\]|\\.)*"|\S+)(?=, expected)'
)


def read_lines(
    path: Path,
    schema_name: str,
    place: Callable[[dict[str, Any]], object],
    check: Callable[[dict[str, Any]], Iterable[Problem]] = lambda _: (),
    *,
    quotes: bool = True,
) -> list[dict[str, Any]]:
    """Read every line; blank ones are passed over.

    Args:
        path: The file.
        schema_name: The published schema of a line.
        place: What tells a line from all others; the same twice is a problem.
        check: Finds what is wrong with a line that keeps its schema.
        quotes: Whether problems may say what they found, and not only of what kind it is.

    Raises:
        VectorFileError: The file is missing, unreadable, empty or unsound; tells the problems.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        problem = FileProblem(None, None, f"can't be read: {error.strerror}")
        raise VectorFileError(path, [problem], "Name a readable file.") from None
    found: list[dict[str, Any]] = []
    problems: list[FileProblem] = []
    first: dict[object, int] = {}
    for number, line in enumerate(raw.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            document = strict_json.loads(line.decode("utf-8"))
        except (UnicodeDecodeError, strict_json.JSONRefusedError) as error:
            what = error.problem if isinstance(error, strict_json.JSONRefusedError) else str(error)
            problems.append(FileProblem(number, None, f"{what}, expected one JSON document"))
            continue
        wrong = schema.problems(schema_name, document) or list(check(document))
        for each in wrong:
            told = each.sentence if quotes else _QUOTED.sub(r"a \1", each.sentence)
            problems.append(FileProblem(number, each.pointer, told))
        if wrong:
            continue
        key = place(document)
        before = first.setdefault(key, number)
        if before != number:
            # Not by its name: a case of a capture may be called after its user.
            sentence = f"found what line {before} is about again, expected each once"
            problems.append(FileProblem(number, None, sentence))
        found.append(document)
    if not found and not problems:
        problems.append(FileProblem(None, None, "found no line, expected one at least"))
    if problems:
        first_ones = problems[:MAX_PROBLEMS]
        if len(problems) > MAX_PROBLEMS:
            rest = f"and {len(problems) - MAX_PROBLEMS} problems more"
            first_ones.append(FileProblem(None, None, rest))
        remedy = f"Correct the lines; `ffparity schemas` writes the schema {schema_name}."
        raise VectorFileError(path, first_ones, remedy)
    return found
