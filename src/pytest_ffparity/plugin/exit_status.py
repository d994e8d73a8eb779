"""Holds the exit status of a gate run, whatever conftests and plugins make of it on the way out."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from pytest_ffparity.plugin import keys, narrowing


def blames(status: object) -> bool:
    """Tell whether a status stays a failure once the system has cut it to eight bits."""
    return (
        isinstance(status, int)
        and 0 < status < 256  # noqa: PLR2004
        and status != pytest.ExitCode.NO_TESTS_COLLECTED
    )


class ExitGuard:
    """Wraps the whole command; registered after the conftests, so that it stands around theirs."""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> Any:
        """Let 0 through for a verdict that allows it, and where nothing was asked to be run."""
        if hasattr(config, "workerinput"):
            return (yield)  # the controller gives the verdict
        status: object
        try:
            status = yield
        except SystemExit as ending:
            status = ending.code
        if blames(status) or narrowing.read(config.invocation_params.args).runs_nothing:
            return status
        if keys.EXIT_STATUS not in config.stash:
            sys.stderr.write("ffparity: the run ended without a verdict\n")
        return config.stash.get(keys.EXIT_STATUS, int(pytest.ExitCode.TESTS_FAILED))
