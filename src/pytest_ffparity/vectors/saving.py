"""Writes a divergence that was found as a vector file, which fails until it is mended."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pytest_ffparity.errors import FFParityError
from pytest_ffparity.vectors.document import digest
from pytest_ffparity.vectors.errors import VectorFileError
from pytest_ffparity.vectors.reader import SCHEMA, read_vector_file

PREFIX: Final = "FOUND"
_MAX_TITLE: Final = 200


class NotSavedError(FFParityError):
    """A divergence can't be written as a vector file."""


def save(
    folder: Path, title: str, world: Any, requests: Sequence[Any], expected: Sequence[Any]
) -> Path:
    """Write one vector file and give its path; the same divergence gets the same name.

    A file of that name that is there already stays as it is.

    Args:
        folder: Where to; made if need be.
        title: What it is about; cut, and made printable.
        world: The world, or None where the requests need none.
        requests: In the order in which they are asked; the last one diverges.
        expected: What each has to be answered with.

    Raises:
        NotSavedError: It holds what no vector file may hold, or can't be written.
    """
    try:
        name = f"{PREFIX}-{digest([world, *requests])[:12]}"
        path = folder / f"{name}.json"
        folder.mkdir(parents=True, exist_ok=True)
        if path.exists():
            # Somebody may have mended what it expects: that stands.
            read_vector_file(path)
            return path
        _write(path, _document(name, title, world, requests, expected))
    except OSError as error:
        raise NotSavedError(f"can't write to {folder}: {error.strerror}") from None
    except UnicodeEncodeError:
        raise NotSavedError("no vector file may hold it: text that is no Unicode") from None
    except VectorFileError as error:
        problem = error.problems[0].sentence
        if error.path == path:
            raise NotSavedError(f"{path} is there and can't be used: {problem}") from None
        raise NotSavedError(f"no vector file may hold it: {problem}") from None
    return path


def _write(path: Path, document: dict[str, Any]) -> None:
    """Put a file in place only when it can be read; others may write the same one just now."""
    text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    draft = path.with_name(f".{path.stem}.{os.getpid()}.draft")
    try:
        draft.write_text(text, encoding="utf-8")
        read_vector_file(draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _document(
    name: str, title: str, world: Any, requests: Sequence[Any], expected: Sequence[Any]
) -> dict[str, Any]:
    printable = "".join(c if c.isprintable() else "?" for c in title)
    vector: dict[str, Any] = {"id": name, "title": printable[:_MAX_TITLE]}
    if world is not None:
        vector["world"] = "found"
    if len(requests) == 1:
        vector |= {"request": requests[0], "expected": expected[0]}
    else:
        vector["cases"] = [
            {"id": f"c{number}", "request": request, "expected": wanted}
            for number, (request, wanted) in enumerate(zip(requests, expected, strict=True), 1)
        ]
    return {
        "$schema": f"{SCHEMA}.schema.json",
        "schema_version": "1",
        "description": "Found by comparing paths. What is expected is what the first path answered: "
        "check that it is right before you keep it.",
        **({} if world is None else {"worlds": {"found": world}}),
        "vectors": [vector],
    }
