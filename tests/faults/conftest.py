"""One server for all faults, and the table of what they led to."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.faults.cluster import Cluster
from tests.faults.fault import Row
from tests.faults.table import lines

_ROW = "ffparity-fault"
_LINE = "ffparity-fault-line"


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    made = Cluster()
    yield made
    made.stop()


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Callable[[Row | str], None]:
    """Have a row, or a sentence, in the table at the end of the run."""

    def told(what: Row | str) -> None:
        if isinstance(what, Row):
            record_property(_ROW, msgspec.to_builtins(what))
        else:
            record_property(_LINE, what)

    return told


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reports = [r for found in terminalreporter.stats.values() for r in found]
    told = [
        told
        for report in reports
        if getattr(report, "when", None) == "call"
        for told in getattr(report, "user_properties", ())
    ]
    rows = [msgspec.convert(value, Row) for name, value in told if name == _ROW]
    text = [*lines(rows), *(str(value) for name, value in told if name == _LINE)]
    if not rows:
        return
    terminalreporter.section("faults")
    for line in text:
        terminalreporter.write_line(line)
    target = os.environ.get("FFPARITY_FAULT_TABLE")
    if target:
        Path(target).write_text("\n".join([*text, ""]), encoding="utf-8")
