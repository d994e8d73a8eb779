"""Errors whose message is all that a user needs, shown by pytest without a traceback, and once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pytest_ffparity.errors import FFParityError


@contextmanager
def told_plainly() -> Iterator[None]:
    """Turn an error of ours into a failure that shows its message alone."""
    try:
        yield
    except FFParityError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


class Repetitions:
    """Shortens what is said again: a broken session fixture fails every vector in the same words."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}

    def shorten(self, report: Any, name: str) -> None:
        """Replace a failure outside the call by a reference, if another item has told it."""
        if report.outcome != "failed" or report.when == "call":
            return
        first = self._first.setdefault(str(report.longrepr), name)
        if first != name:
            report.longrepr = f"the same as at {first}, see there"
