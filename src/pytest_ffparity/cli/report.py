"""`ffparity report`: shows, merges and compares JSON reports."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from pytest_ffparity.errors import FFParityError
from pytest_ffparity.report import json_report, merge, terminal, trend, writing
from pytest_ffparity.report.failure import failure_lines
from pytest_ffparity.report.lines import Line, plain
from pytest_ffparity.report.model import Report
from pytest_ffparity.report.reading import read_report

_PASSES: Final = 0
_PASSES_NOT: Final = 1
_FAILED: Final = 2


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of the parser."""
    parser = commands.add_parser(
        "report",
        help="show, merge and compare JSON reports",
        description="Reads what `pytest --ffparity --ffparity-report=FILE` wrote. A file that is "
        "cut off, or contradicts itself, is refused.",
    )
    kinds = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    show = kinds.add_parser(
        "show",
        help="print a report, exit with 0 if its verdict lets a merge pass",
        description="Prints the failures, the table and the verdict of a report. The exit status "
        "is 0 for go and go_with_waivers, 1 for blocked and incomplete, and where anything beside "
        "the vectors failed.",
    )
    show.add_argument("file", metavar="FILE", type=Path, help="a JSON report")
    _add_output(show, "--html", "write it as one HTML page, too")
    _add_output(show, "--markdown", "write it as Markdown, too")
    show.set_defaults(run=_told(_show))
    joined = kinds.add_parser(
        "merge",
        help="make one report of the shards of one run",
        description="Puts the reports of one run's shards together and gives the verdict anew. "
        "The exit status is that of `show`.",
    )
    joined.add_argument("files", metavar="FILE", type=Path, nargs="+", help="the shards' reports")
    _add_output(joined, "--output", "write the JSON report of the whole here", required=True)
    _add_output(joined, "--html", "write it as one HTML page, too")
    joined.set_defaults(run=_told(_merge))
    many = kinds.add_parser(
        "trend",
        help="compare many runs: verdicts, diverging fields, p99",
        description="Prints a table of many runs, in the order of their start.",
    )
    many.add_argument("files", metavar="FILE", type=Path, nargs="+", help="JSON reports")
    _add_output(many, "--html", "draw it as one HTML page, too")
    many.set_defaults(run=_told(_trend))


def _add_output(
    parser: argparse.ArgumentParser, option: str, told: str, *, required: bool = False
) -> None:
    parser.add_argument(option, metavar="OUT", type=Path, required=required, help=told)


def _told(run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """Tell an error that is the user's to mend without a traceback."""

    def told(asked: argparse.Namespace) -> int:
        try:
            return run(asked)
        except FFParityError as error:
            sys.stderr.write("".join(f"ffparity: {text}\n" for text in str(error).splitlines()))
            return _FAILED

    return told


def _show(asked: argparse.Namespace) -> int:
    report = read_report(asked.file)
    for entry in report.entries:
        if entry.telling is not None and not entry.telling.passed:
            _print([*failure_lines(entry.telling), ()])
    _print(terminal.summary(report))
    _write_page(asked.html, report)
    if asked.markdown is not None:
        from pytest_ffparity.report import github  # noqa: PLC0415 - only who asks for it

        _write(asked.markdown, github.summary(report))
    return _status(report)


def _merge(asked: argparse.Namespace) -> int:
    if asked.output.resolve() in {path.resolve() for path in asked.files}:
        raise FFParityError(f"{asked.output}: --output names a shard: it would be lost")
    whole = merge.merged(_read(asked.files))
    _print(terminal.summary(whole))
    _write(asked.output, json_report.to_text(whole))
    _write_page(asked.html, whole)
    return _status(whole)


def _trend(asked: argparse.Namespace) -> int:
    points = trend.points(_read(asked.files))
    _print(trend.lines(points))
    if asked.html is not None:
        from pytest_ffparity.report import html  # noqa: PLC0415 - only who asks for it

        _write(asked.html, html.trend_page(points))
    return _PASSES


def _read(paths: Sequence[Path]) -> list[tuple[Path, Report]]:
    """Read all, and tell of every one that can't be read."""
    found: list[tuple[Path, Report]] = []
    errors: list[str] = []
    for path in dict.fromkeys(paths):
        try:
            found.append((path, read_report(path)))
        except FFParityError as error:
            errors.append(str(error))
    if errors:
        raise FFParityError("\n".join(errors))
    by_path = dict(found)
    return [(path, by_path[path]) for path in paths]


def _write_page(path: Path | None, report: Report) -> None:
    if path is not None:
        from pytest_ffparity.report import html  # noqa: PLC0415 - only who asks for it

        _write(path, html.page(report))


def _write(path: Path, text: str) -> None:
    writing.replace(path, text)
    sys.stdout.write(f"wrote {path}\n")


def _print(lines: Iterable[Line]) -> None:
    sys.stdout.write(plain(lines) + "\n")


def _status(report: Report) -> int:
    passes = report.ruling.verdict.lets_merge and not report.failed_beside
    return _PASSES if passes else _PASSES_NOT
