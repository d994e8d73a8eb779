"""The plugin's options and ini keys."""

from __future__ import annotations

import argparse
from typing import Final

import pytest

DEFAULT_VECTORS: Final = "vectors/parity_test_matrix.json"
# Run as well where it is there; a matrix that requires its ids makes a run without it incomplete.
DEFAULT_EXAMPLES: Final = "vectors/jwt_claim_examples.json"
DEFAULT_MATRIX: Final = "vectors/cutover_parity_matrix.json"
# Read where it is there.
DEFAULT_WAIVERS: Final = "vectors/waivers.json"
DEFAULT_ACKNOWLEDGED: Final = "vectors/acknowledged.json"
DEFAULT_DEADLINE_S: Final = "30"
DSN_VARIABLE: Final = "FFPARITY_DSN"
KEY_VARIABLE: Final = "FFPARITY_PSEUDONYM_KEY"


class _Implied(argparse.Action):
    """Stores its value, and asks for the gate."""

    def __call__(
        self,
        _parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        _option: str | None = None,
    ) -> None:
        setattr(namespace, self.dest, values if self.nargs is None else self.const)
        namespace.ffparity = True


def add(parser: pytest.Parser) -> None:
    """Declare every option and ini key of the plugin."""
    group = parser.getgroup("ffparity", "feature-flag parity gate")
    group.addoption(
        "--ffparity",
        action="store_true",
        dest="ffparity",
        help="Run the parity gate: judge every vector on all paths and give one verdict",
    )
    group.addoption(
        "--ffparity-vectors",
        action="append",
        dest="ffparity_vectors",
        metavar="FILE",
        help="Vector file; repeatable, overrides the ini option ffparity_vectors",
    )
    group.addoption(
        "--ffparity-matrix",
        dest="ffparity_matrix",
        metavar="FILE",
        help="Parity matrix, overrides the ini option ffparity_matrix",
    )
    group.addoption(
        "--ffparity-waivers",
        dest="ffparity_waivers",
        metavar="FILE",
        help="Waiver file, overrides the ini option ffparity_waivers",
    )
    group.addoption(
        "--ffparity-baseline",
        dest="ffparity_baseline",
        metavar="REF",
        help="Hold vectors, matrix and waivers against those of this git revision, and block "
        "what asks less and is acknowledged by nobody",
    )
    group.addoption(
        "--ffparity-recorded",
        action="append",
        dest="ffparity_recorded",
        metavar="NAME=FILE",
        help="Compare one more path, which gives the decisions recorded in this file of JSON "
        "lines; repeatable",
    )
    group.addoption(
        "--ffparity-dsn",
        dest="ffparity_dsn",
        metavar="DSN",
        help="PostgreSQL to run the db path on, in a database of its own; "
        f"default is ${DSN_VARIABLE}, else an embedded server",
    )
    group.addoption(
        "--ffparity-fuzz",
        action=_Implied,
        type=int,
        default=0,
        dest="ffparity_fuzz",
        metavar="N",
        help="Judge N generated decisions too; switches the gate on",
    )
    group.addoption(
        "--ffparity-selftest",
        action=_Implied,
        nargs=0,
        const=True,
        default=False,
        dest="ffparity_selftest",
        help="Try the harness itself: seeded faults have to be caught, harmless changes left alone; "
        "switches the gate on",
    )
    group.addoption(
        "--ffparity-seed",
        type=int,
        dest="ffparity_seed",
        metavar="SEED",
        help="Seed of what is generated; default is a new one for each run, which the report tells",
    )
    group.addoption(
        "--ffparity-save",
        dest="ffparity_save",
        metavar="DIR",
        help="Write each divergence that was found and shrunk as a vector file into this folder",
    )
    group.addoption(
        "--ffparity-show-users",
        action="store_true",
        dest="ffparity_show_users",
        help="Show user ids of captured requests as they are, not their pseudonyms",
    )
    group.addoption(
        "--ffparity-report",
        dest="ffparity_report",
        metavar="FILE",
        help="Write the JSON report to this file",
    )
    group.addoption(
        "--ffparity-html",
        dest="ffparity_html",
        metavar="FILE",
        help="Write the HTML report to this file",
    )
    group.addoption(
        "--ffparity-require-go",
        action="store_true",
        dest="ffparity_require_go",
        help="Exit non-zero for every verdict but go, also where the command line narrowed the run",
    )
    parser.addini(
        "ffparity_vectors",
        type="paths",
        default=None,
        help=f"Vector files of the gate (default: {DEFAULT_VECTORS}, "
        f"and {DEFAULT_EXAMPLES} where it is there)",
    )
    parser.addini(
        "ffparity_matrix",
        type="string",
        default=DEFAULT_MATRIX,
        help=f"Parity matrix of the gate (default: {DEFAULT_MATRIX})",
    )
    parser.addini(
        "ffparity_waivers",
        type="string",
        default=None,
        help=f"Waiver file of the gate (default: {DEFAULT_WAIVERS} where it is there)",
    )
    parser.addini(
        "ffparity_acknowledged",
        type="string",
        default=None,
        help=f"File of acknowledged weakenings (default: {DEFAULT_ACKNOWLEDGED} where it is there)",
    )
    parser.addini(
        "ffparity_user_ids",
        type="linelist",
        default=[],
        help="Where your requests name their user, as JSON pointers (`*` for one segment), beside "
        "the places that are known: what pseudonyms are put for in captured requests",
    )
    parser.addini(
        "ffparity_deadline",
        type="string",
        default=DEFAULT_DEADLINE_S,
        help="Seconds after which a call of a path counts as failed "
        f"(default: {DEFAULT_DEADLINE_S})",
    )


def ours(option: argparse.Namespace) -> dict[str, object]:
    """Give the plugin's own options."""
    return {name: value for name, value in vars(option).items() if name.startswith("ffparity")}
