"""Judges generated cases: no expectation, every path against the first, what diverges shrunk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, Protocol

import msgspec

from pytest_ffparity.parity import session
from pytest_ffparity.parity.asking import apart, asked_twice, shaky_at
from pytest_ffparity.parity.examples import WRITES, Mark, marks, smallest
from pytest_ffparity.parity.explain import explained
from pytest_ffparity.parity.judgement import SHARE, Example, Judgement, PathResult, Subject
from pytest_ffparity.parity.keeping import kept
from pytest_ffparity.parity.opening import opened
from pytest_ffparity.parity.run import Run
from pytest_ffparity.parity.tally import Tally

# Requests a world: a world costs as much as fifty requests in it.
IN_A_WORLD: Final = 25
# Decisions an item: small enough to be shared among workers, and to be found again quickly.
IN_A_DRAW: Final = 250
MAX_EXAMPLES: Final = 3
MAX_ERRORS: Final = 5
_UNKNOWING: Final = (
    "a recording knows no generated cases: leave it out of the run that generates some"
)


class Draw(msgspec.Struct, frozen=True, kw_only=True):
    """A share of a run's generated cases: the same seed draws the same cases everywhere."""

    id: str
    seed: int
    decisions: int
    line: int = 1


def command(pytest: str, decisions: int, seed: int) -> str:
    """Give the command that generates the same decisions once more."""
    return f"{pytest} --ffparity-fuzz {decisions} --ffparity-seed {seed}"


def draws(decisions: int, seed: int) -> list[Draw]:
    """Part a run's generated decisions into shares.

    Share n is the first one of the seed + n, so that it can be drawn again by itself.
    """
    parts = [min(IN_A_DRAW, decisions - start) for start in range(0, decisions, IN_A_DRAW)]
    wide = len(str(len(parts)))
    return [
        Draw(id=f"{SHARE}{number + 1:0{wide}}", seed=seed + number, decisions=part)
        for number, part in enumerate(parts)
    ]


class GeneratedCase(Protocol):
    """A world and the requests that are made in it, as a vector file would hold them."""

    @property
    def world(self) -> Any:
        """The world, as JSON."""
        ...

    @property
    def requests(self) -> list[Any]:
        """The requests, each as JSON."""
        ...


class Fuzzer:
    """Judges draws in one process; remembers what it has shrunk already."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._live = [path for path in run.paths if not session.recalls(path)]
        self._shrunk: set[Mark] = set()

    async def judge(
        self, subject: Subject, draw: Draw, cases: Iterable[GeneratedCase]
    ) -> Judgement:
        """Ask every path for every case of a draw, and compare decision by decision."""
        found = _Findings(self._run)
        for path in self._run.paths:
            if path not in self._live:
                found.tally.errors[path.name].append(_UNKNOWING)
        for case in cases:
            requests = case.requests[: draw.decisions - found.decisions]
            if requests:
                await self._world(found, case.world, requests)
        if found.decisions < draw.decisions:
            found.problems.append(
                f"{found.decisions} decisions were drawn, expected {draw.decisions}"
            )
        tally = found.tally
        return Judgement(
            run=self._run.nonce,
            file=subject.file,
            id=subject.id,
            digest=subject.digest,
            paths={
                path.name: PathResult(error=tally.first_error(path.name), info=session.info(path))
                for path in self._run.paths
            },
            divergences=tuple(map(explained, tally.divergences)),
            unstable=tuple(tally.unstable),
            decisions=found.decisions,
            examples=tuple([await self._kept(example, draw) for example in found.examples]),
            opened=tuple(found.opened),
            problems=(*found.problems, *tally.vacuous),
        )

    async def _world(self, found: _Findings, world: Any, requests: Sequence[Any]) -> None:
        run = msgspec.structs.replace(self._run, paths=self._live)
        names = [f"decision {found.decisions + n + 1}" for n in range(len(requests))]
        questions = [
            run.question("", name, request, world)
            for name, request in zip(names, requests, strict=True)
        ]
        replied = {path.name: await asked_twice(run, path, world, questions) for path in run.paths}
        ends = apart(run.paths)
        found.problems += [f"{names[0]}: {problem}" for problem in ends]
        if ends and self._is_new(WRITES):
            await self._shrink(found, names[0], world, requests[:1], WRITES)
        for place, name in enumerate(names):
            replies = {path: each.replies[place] for path, each in replied.items()}
            divergences, marked = marks(run, replies)
            shaky = shaky_at(run, replied, place, None)
            if not marked and not shaky:
                found.tally.add(name, None, replies, apart=False)
                if all(reply.decision is None for reply in replies.values()):
                    error = next(iter(replies.values())).error
                    found.refused(f"{name}: no path takes it: {error}")
                continue
            found.tally.add(name, None, replies, shaky, apart=False)
            if shaky:
                continue
            # Fields come in the order of the document: the gravest, the decision itself, first.
            if divergences:
                answers = {n: r.decision for n, r in replies.items() if r.decision is not None}
                ways = opened(None, answers, world, requests[place])
                found.opened |= dict.fromkeys(ways)
            if self._is_new(marked[0]):
                await self._shrink(found, name, world, requests[: place + 1], marked[0])
        found.decisions += len(requests)

    def _is_new(self, mark: Mark) -> bool:
        return mark not in self._shrunk and len(self._shrunk) < MAX_EXAMPLES

    async def _kept(self, example: Example, draw: Draw) -> Example:
        again = command(self._run.command, draw.decisions, draw.seed)
        return msgspec.structs.replace(await kept(self._run, example), again=again)

    async def _shrink(
        self,
        found: _Findings,
        name: str,
        world: Any,
        requests: Sequence[Any],
        mark: Mark,
    ) -> None:
        self._shrunk.add(mark)
        self._run.progress(f"shrinking {name}")
        example = await smallest(self._run, name, world, requests, mark)
        if example is None:
            found.problems.append(f"{name} diverged, and did not when it was asked again")
        else:
            found.examples.append(example)


class _Findings:
    """What came up in one draw."""

    def __init__(self, run: Run) -> None:
        self.tally = Tally([path.name for path in run.paths], run.matrix)
        self.examples: list[Example] = []
        self.problems: list[str] = []
        self.opened: dict[str, None] = {}
        self.decisions = 0

    def refused(self, problem: str) -> None:
        """Note a case that no path could be asked: a generator that proves nothing."""
        if len(self.problems) < MAX_ERRORS:
            self.problems.append(problem)
