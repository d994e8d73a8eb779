"""Judges a vector of many cases: decision by decision, counted by field, the first ones shrunk."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from pytest_ffparity.parity import session
from pytest_ffparity.parity.asking import Replied, apart, asked_twice, shaky_at
from pytest_ffparity.parity.examples import RAISED, Mark, marks, smallest
from pytest_ffparity.parity.judgement import Example, Judgement, PathResult, Subject
from pytest_ffparity.parity.keeping import kept
from pytest_ffparity.parity.opening import opened
from pytest_ffparity.parity.pseudonyms import Masking
from pytest_ffparity.parity.run import Run
from pytest_ffparity.parity.tally import Tally
from pytest_ffparity.vectors.model import CasesVector

MAX_EXAMPLES: Final = 3
# A divergence that needs the cases before it is looked for among so many of them.
MAX_BEFORE: Final = 50


async def judge_cases(run: Run, subject: Subject, vector: CasesVector) -> Judgement:
    """Ask every path every case in one world, twice, and compare decision by decision."""
    world, cases = vector.world, vector.cases
    hidden = vector.captured and run.pseudonyms is not None
    questions = [
        run.question(subject.id, c.id, c.request, world, f"request {n}" if hidden else None)
        for n, c in enumerate(cases, 1)
    ]
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
    masking = None
    if vector.captured and run.pseudonyms is not None:
        users = {u for c in cases for u in run.pseudonyms.users(c.request)}
        users |= run.pseudonyms.users_of_world(world)
        masking = run.pseudonyms.masking(users, run.matrix.words)
    examples = []
    for mark, place in list(kinds.items())[:MAX_EXAMPLES]:
        run.progress(f"{subject.id}: shrinking a case")
        before = [case.request for case in cases[max(0, place - MAX_BEFORE) : place + 1]]
        example = await _example(run, masking, cases[place].id, world, before, mark=mark)
        if example is not None:
            examples.append(example)
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
        problems=(*apart(run.paths), *tally.vacuous),
    )
    return judgement if masking is None else masking.judgement(judgement)


async def _example(  # noqa: PLR0913 - what to shrink, and how
    run: Run, masking: Masking | None, case: str, world: Any, requests: list[Any], *, mark: Mark
) -> Example | None:
    """Shrink a case and keep it; where it has to hide its users, if it shows without them."""
    if masking is None:
        example = await smallest(run, case, world, requests, mark)
        return None if example is None else await kept(run, example)
    shown = mark if mark[0] == RAISED else (mark[0], masking.field(mark[1]))
    hidden = masking.json(world), masking.json(requests)
    example = await smallest(run, case, *hidden, shown, whole_texts=True)
    if example is not None:
        return await kept(run, masking.example(example))
    example = await smallest(run, case, world, requests, mark, whole_texts=True)
    if example is None:
        return None
    why = "nowhere: it does not show with pseudonyms in the place of the user ids"
    saved = None if run.save is None else why
    return msgspec.structs.replace(masking.example(example), saved=saved)
