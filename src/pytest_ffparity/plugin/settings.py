"""What the options, the ini keys and the environment come to."""

from __future__ import annotations

import argparse
import os
import secrets
import shlex
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import pytest

from pytest_ffparity.plugin.options import (
    DEFAULT_ACKNOWLEDGED,
    DEFAULT_EXAMPLES,
    DEFAULT_VECTORS,
    DEFAULT_WAIVERS,
    DSN_VARIABLE,
    KEY_VARIABLE,
)
from pytest_ffparity.plugin.report_file import ReportFiles


@dataclass(frozen=True)
class Settings:
    """What a gate run was asked to do; paths are absolute.

    `vectors_named` is False where the default file is meant because nothing was said; `command`
    runs pytest on the same files. `ini` is pytest's configuration file where `-c` names
    one, `arguments` are those of the command line.
    """

    vectors: tuple[Path, ...]
    vectors_named: bool
    matrix: Path
    waivers: Path | None
    baseline: str | None
    acknowledged: Path | None
    recorded: tuple[tuple[str, Path], ...]
    dsn: str | None = field(repr=False)  # it may hold a password
    files: ReportFiles
    require_go: bool
    deadline_s: float
    fuzz: int
    seed: int
    selftest: bool
    save: Path | None
    show_users: bool
    pseudonym_key: bytes = field(repr=False)
    user_ids: tuple[str, ...]
    command: str
    ini: Path | None
    arguments: tuple[str, ...]


def read_settings(config: pytest.Config) -> Settings:
    """Read the settings.

    Raises:
        pytest.UsageError: A value makes no sense.
    """
    option = config.option
    invoked = config.invocation_params.dir
    ini_vectors = config.getini("ffparity_vectors")
    if option.ffparity_vectors:
        vectors = tuple(invoked / name for name in option.ffparity_vectors)
    elif ini_vectors:
        vectors = tuple(Path(path) for path in ini_vectors)
    else:
        examples = config.rootpath / DEFAULT_EXAMPLES
        vectors = (config.rootpath / DEFAULT_VECTORS, *([examples] if examples.exists() else []))
    matrix = (
        invoked / option.ffparity_matrix
        if option.ffparity_matrix
        else config.rootpath / config.getini("ffparity_matrix")
    )
    return Settings(
        vectors=tuple(dict.fromkeys(absolute(path) for path in vectors)),
        vectors_named=bool(option.ffparity_vectors or ini_vectors),
        matrix=absolute(matrix),
        waivers=_where_there(config, "ffparity_waivers", DEFAULT_WAIVERS),
        baseline=option.ffparity_baseline,
        acknowledged=_where_there(config, "ffparity_acknowledged", DEFAULT_ACKNOWLEDGED),
        recorded=tuple(_recorded(given, invoked) for given in option.ffparity_recorded or ()),
        dsn=option.ffparity_dsn or os.environ.get(DSN_VARIABLE) or None,
        files=report_files(option, invoked),
        require_go=option.ffparity_require_go,
        deadline_s=_deadline(config),
        fuzz=_fuzz(option.ffparity_fuzz),
        seed=_seed(config),
        selftest=option.ffparity_selftest,
        save=_given(option.ffparity_save, invoked),
        show_users=option.ffparity_show_users,
        pseudonym_key=_pseudonym_key(config),
        user_ids=_user_ids(config),
        command=_command(option),
        ini=config.inipath if config.option.inifilename else None,
        arguments=tuple(config.invocation_params.args),
    )


def _command(option: argparse.Namespace) -> str:
    typed = [] if option.inifilename is None else ["-c", option.inifilename]
    typed += [] if option.rootdir is None else [f"--rootdir={option.rootdir}"]
    typed += [f"--ffparity-vectors={name}" for name in option.ffparity_vectors or ()]
    if option.ffparity_matrix:
        typed.append(f"--ffparity-matrix={option.ffparity_matrix}")
    return shlex.join(["pytest", *typed])


def _where_there(config: pytest.Config, name: str, default: str) -> Path | None:
    """Give the file that the option or the ini key names; the default one only if it exists."""
    if getattr(config.option, name, None):
        return absolute(config.invocation_params.dir / getattr(config.option, name))
    if config.getini(name):
        return absolute(config.rootpath / config.getini(name))
    path = absolute(config.rootpath / default)
    return path if path.exists() else None


def _recorded(given: str, invoked: Path) -> tuple[str, Path]:
    name, equals, file = given.partition("=")
    if not (name and equals and file):
        raise pytest.UsageError(f"--ffparity-recorded: expected NAME=FILE, found {given!r}")
    return name, absolute(invoked / file)


def _seed(config: pytest.Config) -> int:
    """Give the seed; a worker gets the controller's."""
    workerinput: dict[str, str] | None = getattr(config, "workerinput", None)
    if workerinput is not None:
        return int(workerinput["ffparity_seed"])
    if config.option.ffparity_seed is None:
        return secrets.randbelow(10**9)
    return _not_negative("--ffparity-seed", config.option.ffparity_seed)


def _pseudonym_key(config: pytest.Config) -> bytes:
    """Give the key of the environment, else one made for the run; a worker gets the controller's."""
    workerinput: dict[str, str] | None = getattr(config, "workerinput", None)
    if workerinput is not None:
        return bytes.fromhex(workerinput["ffparity_pseudonyms"])
    return os.environ.get(KEY_VARIABLE, "").encode() or secrets.token_bytes(32)


def _fuzz(decisions: int) -> int:
    if decisions and find_spec("hypothesis") is None:
        raise pytest.UsageError(
            "--ffparity-fuzz draws with Hypothesis, which is not installed: "
            "pip install 'pytest-ffparity[fuzz]'"
        )
    return _not_negative("--ffparity-fuzz", decisions)


def _user_ids(config: pytest.Config) -> tuple[str, ...]:
    pointers = tuple(config.getini("ffparity_user_ids"))
    for pointer in pointers:
        if not pointer.startswith("/"):
            raise pytest.UsageError(f"ffparity_user_ids: expected JSON pointers, found {pointer!r}")
    return pointers


def _not_negative(name: str, number: int) -> int:
    if number < 0:
        raise pytest.UsageError(f"{name}: expected a number from 0 up, found {number}")
    return number


def report_files(option: argparse.Namespace, invoked: Path) -> ReportFiles:
    """Give the report files that the options name, absolute."""
    files = ReportFiles(
        _given(option.ffparity_report, invoked), _given(option.ffparity_html, invoked)
    )
    if files.json is not None and files.json == files.html:
        raise pytest.UsageError(f"--ffparity-report and --ffparity-html both name {files.json}")
    return files


def _given(name: str | None, invoked: Path) -> Path | None:
    return absolute(invoked / name) if name else None


def absolute(path: Path) -> Path:
    """Make a path absolute without following links: a link stays the name the user gave."""
    return Path(os.path.abspath(path))  # noqa: PTH100


def _deadline(config: pytest.Config) -> float:
    text = str(config.getini("ffparity_deadline"))
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 86_400:  # noqa: PLR2004 - a day
        raise pytest.UsageError(f"ffparity_deadline: expected seconds above 0, found {text!r}")
    return seconds
