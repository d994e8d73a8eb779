"""What is not in a vector file, as pytest sees it: items of the matrix file, which alone judges it.

Generated cases in shares, and the trials of the self-test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ffparity.parity.declared import named
from pytest_ffparity.parity.fuzz import Draw, draws
from pytest_ffparity.parity.selftest import Change, Trial, trial
from pytest_ffparity.plugin.collect import VectorItem, note
from pytest_ffparity.plugin.keys import SETTINGS

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from pytest_ffparity.plugin.bench import Bench
    from pytest_ffparity.plugin.fixtures import Proving
    from pytest_ffparity.plugin.settings import Settings


class GeneratedCollector(pytest.File):
    """Collects what was asked for beside the vector files."""

    def collect(self) -> Iterator[VectorItem]:
        """Give one item a share of the generated cases, and one a trial.

        The node ids are `matrix file::fuzz-n`, `::fault-name` and `::harmless-name`.
        """
        settings = self.config.stash[SETTINGS]
        file = named(self.path, self.config.rootpath)
        for draw in draws(settings.fuzz, settings.seed):
            yield self._item(file, draw, _fuzzing(file, draw))
        for change in changes(settings):
            yield self._item(file, trial(change), _trying(file, change))

    def _item(self, file: str, what: Draw | Trial, call: Callable[..., None]) -> VectorItem:
        item = VectorItem.from_parent(self, name=what.id, callobj=call)
        item.file, item.vector = file, what
        item.add_marker("ffparity")
        return item


def changes(settings: Settings) -> tuple[Change, ...]:
    """Give the seeded faults and harmless changes, if the self-test was asked for."""
    if not settings.selftest:
        return ()
    from pytest_ffparity.paths.seeded.catalogue import catalogue  # noqa: PLC0415

    return catalogue()


def trials(settings: Settings) -> list[Trial]:
    """Give what the self-test declares."""
    return [trial(change) for change in changes(settings)]


def _fuzzing(file: str, draw: Draw) -> Callable[..., None]:
    def judge(
        request: pytest.FixtureRequest,
        _ffparity_bench: Bench,
        ffparity_paths: object,
        ffparity_cases: Callable[[int], SearchStrategy[Any]],
    ) -> None:
        _ffparity_bench.check_source(ffparity_paths)
        note(request, _ffparity_bench.fuzz(file, draw, ffparity_cases))

    return judge


def _trying(file: str, change: Change) -> Callable[..., None]:
    def judge(
        request: pytest.FixtureRequest, _ffparity_bench: Bench, _ffparity_proving: Proving
    ) -> None:
        note(request, _ffparity_bench.trial(file, change, _ffparity_proving))

    return judge
