"""Puts the stress figures into pytest-benchmark's JSON, where one is being written."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
import pytest

from pytest_ffparity.vectors.model import StressVector

if TYPE_CHECKING:
    from pytest_ffparity.parity.judgement import Judgement
    from pytest_ffparity.vectors.model import AnyVector


def recorded(
    request: pytest.FixtureRequest,
    vector: AnyVector,
    judging: Callable[[], Judgement],
) -> Judgement:
    """Judge, as one round of a benchmark if there is a JSON file for its figures to go to.

    The gate is measured by the judging itself; pytest-benchmark switches itself off under xdist,
    and knows no percentiles.
    """
    if not isinstance(vector, StressVector) or not _writes_json(request.config):
        return judging()
    benchmark = request.getfixturevalue("benchmark")
    judgement: Judgement = benchmark.pedantic(judging, rounds=1, iterations=1)
    if judgement.stress is not None:
        benchmark.extra_info["ffparity"] = msgspec.to_builtins(judgement.stress)
    return judgement


def _writes_json(config: pytest.Config) -> bool:
    option = config.option
    if not config.pluginmanager.hasplugin("benchmark"):
        return False
    off = getattr(option, "benchmark_disable", False) or getattr(option, "benchmark_skip", False)
    wanted = ("benchmark_json", "benchmark_save", "benchmark_autosave")
    return not off and any(getattr(option, name, None) for name in wanted)
