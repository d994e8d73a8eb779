"""Vector files as pytest sees them: a file is a collector, each vector an item of its own."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ffparity.errors import FFParityError
from pytest_ffparity.parity.declared import named, read_vectors
from pytest_ffparity.parity.waivers import covering
from pytest_ffparity.plugin.failure import Diverged, FailureText
from pytest_ffparity.plugin.keys import JUDGEMENTS, TODAY, WAIVERS
from pytest_ffparity.vectors.model import StressVector

if TYPE_CHECKING:
    from pytest_ffparity.parity.fuzz import Draw
    from pytest_ffparity.parity.judgement import Judgement
    from pytest_ffparity.parity.matrix import ParityMatrix
    from pytest_ffparity.parity.selftest import Trial
    from pytest_ffparity.plugin.bench import Bench
    from pytest_ffparity.vectors.model import AnyVector


class VectorCollector(pytest.File):
    """Collects one vector file."""

    matrix: ParityMatrix

    def collect(self) -> Iterator[VectorItem]:
        """Give one item a vector; its node id is `file::id`."""
        file = named(self.path, self.config.rootpath)
        for vector in read_vectors(self.path, self.matrix).vectors:
            item = VectorItem.from_parent(self, name=vector.id, callobj=_judging(file, vector))
            item.file, item.vector = file, vector
            item.add_marker("ffparity")
            if isinstance(vector, StressVector):
                item.add_marker("ffparity_stress")
            yield item

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException]) -> Any:  # type: ignore[override]
        """Show a broken file as what is wrong and where, without a traceback."""
        if isinstance(excinfo.value, FFParityError):
            return str(excinfo.value)
        return super().repr_failure(excinfo)


class VectorItem(pytest.Function):
    """One vector, one share of what is generated, or one trial of the self-test."""

    file: str
    vector: AnyVector | Draw | Trial

    def reportinfo(self) -> tuple[Path, int, str]:
        """Place the item at the vector's line in its file."""
        return self.path, self.vector.line - 1, self.name

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException]) -> Any:  # type: ignore[override]
        """Show a divergence as its fields, and a broken fixture as its message."""
        if isinstance(excinfo.value, Diverged):
            return FailureText(excinfo.value.judgement)
        if isinstance(excinfo.value, FFParityError):
            return str(excinfo.value)
        return super().repr_failure(excinfo)


def note(request: pytest.FixtureRequest, judgement: Judgement) -> None:
    """Put a judgement on record, and fail the item if nothing lets it pass.

    Raises:
        Diverged: It failed, and no waiver covers it.
    """
    request.node.stash.setdefault(JUDGEMENTS, {})[uuid.uuid4().hex] = judgement.to_text()
    waivers, today = request.config.stash[WAIVERS], request.config.stash[TODAY]
    if not judgement.passed and covering(judgement, waivers, today) is None:
        raise Diverged(judgement)


def _judging(file: str, vector: AnyVector) -> Callable[..., None]:
    def judge(
        request: pytest.FixtureRequest, _ffparity_bench: Bench, ffparity_paths: object
    ) -> None:
        _ffparity_bench.check_source(ffparity_paths)
        note(request, _ffparity_bench.judge(request, file, vector))

    return judge
