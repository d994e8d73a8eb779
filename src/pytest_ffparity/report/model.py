"""The one report model that every writer takes."""

from __future__ import annotations

from typing import Any

import msgspec

from pytest_ffparity.parity.fuzz import command
from pytest_ffparity.parity.judgement import Judgement, Load
from pytest_ffparity.parity.verdict import Declared, Gap, Ruling, VectorKey, Verdict
from pytest_ffparity.vectors.waivers import Waiver


class Source(msgspec.Struct, frozen=True):
    """A file that the run was made from, and the digest of what it holds."""

    file: str
    digest: str
    worlds_digest: str | None = None
    vectors: int | None = None


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """Where and from what a run was made.

    `generated` decisions were drawn from `seed`; `command` runs pytest on the same files.
    """

    versions: dict[str, str]
    platform: str
    cpus: int | None
    commit: str | None
    started_at: str
    vectors: tuple[Source, ...] = ()
    matrix: Source | None = None
    rows: tuple[str, ...] = ()
    generated: int = 0
    seed: int = 0
    command: str = "pytest"

    @property
    def again(self) -> str:
        """The command that generates the same once more."""
        return command(self.command, self.generated, self.seed)


class Entry(msgspec.Struct, frozen=True):
    """One declared vector and every judgement of it, in the order of arrival.

    `line` is its place in its file, `waivers` are those that let it pass.
    """

    key: VectorKey
    judgements: tuple[Judgement, ...]
    worker: str | None = None
    line: int | None = None
    waivers: tuple[Waiver, ...] = ()

    @property
    def outcome(self) -> str:
        """`passed`, `waived`, `failed` (in any attempt), or `missing`: nothing is on record."""
        if not self.judgements:
            return "missing"
        if all(j.passed for j in self.judgements):
            return "passed"
        return "waived" if self.waivers else "failed"

    @property
    def telling(self) -> Judgement | None:
        """The judgement to show: the first that failed, else the last."""
        failed = (j for j in self.judgements if not j.passed)
        return next(failed, self.judgements[-1] if self.judgements else None)


class Weakening(msgspec.Struct, frozen=True):
    """A change since the baseline that asks for less, and who answers for it, if anybody does."""

    id: str
    told: str
    who: str | None = None
    why: str | None = None


class Baseline(msgspec.Struct, frozen=True):
    """The git revision that the run was held against, and what has been weakened since.

    `notes` are what people should know about how it was read, a sentence each.
    """

    ref: str
    weakenings: tuple[Weakening, ...]
    commit: str | None = None
    notes: tuple[str, ...] = ()


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run, for the writers.

    `finished` is false where the run never came to its end: its times and exit status then say
    nothing. `failed_beside` counts what failed of pytest's run and is no vector: the verdict does
    not weigh it, the exit status does.
    """

    surroundings: Surroundings
    ruling: Ruling
    entries: tuple[Entry, ...]
    required: int
    workers: int
    duration_s: float
    finished_at: str
    exit_status: int
    gate_run: bool
    baseline: Baseline | None = None
    waivers: tuple[Waiver, ...] = ()
    finished: bool = True
    failed_beside: int = 0

    @property
    def paths(self) -> dict[str, dict[str, str]]:
        """Name and description of every path in the judgements that are shown."""
        found: dict[str, dict[str, str]] = {}
        for entry in self.entries:
            if entry.telling is not None:
                for name, path in entry.telling.paths.items():
                    found[name] = {**found.get(name, {}), **path.info}
        return found

    @property
    def made_by(self) -> str:
        """What kinds of paths judged; a run that mixes them is incomplete."""
        telling = (entry.telling for entry in self.entries)
        return next((each.made_by for each in telling if each is not None), "")

    @property
    def stress(self) -> dict[str, tuple[str, Load]]:
        """For each path its slowest stress vector, by p99, and that one's figures."""
        slowest: dict[str, tuple[str, Load]] = {}
        for entry in self.entries:
            judgement = entry.telling
            if judgement is None or judgement.stress is None:
                continue
            for name, load in judgement.stress.paths.items():
                if name not in slowest or load.latency.p99_ms > slowest[name][1].latency.p99_ms:
                    slowest[name] = (entry.key.id, load)
        return slowest

    def counts(self) -> dict[str, int]:
        """How many vectors were declared, required, judged, passed, waived, failed, are missing."""
        outcomes = [entry.outcome for entry in self.entries]
        return {
            "declared": len(self.entries),
            "required": self.required,
            "judgements": sum(len(entry.judgements) for entry in self.entries),
            "passed": outcomes.count("passed"),
            "waived": outcomes.count("waived"),
            "failed": outcomes.count("failed"),
            "missing": outcomes.count("missing"),
        }


def unfinished(surroundings: Surroundings, reason: str) -> Report:
    """Give the report of a run that has not come to its end."""
    return Report(
        surroundings=surroundings,
        ruling=Ruling(Verdict.INCOMPLETE, (), (), (Gap(reason),)),
        entries=(),
        required=0,
        workers=0,
        duration_s=0.0,
        finished_at=surroundings.started_at,
        exit_status=1,
        gate_run=False,
        finished=False,
    )


def build(
    *,
    declared: Declared,
    judgements: list[tuple[Judgement, str | None]],
    ruling: Ruling,
    **rest: Any,
) -> Report:
    """Sort the judgements under the vectors they are of, in the order of the files."""
    found: dict[VectorKey, list[tuple[Judgement, str | None]]] = {k: [] for k in declared.digests}
    for judgement, worker in judgements:
        found.setdefault(VectorKey(judgement.file, judgement.id), []).append((judgement, worker))
    covers = {waived.key: waived.waivers for waived in ruling.waived}
    entries = tuple(
        Entry(
            key,
            tuple(j for j, _ in listed),
            worker=listed[-1][1] if listed else None,
            line=declared.lines.get(key),
            waivers=covers.get(key, ()),
        )
        for key, listed in found.items()
    )
    return Report(
        entries=entries,
        required=len(declared.required),
        ruling=ruling,
        waivers=declared.waivers,
        **rest,
    )
