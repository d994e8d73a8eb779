"""pytest's hooks of pytest-ffparity. Without `--ffparity` this module costs its own import only."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from pytest_ffparity.plugin import narrowing, options, settings
from pytest_ffparity.plugin.fixtures import (
    _ffparity_await,
    _ffparity_bench,
    _ffparity_proving,
    ffparity_cases,
    ffparity_keys,
    ffparity_paths,
)

__all__ = [
    "_ffparity_await",
    "_ffparity_bench",
    "_ffparity_proving",
    "ffparity_cases",
    "ffparity_keys",
    "ffparity_paths",
    "pytest_addoption",
    "pytest_collect_file",
    "pytest_configure",
    "pytest_load_initial_conftests",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    options.add(parser)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Any:
    """Make sure that a run which goes no further is a failure, and leaves a report that says so."""
    if not early_config.known_args_namespace.ffparity:
        return (yield)
    from pytest_ffparity.plugin.exit_status import ExitGuard  # noqa: PLC0415
    from pytest_ffparity.plugin.keys import TYPED  # noqa: PLC0415

    early_config.stash[TYPED] = options.ours(early_config.known_args_namespace)
    if "PYTEST_XDIST_WORKER" not in os.environ:
        _leave_unfinished(early_config, early_config.known_args_namespace)
    try:
        loaded = yield
    except SystemExit as ending:
        raise pytest.UsageError(f"a conftest ended the run as it was read: {ending!r}") from ending
    early_config.pluginmanager.register(ExitGuard(), "ffparity-exit")
    return loaded


def pytest_configure(config: pytest.Config) -> None:
    """Switch the gate on if it was asked for (controller and workers)."""
    config.addinivalue_line("markers", "ffparity: a vector of the parity gate")
    config.addinivalue_line("markers", "ffparity_stress: a stress vector of the parity gate")
    if not config.option.ffparity:
        return
    from pytest_ffparity.plugin.activate import activate  # noqa: PLC0415

    try:
        activate(config)
    except pytest.UsageError as error:
        if not hasattr(config, "workerinput"):
            _leave_unfinished(config, config.option, str(error))
        raise


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect the gate's vector files, and any JSON file named on the command line."""
    config = parent.config
    if not config.option.ffparity or file_path.suffix != ".json":
        return None
    from pytest_ffparity.plugin.collect import VectorCollector  # noqa: PLC0415
    from pytest_ffparity.plugin.generated import GeneratedCollector  # noqa: PLC0415
    from pytest_ffparity.plugin.keys import MATRIX, SETTINGS  # noqa: PLC0415

    if file_path == config.stash[SETTINGS].matrix:
        return GeneratedCollector.from_parent(parent, path=file_path)
    if file_path not in config.stash[SETTINGS].vectors and not parent.session.isinitpath(file_path):
        return None
    collector = VectorCollector.from_parent(parent, path=file_path)
    collector.matrix = config.stash[MATRIX]
    return collector


def _leave_unfinished(
    config: pytest.Config,
    option: Any,
    reason: str = "the run ended before it could give a verdict",
) -> None:
    """Put reports in place that say incomplete, until a finished run replaces them."""
    files = settings.report_files(option, config.invocation_params.dir)
    if files == (None, None) or narrowing.read(config.invocation_params.args).runs_nothing:
        return
    from pytest_ffparity.plugin.surroundings import surroundings  # noqa: PLC0415
    from pytest_ffparity.report.model import unfinished  # noqa: PLC0415

    files.write(unfinished(surroundings(config.rootpath), reason))
