"""The harness's own test: a fault put into one path has to be found, a harmless change has not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec

from pytest_ffparity.parity.judgement import Judgement, PathResult, Subject, digest
from pytest_ffparity.parity.path import Path
from pytest_ffparity.parity.run import Run
from pytest_ffparity.parity.runner import judge
from pytest_ffparity.vectors.model import AnyVector, StressVector

FAULT: Final = "fault-"
HARMLESS: Final = "harmless-"
_ALL: Final = "*"


class Change(Protocol):
    """A fault or a harmless change; the latter demands no row."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def level(self) -> str:
        """Where it is made; `harmless` must not be found."""
        ...

    @property
    def rows(self) -> tuple[str, ...]:
        """Rows of the matrix that have to be named at least."""
        ...

    @property
    def probes(self) -> tuple[str, ...]:
        """Ids of the vectors that are run; `*` is every vector that is no load."""
        ...

    @property
    def raises(self) -> bool:
        """Whether the path gives no answer at some calls."""
        ...

    @property
    def seed(self) -> Any:
        """Gives a path with the change in it, from one without."""
        ...


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What is on record of a change: enough to know that two processes try the same."""

    id: str
    rows: tuple[str, ...]
    probes: tuple[str, ...]
    line: int = 1


def trial(change: Change) -> Trial:
    """Give what is declared of a change before it is tried."""
    kind = HARMLESS if change.level == "harmless" else FAULT
    return Trial(id=kind + change.name, rows=change.rows, probes=change.probes)


async def tried(
    run: Run,
    file: str,
    change: Change,
    paths: tuple[Path, Path],
    vectors: Mapping[str, AnyVector],
) -> Judgement:
    """Run a change's probes with the second path changed, and judge the harness by them.

    Args:
        run: The rules of the run.
        file: The file that the trial is an item of.
        change: What is done to the second path.
        paths: Two sound paths.
        vectors: The probes by their ids; both paths pass them as they are.

    Returns:
        A judgement that passes if the harness did as it should; else its problems say where not.
    """
    declared = trial(change)
    subject = Subject(file, declared.id, digest(declared))
    seeded = msgspec.structs.replace(run, paths=[paths[0], change.seed(paths[1])])
    wanted = [
        vector
        for name, vector in vectors.items()
        if name in change.probes or (_ALL in change.probes and not isinstance(vector, StressVector))
    ]
    found = [await judge(seeded, subject.file, vector) for vector in wanted]
    harmless = declared.id.startswith(HARMLESS)
    problems = _disturbed(found) if harmless else _missed(change, found)
    if len(wanted) < len(set(change.probes) - {_ALL}):
        problems.append(f"not every probe is there: {', '.join(change.probes)}")
    return Judgement(
        run=run.nonce,
        file=subject.file,
        id=subject.id,
        digest=subject.digest,
        paths={path.name: PathResult() for path in run.paths},
        divergences=(),
        decisions=sum(judgement.decisions for judgement in found),
        problems=tuple(problems),
    )


def _missed(change: Change, found: Sequence[Judgement]) -> list[str]:
    problems = [f"not caught by {j.id}: {change.name} changed nothing" for j in found if j.passed]
    if not found:
        problems.append("no probe was run")
    named = {row for judgement in found for row in _rows(judgement)}
    lacking = [row for row in change.rows if row not in named]
    if lacking and not problems:
        told = ", ".join(sorted(named)) or "no row"
        problems.append(f"caught, but not by {', '.join(lacking)}: {told} was named")
    raised = [
        f"{judgement.id}: {name} raised: {path.error}"
        for judgement in found
        for name, path in judgement.paths.items()
        if path.error is not None
    ]
    if change.raises:
        return problems if raised else [*problems, "caught, but no path raised"]
    return problems + raised


def _disturbed(found: Sequence[Judgement]) -> list[str]:
    problems = [
        f"{judgement.id} turned red: {', '.join(_rows(judgement)) or 'no row'} was named"
        for judgement in found
        if not judgement.passed
    ]
    return problems if found else ["no probe was run"]


def _rows(judgement: Judgement) -> list[str]:
    rows = [d.rule for d in judgement.divergences] + [u.rule for u in judgement.unstable]
    return list(dict.fromkeys(rows))
