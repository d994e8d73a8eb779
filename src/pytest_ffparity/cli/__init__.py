"""The `ffparity` command."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from pytest_ffparity.cli import report, schemas


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        The exit code: 0 done, 1 for a report whose verdict lets nothing pass, 2 for wrong usage or
        a file that can't be read or written.

    Args:
        argv: The arguments; None takes those of the process.
    """
    asked = _parser().parse_args(argv)
    return int(asked.run(asked))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ffparity",
        description="Helps with the files of a parity run; the run itself is `pytest --ffparity`.",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    schemas.add(commands)
    report.add(commands)
    return parser
