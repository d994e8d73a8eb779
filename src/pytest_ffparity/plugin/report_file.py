"""The report files of a run: whole at every moment, and never older than the run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from pytest_ffparity.report.model import Report


class ReportFiles(NamedTuple):
    """The files that were asked for."""

    json: Path | None
    html: Path | None

    def write(self, report: Report) -> None:
        """Write a run to each.

        Raises:
            pytest.UsageError: A file can't be written.
        """
        if self.json is not None:
            from pytest_ffparity.report import json_report  # noqa: PLC0415

            _replace("--ffparity-report", self.json, json_report.to_text(report))
        if self.html is not None:
            from pytest_ffparity.report import html  # noqa: PLC0415 - templates, if asked for

            _replace("--ffparity-html", self.html, html.page(report))


def _replace(option: str, path: Path, text: str) -> None:
    from pytest_ffparity.report import writing  # noqa: PLC0415

    try:
        writing.replace(path, text)
    except writing.NotWrittenError as error:
        raise pytest.UsageError(f"{option}: {error}") from error
