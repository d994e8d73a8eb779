"""Switches the gate on: settings, inventory, and the plugin objects of this process."""

from __future__ import annotations

import os
import uuid
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from pytest_ffparity.errors import FFParityError
from pytest_ffparity.parity.declared import Inventory, take_inventory
from pytest_ffparity.parity.fuzz import draws
from pytest_ffparity.parity.matrix import ParityMatrix
from pytest_ffparity.plugin import github, keys, narrowing, options
from pytest_ffparity.plugin.baseline import held_against, objections
from pytest_ffparity.plugin.collection import Carrier, Worker
from pytest_ffparity.plugin.gate import Gate, XdistHooks
from pytest_ffparity.plugin.generated import trials
from pytest_ffparity.plugin.ledger import Ledger
from pytest_ffparity.plugin.progress import Progress
from pytest_ffparity.plugin.settings import Settings, absolute, read_settings
from pytest_ffparity.plugin.surroundings import surroundings
from pytest_ffparity.plugin.termination import Termination
from pytest_ffparity.report.model import Baseline
from pytest_ffparity.vectors.matrix_reader import read_matrix
from pytest_ffparity.vectors.waivers import read_waivers


def activate(config: pytest.Config) -> None:
    """Set a gate run up, on the controller or on a worker.

    Raises:
        pytest.UsageError: A setting or a file is wrong.
    """
    _check_typed(config)
    settings = read_settings(config)
    config.stash[keys.SETTINGS] = settings
    config.stash[keys.TERMINATION] = Termination()
    if config.args_source != config.ArgsSource.ARGS:
        config.args = [str(path) for path in settings.vectors]
    made = settings.fuzz or settings.selftest
    if made and str(settings.matrix) not in config.args:
        # What is generated is judged by the matrix alone: its items are the matrix file's.
        config.args = [*config.args, str(settings.matrix)]
    # A broken vector file fails its own collection; the others still run.
    config.option.continue_on_collection_errors = True
    try:
        matrix_file = read_matrix(settings.matrix)
        waivers = None if settings.waivers is None else read_waivers(settings.waivers)
    except FFParityError as error:
        raise pytest.UsageError(f"{error}{_astray(config)}") from None
    matrix = ParityMatrix(matrix_file.rows)
    if not matrix.demands:
        raise pytest.UsageError(
            f"{settings.matrix}: no row for decisions says MUST_MATCH, so nothing could diverge\n"
            "  add a row that does"
        )
    config.stash[keys.MATRIX] = matrix
    config.stash[keys.WAIVERS] = () if waivers is None else waivers.waivers
    read = {
        "ffparity_matrix": matrix_file.digest,
        "ffparity_waivers": "" if waivers is None else waivers.digest,
    }
    config.stash[keys.PROGRESS] = Progress(config)
    register = config.pluginmanager.register
    register(Carrier(), "ffparity-carrier")
    workerinput: dict[str, Any] | None = getattr(config, "workerinput", None)
    if workerinput is not None:
        for name, digest in read.items():
            if digest != workerinput[name]:
                kind = name.removeprefix("ffparity_")
                raise pytest.UsageError(f"the {kind} file has changed since the run started")
        config.stash[keys.NONCE] = workerinput["ffparity_nonce"]
        config.stash[keys.TODAY] = date.fromisoformat(workerinput["ffparity_today"])
        register(Worker(), "ffparity-worker")
        return
    files = _files(config, settings)
    missing = [path for path in files if not path.is_file()]
    if missing:
        raise pytest.UsageError(
            "\n".join(
                f"vector file not found: {path}\n"
                "  name yours with the ini option ffparity_vectors or --ffparity-vectors"
                for path in missing
            )
            + _astray(config)
        )
    inventory = take_inventory(config.rootpath, files, matrix_file, config.stash[keys.WAIVERS])
    baseline = None
    if settings.baseline is not None:
        try:
            baseline = held_against(settings.baseline, settings, inventory, files)
        except FFParityError as error:
            raise pytest.UsageError(f"--ffparity-baseline: {error}") from None
    _register_gate(config, settings, inventory, read, baseline)


def _register_gate(
    config: pytest.Config,
    settings: Settings,
    inventory: Inventory,
    read: dict[str, str],
    baseline: Baseline | None,
) -> None:
    nonce = uuid.uuid4().hex
    today = datetime.now(UTC).date()
    config.stash[keys.NONCE] = nonce
    config.stash[keys.TODAY] = today
    positional = config.args if config.args_source == config.ArgsSource.ARGS else ()
    typed = narrowing.read(config.invocation_params.args, positional)
    if typed.runs_nothing:
        return
    declared = inventory.declared([*draws(settings.fuzz, settings.seed), *trials(settings)])
    ledger = Ledger(declared, nonce, typed, today, objections(baseline))
    around = surroundings(config.rootpath, inventory, settings)
    gate = Gate(config, settings, ledger, around, baseline)
    config.pluginmanager.register(gate, "ffparity-gate")
    if github.on_github(os.environ):
        config.pluginmanager.register(github.GitHub(config, gate, os.environ), "ffparity-github")
    if config.pluginmanager.has_plugin("xdist"):
        given = {
            "ffparity_nonce": nonce,
            "ffparity_today": today.isoformat(),
            "ffparity_seed": str(settings.seed),
            "ffparity_pseudonyms": settings.pseudonym_key.hex(),
            **read,
        }
        config.pluginmanager.register(XdistHooks(gate, given), "ffparity-xdist")
    config.stash[keys.TERMINATION].install(config)


def _check_typed(config: pytest.Config) -> None:
    """Hold the options to what was typed: a conftest could take back what the gate is to do.

    Raises:
        pytest.UsageError: One was changed.
    """
    now = options.ours(config.option)
    for name, typed in config.stash.get(keys.TYPED, now).items():
        if now.get(name) != typed and not hasattr(config, "workerinput"):
            option = f"--{name.replace('_', '-')}"
            raise pytest.UsageError(
                f"{option}: {typed!r} was asked for, and a conftest or plugin made it "
                f"{now.get(name)!r}; use the command line, or the ini file"
            )


def _files(config: pytest.Config, settings: Settings) -> list[Path]:
    """Give the files that declare vectors: those of the settings, and those given as arguments."""
    given = []
    if config.args_source == config.ArgsSource.ARGS:
        for argument in config.args:
            path = config.invocation_params.dir / argument.split("::")[0]
            if path.suffix == ".json" and path.is_file() and path != settings.matrix:
                given.append(absolute(path))
    configured = [
        path for path in settings.vectors if settings.vectors_named or not given or path.is_file()
    ]
    return list(dict.fromkeys([*configured, *given]))


def _astray(config: pytest.Config) -> str:
    """Say why the project's files are not found where pytest has moved its rootdir."""
    root = config.rootpath
    if config.inipath is not None or config.invocation_params.dir == root:
        return ""
    return (
        f"\npytest took {root} for the rootdir: an option's value that exists as a file is a test "
        "path to it, so write --option=VALUE"
    )
