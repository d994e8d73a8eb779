"""What every file of the tree keeps to."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
TEXTS = sorted(
    path
    for path in chain(
        *(ROOT.glob(pattern) for pattern in ("*.md", "*.toml", "*.txt", "*.py", "Makefile")),
        *(
            (ROOT / folder).rglob("*")
            for folder in (".ci", ".github", "benchmarks", "docs", "src", "tests", "vectors")
        ),
    )
    if path.is_file() and "__pycache__" not in path.parts
)
# Written so that this file does not find itself.
FORBIDDEN = {
    "a note of unfinished work": r"\b(?:TO[D]O|FIX[M]E)\b",
    "a path of somebody's machine": r"(?<![\w.])/(?:root|home|Users|work|opt)/[\w.]",
    "a registry's host": r"(?:pypi|pythonhosted|npmjs|docker|ghcr|crates)\.(?:org|com|io)\b",
}


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_modules_are_small() -> None:
    sizes = {str(path.relative_to(ROOT)): lines(path) for path in SOURCES}
    assert {path: size for path, size in sizes.items() if size > 350} == {}
    assert median(sizes.values()) <= 130


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in TEXTS
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if re.search(FORBIDDEN[what], line)
    ]
    assert found == []


def test_the_forbidden_is_recognised() -> None:
    samples = {
        "a note of unfinished work": "# TO" + "DO: later",
        "a path of somebody's machine": "in /ho" + "me/me/project",
        "a registry's host": "index = https://py" + "pi.org/simple",
    }
    assert all(re.search(FORBIDDEN[what], sample) for what, sample in samples.items())
    assert samples.keys() == FORBIDDEN.keys()


def test_the_architecture_names_every_package_and_no_other() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| `(\w+)/?` \|", text, re.MULTILINE)
    package = ROOT / "src" / "pytest_ffparity"
    standing = {
        path.stem
        for path in package.iterdir()
        if path.is_dir() or (path.suffix == ".py" and path.stem != "__init__")
    }
    assert sorted(named) == sorted(standing - {"__pycache__"})
