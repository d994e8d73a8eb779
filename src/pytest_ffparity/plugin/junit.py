"""Puts a vector's properties where pytest's JUnit writer, and others, look for them."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from pytest_ffparity.parity.judgement import Judgement
from pytest_ffparity.parity.waivers import covering
from pytest_ffparity.plugin.keys import TODAY, WAIVERS
from pytest_ffparity.report.junit import PREFIX, properties


def attach(item: pytest.Item, report: pytest.TestReport, made: Iterable[str]) -> None:
    """Give the call's report, and the teardown's after it, the properties of the vector.

    What an earlier attempt left is replaced.

    Args:
        item: The vector's item; pytest takes the properties of later reports from it.
        report: The report of its call, made already.
        made: Every judgement that was made of it so far, as JSON text. As in the verdict, the
            first that failed and is not waived tells; else the last.
    """
    waivers, today = item.config.stash[WAIVERS], item.config.stash[TODAY]
    for text in made:
        judgement = Judgement.from_text(text)
        waived = covering(judgement, waivers, today) is not None
        if not judgement.passed and not waived:
            break
    others = [each for each in item.user_properties if not each[0].startswith(PREFIX)]
    item.user_properties = [*others, *properties(judgement, waived=waived)]
    report.user_properties = list(item.user_properties)
