"""One process's share of a run: the event loop, the paths, and the judging of a vector."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
import pytest

from pytest_ffparity.parity import session
from pytest_ffparity.parity.fuzz import IN_A_WORLD, Draw, Fuzzer
from pytest_ffparity.parity.judgement import Subject, digest
from pytest_ffparity.parity.runner import judge
from pytest_ffparity.parity.selftest import tried
from pytest_ffparity.parity.session import PathsError
from pytest_ffparity.plugin.benchmark import recorded

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from pytest_ffparity.parity.judgement import Judgement
    from pytest_ffparity.parity.run import Run
    from pytest_ffparity.parity.selftest import Change
    from pytest_ffparity.plugin.fixtures import Proving
    from pytest_ffparity.vectors.model import AnyVector


# Runs a coroutine to its end, in the event loop of the run.
Await: TypeAlias = Callable[[Coroutine[Any, Any, Any]], Any]


class Bench:
    """Judges vectors, one after the other, in one event loop."""

    def __init__(self, run: Run, await_: Await, source: object) -> None:
        self._run = run
        self._await = await_
        self._source = source
        self._fuzzer = Fuzzer(run)
        self._made_by = session.kinds(run.paths)

    def check_source(self, ffparity_paths: object) -> None:
        """Check that a vector's own conftest gives the paths that this bench was made with.

        pytest makes the bench once, for the first vector; another folder's override would be
        passed over in silence.

        Raises:
            PathsError: It gives others.
        """
        if ffparity_paths is not self._source:
            raise PathsError(
                "this vector's conftest overrides ffparity_paths, and another vector's does not "
                "or does it otherwise: a run has one list of paths. Override it in one conftest "
                "above all vector files, or run the files apart"
            )

    def judge(self, request: pytest.FixtureRequest, file: str, vector: AnyVector) -> Judgement:
        """Run one vector on every path and judge it; never raises for what a path did."""

        def judging() -> Judgement:
            return self._made(judge(self._run, file, vector))

        return recorded(request, vector, judging)

    def trial(self, file: str, change: Change, proving: Proving) -> Judgement:
        """Try whether the harness finds a seeded fault, or leaves a harmless change alone."""
        return self._made(tried(self._run, file, change, proving.paths, proving.vectors))

    def fuzz(self, file: str, draw: Draw, cases: Callable[[int], SearchStrategy[Any]]) -> Judgement:
        """Draw a share of the generated cases and judge it."""
        from pytest_ffparity.plugin.drawing import drawn  # noqa: PLC0415 - Hypothesis is an extra

        worlds = -(-draw.decisions // IN_A_WORLD)
        found = drawn(cases(IN_A_WORLD), draw.seed, worlds)
        for case in found:
            if not (hasattr(case, "world") and hasattr(case, "requests")):
                raise PathsError(
                    f"ffparity_cases drew a {type(case).__name__}, expected an object with the "
                    "attributes `world` and `requests`"
                )
        subject = Subject(file, draw.id, digest(draw))
        return self._made(self._fuzzer.judge(subject, draw, found))

    def _made(self, judging: Coroutine[Any, Any, Judgement]) -> Judgement:
        judgement: Judgement = self._await(judging)
        return msgspec.structs.replace(judgement, made_by=self._made_by)
