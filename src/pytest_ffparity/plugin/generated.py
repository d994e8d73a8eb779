"""Generated cases as pytest sees them: items of the matrix file, which alone judges them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ffparity.parity.declared import named
from pytest_ffparity.parity.fuzz import Draw, draws
from pytest_ffparity.plugin.collect import VectorItem, note
from pytest_ffparity.plugin.keys import SETTINGS

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from pytest_ffparity.plugin.bench import Bench


class GeneratedCollector(pytest.File):
    """Collects what was asked to be generated, in shares of some hundred decisions."""

    def collect(self) -> Iterator[VectorItem]:
        """Give one item a share; its node id is `matrix file::fuzz-n`."""
        settings = self.config.stash[SETTINGS]
        file = named(self.path, self.config.rootpath)
        for draw in draws(settings.fuzz, settings.seed):
            item = VectorItem.from_parent(self, name=draw.id, callobj=_judging(file, draw))
            item.file, item.vector = file, draw
            item.add_marker("ffparity")
            yield item


def _judging(file: str, draw: Draw) -> Callable[..., None]:
    def judge(
        request: pytest.FixtureRequest,
        _ffparity_bench: Bench,
        ffparity_paths: object,
        ffparity_cases: Callable[[int], SearchStrategy[Any]],
    ) -> None:
        _ffparity_bench.check_source(ffparity_paths)
        note(request, _ffparity_bench.fuzz(file, draw, ffparity_cases))

    return judge
