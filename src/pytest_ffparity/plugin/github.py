"""On GitHub: annotations on the vectors' lines, and a summary on the page of the job."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_ffparity.report.annotations import annotate
from pytest_ffparity.report.github import summary

if TYPE_CHECKING:
    from pytest_ffparity.plugin.gate import Gate


def on_github(environment: Mapping[str, str]) -> bool:
    """Tell whether a workflow of GitHub Actions runs this process."""
    return environment.get("GITHUB_ACTIONS") == "true"


class GitHub:
    """Tells GitHub what the gate has found; on the controller alone."""

    def __init__(self, config: pytest.Config, gate: Gate, environment: Mapping[str, str]) -> None:
        self._config = config
        self._gate = gate
        self._file = environment.get("GITHUB_STEP_SUMMARY")
        self._root = _place(config.rootpath, environment.get("GITHUB_WORKSPACE"))

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """Tell it last: whatever pytest's summary is made of, and where there is no terminal."""
        report = self._gate.report
        if report is None:
            return
        lines = annotate(report, self._root)
        if self._file:
            try:
                with Path(self._file).open("a", encoding="utf-8", errors="replace") as stream:
                    # Somebody may have left the last line open.
                    stream.write(f"\n{summary(report)}")
            except OSError as error:
                reason = error.strerror or type(error).__name__
                lines.append(f"ffparity: can't write GITHUB_STEP_SUMMARY {self._file}: {reason}")
        self._write(lines)

    def _write(self, lines: list[str]) -> None:
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        for line in lines:
            if terminal is None:
                sys.stdout.write(f"{line}\n")
            else:
                terminal.write_line(line)


def _place(root: Path, workspace: str | None) -> str:
    """Give the rootdir's place in the repository; the whole path where it is not in it."""
    if not workspace:
        return ""
    try:
        return root.resolve().relative_to(Path(workspace).resolve()).as_posix()
    except ValueError:
        return root.as_posix()
