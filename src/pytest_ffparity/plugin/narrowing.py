"""Tells whether the command line itself, typed by a person, left vectors out on purpose.

`addopts`, PYTEST_ADDOPTS and conftests narrow a run too, but nobody sees it: they don't count.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Narrowing:
    """What on the command line narrows the run.

    `deselects` is true for options that deselect collected items, `skips_collecting` for those
    that keep items from being collected at all.
    """

    deselects: bool
    skips_collecting: bool

    @property
    def on_purpose(self) -> bool:
        """True when anything on the command line narrows the run."""
        return self.deselects or self.skips_collecting


def read(arguments: Sequence[str]) -> Narrowing:
    """Read the arguments as they were typed (`config.invocation_params.args`)."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("-k", dest="keyword", default="")
    parser.add_argument("-m", dest="mark", default="")
    parser.add_argument("--deselect", action="append", default=[])
    parser.add_argument("--lf", "--last-failed", dest="last_failed", action="store_true")
    parser.add_argument("--sw", "--stepwise", dest="stepwise", action="store_true")
    parser.add_argument(
        "--sw-skip", "--stepwise-skip", "--sw-reset", "--stepwise-reset",
        dest="stepwise", action="store_true",
    )  # fmt: skip
    # Options that take a value: else the value would be read as a node id.
    for name in ("-p", "-c", "-o", "-W", "-n", "-r"):
        parser.add_argument(name, dest="ignored", action="append")
    try:
        known, rest = parser.parse_known_args([str(a) for a in arguments])
    except (argparse.ArgumentError, SystemExit):
        return Narrowing(deselects=False, skips_collecting=False)
    node_ids = any("::" in a for a in rest if not a.startswith("-"))
    return Narrowing(
        deselects=bool(known.keyword or known.mark or known.deselect)
        or known.last_failed
        or known.stepwise,
        skips_collecting=node_ids or known.last_failed,
    )
