"""Judges a vector of many cases: decision by decision, counted by field, the first ones shrunk."""

from __future__ import annotations

from typing import Final

import msgspec

from pytest_ffparity.parity import session
from pytest_ffparity.parity.asking import Replied, apart, asked_twice, shaky_at
from pytest_ffparity.parity.examples import Mark, again, marks, smallest
from pytest_ffparity.parity.judgement import Example, Judgement, PathResult, Subject
from pytest_ffparity.parity.keeping import kept
from pytest_ffparity.parity.opening import opened
from pytest_ffparity.parity.path import Question
from pytest_ffparity.parity.pseudonyms import Pseudonyms
from pytest_ffparity.parity.run import Run
from pytest_ffparity.parity.tally import Tally
from pytest_ffparity.vectors.model import CasesVector

MAX_EXAMPLES: Final = 3
# A divergence that needs the cases before it is looked for among so many of them.
MAX_BEFORE: Final = 50


async def judge_cases(run: Run, subject: Subject, vector: CasesVector) -> Judgement:
    """Ask every path every case in one world, twice, and compare decision by decision."""
    world, cases = vector.world, vector.cases
    questions = [Question(subject.id, c.id, run.materialise(c.request, world)) for c in cases]
    replied: dict[str, Replied] = {}
    for path in run.paths:
        run.progress(f"{subject.id}: {len(cases)} cases on {path.name}")
        replied[path.name] = await asked_twice(run, path, world, questions)
    tally = Tally(replied, run.matrix)
    open_ways: dict[str, None] = {}
    kinds: dict[Mark, int] = {}
    for place, case in enumerate(cases):
        replies = {name: each.replies[place] for name, each in replied.items()}
        shaky = shaky_at(run, replied, place, case.expected)
        diverged = tally.add(case.id, case.expected, replies, shaky, apart=False)
        if diverged or shaky:
            answers = {n: r.decision for n, r in replies.items() if r.decision is not None}
            open_ways |= dict.fromkeys(opened(case.expected, answers, world, case.request))
        if not shaky:
            for mark in marks(run, replies)[1][:1]:
                kinds.setdefault(mark, place)
    masks = run.pseudonyms if vector.captured else None
    users = set() if masks is None else {u for c in cases for u in masks.users(c.request)}
    examples = []
    for mark, place in list(kinds.items())[:MAX_EXAMPLES]:
        run.progress(f"{subject.id}: shrinking a case")
        before = [case.request for case in cases[max(0, place - MAX_BEFORE) : place + 1]]
        example = await smallest(run, cases[place].id, world, before, mark)
        if example is not None:
            examples.append(await _kept(run, example, mark, masks, users))
    judgement = Judgement(
        run=run.nonce,
        file=subject.file,
        id=subject.id,
        digest=subject.digest,
        paths={
            path.name: PathResult(error=tally.first_error(path.name), info=session.info(path))
            for path in run.paths
        },
        divergences=tuple(tally.divergences),
        unstable=tuple(tally.unstable),
        decisions=len(cases),
        examples=tuple(examples),
        opened=tuple(open_ways),
        problems=tuple(apart(run.paths)),
    )
    return judgement if masks is None else masks.applied(judgement, users)


async def _kept(
    run: Run, example: Example, mark: Mark, masks: Pseudonyms | None, users: set[str]
) -> Example:
    """Complete an example; where it has to hide its users, only if it shows without them too."""
    if masks is None:
        return await kept(run, example)
    users = {*users, *masks.users_of_world(example.world)}
    hidden = masks.example(example, users)
    if mark in (await again(run, hidden.world, hidden.requests))[1]:
        return await kept(run, hidden)
    why = "nowhere: it does not show with pseudonyms in the place of the user ids"
    return msgspec.structs.replace(hidden, saved=why)
