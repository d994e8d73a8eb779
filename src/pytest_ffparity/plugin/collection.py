"""Watches what becomes of the vectors between collection and the run, in the process that collects.

A green run proves little: items can be dropped, listed twice or deselected by anybody's hook. What
was collected, what was deselected and what was left is written down here, and weighed elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import pytest

from pytest_ffparity.parity.verdict import VectorKey
from pytest_ffparity.plugin import junit, keys
from pytest_ffparity.plugin.collect import VectorItem
from pytest_ffparity.plugin.plainly import Repetitions

OUTPUT_KEY: Final = "ffparity_collection"


class Collection:
    """What was collected, deselected and finally scheduled, as vector keys."""

    def __init__(self, collected: Any = (), deselected: Any = (), scheduled: Any = ()) -> None:
        self.collected: list[VectorKey] = [VectorKey(*key) for key in collected]
        self.deselected: list[VectorKey] = [VectorKey(*key) for key in deselected]
        self.scheduled: list[VectorKey] = [VectorKey(*key) for key in scheduled]

    def to_text(self) -> str:
        """Give JSON text; only text crosses process borders safely."""
        groups = (self.collected, self.deselected, self.scheduled)
        return json.dumps([[(key.file, key.id) for key in group] for group in groups])

    @classmethod
    def from_text(cls, text: str) -> Collection:
        """Read the JSON text."""
        return cls(*json.loads(text))


class CollectionWatch:
    """Hooks that fill a `Collection`; on the only process, or on each xdist worker."""

    def __init__(self) -> None:
        self.seen = Collection()

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Note a vector as its file yields it, before any hook can drop it."""
        self.seen.collected += _keys([item])

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Note what was deselected."""
        self.seen.deselected += _keys(items)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note what is left to run."""
        self.seen.scheduled = _keys(session.items)


class Worker(CollectionWatch):
    """The plugin's part on an xdist worker: hands its collection to the controller."""

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Put the collection where xdist sends it along."""
        session.config.workeroutput[OUTPUT_KEY] = self.seen.to_text()  # type: ignore[attr-defined]


class Carrier:
    """Puts judgements on pytest's reports, in the process that runs the items."""

    def __init__(self) -> None:
        self._repetitions = Repetitions()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Any:
        """Attach the vector's key, and every judgement that was made of it so far.

        A plugin that tries again may keep the reports of earlier attempts to itself.
        """
        report = yield
        if isinstance(item, VectorItem):
            report.ffparity_key = [item.file, item.vector.id]
            made = item.stash.get(keys.JUDGEMENTS, {}) if report.when == "call" else {}
            report.ffparity_judgements = dict(made)
            if made:
                junit.attach(item, report, made.values())
            self._repetitions.shorten(report, item.name)
        return report


def _keys(items: Sequence[pytest.Item]) -> list[VectorKey]:
    return [VectorKey(i.file, i.vector.id) for i in items if isinstance(i, VectorItem)]
