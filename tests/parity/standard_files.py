"""A small standard as files, and what a change of them comes to."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from pytest_ffparity.parity.baseline import weakenings
from pytest_ffparity.parity.change import Change
from pytest_ffparity.vectors.matrix_reader import read_matrix
from pytest_ffparity.vectors.reader import read_vector_file
from pytest_ffparity.vectors.standard import Standard
from pytest_ffparity.vectors.waivers import read_waivers

SHIPPED = Path(__file__).parents[2] / "vectors"
Files: TypeAlias = dict[str, Any]

PLAIN = {
    "id": "V-1",
    "title": "One",
    "world": "calm",
    "request": {"flag": "ff.x", "user": "U1"},
    "expected": {"value": 1, "reason": "user", "chain": ["a", "b"], "took_ms": 0, "store": "any"},
}
SECOND = {**PLAIN, "id": "V-2", "title": "Two", "request": {"flag": "ff.y"}}
STRESS = {
    "id": "V-8",
    "title": "Many",
    "stress": {
        "concurrency": 8,
        "p99_ms": 100,
        "phases": [
            {
                "name": "up",
                "world": "calm",
                "calls": 100,
                "mix": [
                    {"id": "x", "weight": 3, "request": {"n": 1}, "expected": {"value": 1}},
                    {"id": "y", "weight": 1, "request": {"n": 2}, "expected": {"value": 2}},
                ],
            },
            {
                "name": "down",
                "world": "storm",
                "calls": 50,
                "mix": [{"id": "x", "weight": 1, "request": {"n": 1}, "expected": {"value": 0}}],
            },
        ],
    },
}
CASES = {
    "id": "V-9",
    "title": "Users",
    "world": "calm",
    "cases": [
        {"id": "a", "request": {"user": "a"}, "expected": {"value": 1}},
        {"id": "b", "request": {"user": "b"}},
    ],
}
WORLDS = {"calm": {"now": "noon", "flags": [{"key": "ff.x", "on": True}]}, "storm": {"down": True}}


def row(fields: list[str], rule: str = "MUST_MATCH", **more: Any) -> dict[str, Any]:
    return {"id": "R", "document": "decision", "fields": fields, "rule": rule, "why": ".", **more}


ROWS = [
    row(["/value", "/reason"], id="R-1"),
    row(["/chain"], id="R-2", compare="unordered"),
    row(["/cost"], id="R-3", compare="tolerance", tolerance=0.1),
    row(["/store"], "MUST_DIFFER", id="R-4", values={"new": "pg"}),
    row(["/took_ms"], "MAY_DIFFER", id="R-5"),
    row(["/envelope"], id="R-6", document="audit"),
]
WAIVER = {
    "vector": "V-1",
    "field": "/reason",
    "owner": "me",
    "reason": "so",
    "expires": "2027-01-31",
}


def files() -> Files:
    """Give the standard that the tests weaken, as the JSON of its files."""
    whole = {
        "one.json": {"worlds": WORLDS, "vectors": [PLAIN, SECOND]},
        "two.json": {"worlds": WORLDS, "vectors": [STRESS, CASES]},
        "matrix.json": {"rows": ROWS, "required": ["V-1", "V-8"]},
        "waivers.json": {"waivers": [WAIVER]},
    }
    # Through text, so that no part of it is shared with another.
    copied: Files = json.loads(json.dumps(whole))
    return copied


def read(folder: Path, given_files: Files) -> Standard:
    folder.mkdir()
    for name, document in given_files.items():
        text = json.dumps({"schema_version": "1", **document})
        (folder / name).write_text(text, "utf-8")
    vectors = [name for name in given_files if "vectors" in given_files[name]]
    return Standard(
        files=tuple(read_vector_file(folder / name) for name in vectors),
        matrix=read_matrix(folder / "matrix.json") if "matrix.json" in given_files else None,
        waivers=read_waivers(folder / "waivers.json").waivers,
    )


def compared(folder: Path, change: Callable[[Files], None]) -> tuple[Change, ...]:
    after = files()
    change(after)
    return weakenings(read(folder / "before", files()), read(folder / "after", after))


def vector(given_files: Files, name: str) -> dict[str, Any]:
    found: dict[str, Any]
    (found,) = [
        v for file in given_files.values() for v in file.get("vectors", []) if v["id"] == name
    ]
    return found


def phase(given_files: Files, index: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = vector(given_files, "V-8")["stress"]["phases"][index]
    return found


def rows(given_files: Files) -> list[Any]:
    found: list[Any] = given_files["matrix.json"]["rows"]
    return found


def calm(given_files: Files) -> dict[str, Any]:
    found: dict[str, Any] = given_files["one.json"]["worlds"]["calm"]
    return found
