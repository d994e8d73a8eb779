"""Keeps a shrunk example: what it has to answer with from now on, and the file that says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from pytest_ffparity.formats.pointer import join
from pytest_ffparity.parity.examples import asked
from pytest_ffparity.parity.expectation import unnamed
from pytest_ffparity.parity.judgement import Example
from pytest_ffparity.parity.matrix import FieldRule, ParityMatrix
from pytest_ffparity.parity.run import Run
from pytest_ffparity.vectors.saving import NotSavedError, save


async def kept(run: Run, example: Example) -> Example:
    """Write an example as a vector file that expects what the first path answers.

    Returns:
        The example with `saved`: the file, or why there is none; as it was, if the run saves none.
    """
    if run.save is None:
        return example
    world, requests = example.world, example.requests
    given = await asked(run, world, requests)
    # The first that can be asked at all.
    first = next(iter(given[0]))
    answers = [replies[first] for replies in given]
    fields = ", ".join(d.field or "the whole decision" for d in example.divergences[:3])
    try:
        if any(answer.decision is None for answer in answers):
            raise NotSavedError(f"{first} gave no decision that could be expected")
        expected = [_demanded(answer.decision, run.matrix) for answer in answers]
        if lacking := [join(path) for each in expected for path in unnamed(each, run.matrix)]:
            raise NotSavedError(f"{first} lacks {lacking[0]}, which every expectation has to name")
        title = f"The paths part at {fields}" if fields else "A path gives no decision"
        if not fields and not example.raised:
            title = "The world's writes come to different ends"
        saved = str(save(run.save, title, world, requests, expected))
    except NotSavedError as error:
        saved = f"nowhere: {error}"
    return msgspec.structs.replace(example, saved=saved)


def _demanded(decision: Any, matrix: ParityMatrix, at: Sequence[str] = ()) -> Any:
    """Leave out of a decision what may differ or has to differ."""
    if not isinstance(decision, dict) or not matrix.finer(tuple(at)):
        return decision
    return {
        key: _demanded(member, matrix, (*at, key))
        for key, member in decision.items()
        if matrix.finer((*at, key)) or matrix.covering((*at, key)).rule is FieldRule.MUST_MATCH
    }
