"""A progress line for what takes long: now and then, and only where somebody watches."""

from __future__ import annotations

import time
from typing import Final

import pytest

EVERY_S: Final = 10.0


class Progress:
    """Writes what a long vector is doing, at most every few seconds.

    Not on an xdist worker, whose output nobody sees; there each finished share shows as pytest's
    own progress.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._last = time.monotonic()
        self._silent = hasattr(config, "workerinput") or config.get_verbosity() < 0

    def __call__(self, text: str) -> None:
        """Write a line if the last one is some time ago."""
        now = time.monotonic()
        if self._silent or now - self._last < EVERY_S:
            return
        self._last = now
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        capture = self._config.pluginmanager.get_plugin("capturemanager")
        if reporter is None:
            return
        if capture is None:
            reporter.write_line(f"ffparity: {text}")
            return
        with capture.global_and_fixture_disabled():
            reporter.ensure_newline()
            reporter.write_line(f"ffparity: {text}")
