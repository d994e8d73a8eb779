"""Writes a divergence that was found as a vector file, which fails until it is mended."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pytest_ffparity.errors import FFParityError
from pytest_ffparity.vectors.document import digest
from pytest_ffparity.vectors.errors import VectorFileError
from pytest_ffparity.vectors.reader import SCHEMA, read_vector_file

PREFIX: Final = "FOUND"


class NotSavedError(FFParityError):
    """A divergence can't be written as a vector file."""


def save(
    folder: Path, title: str, world: Any, requests: Sequence[Any], expected: Sequence[Any]
) -> Path:
    """Write one vector file and give its path; the same divergence gets the same name.

    Args:
        folder: Where to; made if need be.
        title: What it is about.
        world: The world.
        requests: In the order in which they are asked; the last one diverges.
        expected: What each has to be answered with.

    Raises:
        NotSavedError: It holds what no vector file may hold, or can't be written.
    """
    name = f"{PREFIX}-{digest([world, *requests])[:12]}"
    vector: dict[str, Any] = {"id": name, "title": title, "world": "found"}
    if len(requests) == 1:
        vector |= {"request": requests[0], "expected": expected[0]}
    else:
        vector["cases"] = [
            {"id": f"c{number}", "request": request, "expected": wanted}
            for number, (request, wanted) in enumerate(zip(requests, expected, strict=True), 1)
        ]
    document = {
        "$schema": f"{SCHEMA}.schema.json",
        "schema_version": "1",
        "description": "Found by comparing paths. What is expected is what the first path answered: "
        "check that it is right before you keep it.",
        "worlds": {"found": world},
        "vectors": [vector],
    }
    path = folder / f"{name}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        read_vector_file(path)
    except OSError as error:
        raise NotSavedError(f"can't write {path}: {error.strerror}") from None
    except UnicodeEncodeError:
        raise NotSavedError("no vector file may hold it: text that is no Unicode") from None
    except VectorFileError as error:
        path.unlink()
        raise NotSavedError(f"no vector file may hold it: {error.problems[0].sentence}") from None
    return path
