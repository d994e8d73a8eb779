"""One JSON file, read strictly and checked against its published schema."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from pytest_ffparity.formats import located, schema, strict_json
from pytest_ffparity.formats.schema import Problem
from pytest_ffparity.vectors.errors import FileProblem, VectorFileError


class Document(msgspec.Struct, frozen=True):
    """A file's text, and the data in it."""

    path: Path
    text: str
    data: dict[str, Any]
    schema_name: str

    def error(self, problems: Iterable[Problem]) -> VectorFileError:
        """Make the error that tells all the problems, in the order of the file."""
        found = list(problems)
        at = located.places(self.text, {problem.pointer for problem in found})
        found.sort(key=lambda p: (at[p.pointer].line, at[p.pointer].column))
        told = [FileProblem(at[p.pointer].line, p.pointer, p.sentence) for p in found]
        return VectorFileError(self.path, told, _remedy(self.path, self.schema_name))


def load(path: Path, schema_name: str, *, starter: str) -> Document:
    """Read a file and check it against a shipped schema; `starter` is what a new file may hold.

    Raises:
        VectorFileError: The file is missing or unreadable, or breaks the schema.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        problem = FileProblem(None, None, "found no such file, expected a JSON file")
        remedy = f"Create it, to begin with as {starter}, or name another file."
        raise VectorFileError(path, [problem], remedy) from None
    except OSError as error:
        problem = FileProblem(None, None, f"can't be read: {error.strerror}")
        raise VectorFileError(path, [problem], "Make it a readable file.") from None
    text = _decoded(path, raw)
    try:
        data = strict_json.loads(text)
    except strict_json.JSONRefusedError as error:
        raise _refused(path, text, error) from None
    document = Document(path, text, data, schema_name)
    problems = schema.problems(schema_name, data)
    if problems:
        raise document.error(problems)
    return document


def digest(value: Any) -> str:
    """Give the SHA-256, in hex, of a value's canonical JSON."""
    return sha256(strict_json.canonical(value).encode()).hexdigest()


def _decoded(path: Path, raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        sentence = f"found bytes that are not UTF-8 (at byte {error.start}), expected UTF-8"
        remedy = "Save the file as UTF-8."
        raise VectorFileError(path, [FileProblem(line, None, sentence)], remedy) from None


def _refused(path: Path, text: str, error: strict_json.JSONRefusedError) -> VectorFileError:
    problems = [
        FileProblem(r.place.line, r.pointer, f"{r.problem}, expected strict JSON")
        for r in located.refusals(text)
    ]
    if not problems:
        problems = [FileProblem(None, error.pointer, error.problem)]
    return VectorFileError(path, problems, "Correct the JSON; nothing of the file was used.")


def _remedy(path: Path, schema_name: str) -> str:
    return (
        f"Correct the file. `ffparity schemas {shlex.quote(str(path.parent))}` writes the schemas beside it; with "
        f'"$schema": "{schema_name}{schema.SUFFIX}" an editor shows what is expected.'
    )
