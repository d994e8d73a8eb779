"""Every example of the pages is run: a page is a project, and its blocks make it, in their order.

A fence says what its block is: ```json FILE or ```python FILE writes that file, ```json NAME.v1 is
valid under that schema, ```console is run, line by line after `$ `, and compared with what it
prints, `...` standing for anything. ```sh installs and ```yaml is for elsewhere: neither is run.
"""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from pytest_ffparity.backing.embedded import EmbeddedPostgres
from pytest_ffparity.formats import schema, strict_json

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
PAGES: Final = sorted(path.name for path in DOCS.glob("*.md"))

_FENCE: Final = re.compile(
    r"^```(?P<kind>\w*) ?(?P<title>.*)\n(?P<text>(?:.*\n)*?)```$", re.MULTILINE
)
_COMMAND: Final = re.compile(r"^\$ (?P<line>.*)\n(?P<output>(?:(?!\$ ).*\n)*)", re.MULTILINE)
# What differs between machines: pytest's header, times and versions, the widths of lines.
_HEADER: Final = re.compile(
    r"(platform|cachedir|rootdir|configfile|plugins|benchmark|hypothesis)\b"
)
_VARYING: Final = (
    (re.compile(r"\d+(\.\d+){2}|\b\d+\.\d{3}\b|\d+\.\d+(?=s\b)|(?<=PostgreSQL )[\d.]+"), "#"),
    (re.compile(r"[\d,]+/s\b"), "#/s"),
    (re.compile(r"([=_-])\1{2,}"), r"\1"),
    (re.compile(r"[ \t]+"), " "),
)


class Block(NamedTuple):
    """One fenced block of a page."""

    kind: str
    title: str
    text: str


def blocks(page: str) -> list[Block]:
    return [
        Block(*found.group("kind", "title", "text"))
        for found in _FENCE.finditer((DOCS / page).read_text("utf-8"))
    ]


def normal(text: str) -> str:
    lines = [line for line in text.splitlines() if not _HEADER.match(line)]
    for pattern, replacement in _VARYING:
        lines = [pattern.sub(replacement, line).strip() for line in lines]
    return "\n".join(line for line in lines if line) + "\n"


def run(line: str, folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        ["/bin/sh", "-c", line],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    return done.stdout


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    """A user's environment: the commands of this one, and a database of the user's own."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST_", "FFPARITY_", "FF_"))
    }
    server = EmbeddedPostgres()
    try:
        yield {
            **kept,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "COLUMNS": "100",
            "NO_COLOR": "1",
            "FF_DATABASE_URL": server.start().dsn,
        }
    finally:
        server.stop()


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_do_what_it_says(
    page: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    checker = doctest.OutputChecker()
    for kind, title, text in blocks(page):
        match kind:
            case "json" if title in schema.names():
                assert schema.problems(title, strict_json.loads(text)) == []
            case "json" | "python" | "ini":
                assert title, f"a block of {kind} without the file's name:\n{text}"
                file = tmp_path / title
                file.parent.mkdir(exist_ok=True)
                file.write_text(text, "utf-8")
            case "console":
                for command in _COMMAND.finditer(text):
                    found = run(command["line"], tmp_path, environment)
                    wanted, given = normal(command["output"]), normal(found)
                    assert checker.check_output(wanted, given, doctest.ELLIPSIS), (
                        f"$ {command['line']}\n{found}"
                    )
            case "sh":
                assert all(line.startswith("pip install ") for line in text.splitlines())
            case _:
                assert kind in ("yaml", "text"), f"what is a block of {kind!r}?\n{text}"


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for target, _, anchor in re.findall(
        r"\]\(([^)#:]+)(#([^)]*))?\)", (DOCS / page).read_text("utf-8")
    ):
        headings = re.findall(r"^#+ (.*)$", (DOCS / target).read_text("utf-8"), re.MULTILINE)
        anchors = {re.sub(r"[^a-z0-9 -]", "", h.lower()).replace(" ", "-") for h in headings}
        assert not anchor or anchor in anchors, f"{page} points to {target}#{anchor}"
