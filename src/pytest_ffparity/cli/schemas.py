"""`ffparity schemas`: writes the published schemas beside a user's files."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from pytest_ffparity.formats import schema

_DONE: Final = 0
_FAILED: Final = 2


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of the parser."""
    schemas = commands.add_parser(
        "schemas",
        help="write the JSON Schemas beside your vector files",
        description="Writes the published JSON Schemas into a folder. A file there that begins "
        f'with {{"$schema": "parity_test_matrix.v1{schema.SUFFIX}", ...}} is then completed and '
        "checked by an editor.",
    )
    schemas.add_argument(
        "folder",
        metavar="DIR",
        nargs="?",
        type=Path,
        default=Path("vectors"),
        help="the folder, made where it is not there (default: %(default)s)",
    )
    schemas.set_defaults(run=_schemas)


def _schemas(asked: argparse.Namespace) -> int:
    folder: Path = asked.folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in schema.names():
            _write(folder / f"{name}{schema.SUFFIX}", schema.text(name).encode())
    except OSError as error:
        where = error.filename or folder
        sys.stderr.write(f"ffparity: can't write {where}: {error.strerror}\n")
        return _FAILED
    return _DONE


def _write(path: Path, content: bytes) -> None:
    found = path.read_bytes() if path.exists() else None
    if found != content:
        path.write_bytes(content)
    done = "wrote" if found is None else "unchanged" if found == content else "updated"
    sys.stdout.write(f"{done} {path}\n")
