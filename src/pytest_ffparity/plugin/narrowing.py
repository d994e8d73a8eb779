"""Tells whether the command line itself, typed by a person, left vectors out on purpose.

`addopts`, PYTEST_ADDOPTS and conftests narrow a run too, but nobody sees it: they don't count.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection, Sequence
from dataclasses import dataclass

_SWITCHES = {
    "last_failed": ("--lf", "--last-failed"),
    "stepwise": (
        "--sw", "--stepwise", "--sw-skip", "--stepwise-skip", "--sw-reset", "--stepwise-reset",
    ),
    "runs_nothing": (
        "--co", "--collect-only", "-h", "--help", "-V", "--version", "--markers",
        "--fixtures", "--funcargs", "--fixtures-per-test",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Narrowing:
    """What on the command line narrows the run.

    `deselects` is true for options that deselect collected items, `skips_collecting` for those
    that keep items from being collected at all, `runs_nothing` for those that only show something.
    """

    deselects: bool = False
    skips_collecting: bool = False
    runs_nothing: bool = False


def read(arguments: Sequence[object], positional: Collection[str] = ()) -> Narrowing:
    """Read the arguments as they were typed.

    Args:
        arguments: `config.invocation_params.args`.
        positional: Those of all arguments that pytest took for files and node ids; an option's
            value can look like one.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("-k", dest="keyword", default="")
    parser.add_argument("-m", dest="mark", default="")
    parser.add_argument("--deselect", action="append", default=[])
    for dest, names in _SWITCHES.items():
        parser.add_argument(*names, dest=dest, action="store_true")
    # Options whose value may begin with a dash.
    for name in ("-p", "-c", "-o", "-W", "-n", "-r"):
        parser.add_argument(name, dest="ignored", action="append")
    typed = [str(a) for a in arguments]
    try:
        known, _ = parser.parse_known_args(typed)
    except (argparse.ArgumentError, SystemExit):
        return Narrowing()
    return Narrowing(
        deselects=bool(known.keyword or known.mark or known.deselect)
        or known.last_failed
        or known.stepwise,
        skips_collecting=known.last_failed or any("::" in a and a in positional for a in typed),
        runs_nothing=known.runs_nothing,
    )
