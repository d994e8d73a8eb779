"""Puts the reports of one run's shards together, and gives the verdict anew, fail-closed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from pytest_ffparity.formats import instant
from pytest_ffparity.parity.judgement import Judgement
from pytest_ffparity.parity.verdict import Declared, Gap, Ruling, VectorKey, rule
from pytest_ffparity.report.model import Baseline, Report, Surroundings, build
from pytest_ffparity.report.shards import Shard, check

# What a verdict says that other shards may make good: of a run, and of shards that were merged.
_NOT_JUDGED: Final = "no judgement on record"
_NOWHERE: Final = "judged in no shard"
_NOT_DECLARED: Final = "{}: required by the matrix, but in no vector file"


def merged(shards: Sequence[Shard]) -> Report:
    """Make one report of the shards of one run, each as read from its file, with that file.

    The verdict is `go` only if every vector that a shard declares has one judgement in all shards
    together, and it passed. What blocks a shard blocks the whole; a shard's doubts stay, but for
    vectors that it did not judge and another one did.

    Raises:
        MergeError: The reports are not of one run, or one was given twice.
    """
    check(shards)
    reports = [report for _, report in shards]
    judgements = [
        (judgement, entry.worker)
        for report in reports
        for entry in report.entries
        for judgement in entry.judgements
    ]
    waivers = next((report.waivers for report in reports if report.finished), ())
    lines = {e.key: e.line for report in reports for e in report.entries if e.line is not None}
    keys = dict.fromkeys(entry.key for report in reports for entry in report.entries)
    declared = Declared(dict.fromkeys(keys, ""), (), (), waivers, lines)
    ruling = _ruling(shards, declared, [judgement for judgement, _ in judgements])
    finished = all(report.finished for report in reports)
    around = _surroundings(reports)
    ended_at = max((report.finished_at for report in reports), key=instant.parse)
    failed_beside = sum(report.failed_beside for report in reports)
    lasted = instant.parse(ended_at) - instant.parse(around.started_at)
    whole = build(
        declared=declared,
        judgements=judgements,
        ruling=ruling,
        surroundings=around,
        workers=sum(report.workers for report in reports),
        duration_s=lasted.total_seconds(),
        finished_at=ended_at,
        exit_status=int(failed_beside > 0 or not ruling.verdict.lets_merge),
        failed_beside=failed_beside,
        gate_run=finished and keys.keys() <= _judged(reports),
        baseline=_baseline(reports),
        finished=finished,
    )
    required = max(report.required for report in reports)
    return msgspec.structs.replace(whole, required=required)


def _ruling(shards: Sequence[Shard], declared: Declared, judgements: list[Judgement]) -> Ruling:
    """Weigh the record of all shards together, as one run's."""
    reports = [report for _, report in shards]
    judged = _judged(reports)
    nowhere = [key for key in declared.digests if key not in judged]
    gaps = dict.fromkeys(gap for shard in shards for gap in _gaps(shard, declared))
    today = max(instant.parse(r.surroundings.started_at).date() for r in reports)
    ruling = rule(
        declared,
        judgements,
        nonce="",
        narrowed=nowhere,
        gaps=gaps,
        objections=dict.fromkeys(text for r in reports for text in _objections(r)),
        today=today,
    )
    explained = {gap.key for gap in ruling.gaps}
    doubled = [
        Gap(f"judged in more than one shard: {', '.join(map(str, homes))}", key)
        for key in declared.digests
        if len(homes := [path for path, r in shards if key in _judged([r])]) > 1
    ]
    apart = {gap.key for gap in doubled}
    doubts = [
        *(gap for gap in ruling.gaps if gap.key not in apart or gap in gaps),
        *doubled,
        *(Gap(_NOWHERE, key) for key in nowhere if key not in explained),
    ]
    return Ruling(
        verdict=ruling.verdict,
        failures=tuple(dict.fromkeys(ruling.failures)),
        narrowed=(),
        gaps=tuple(dict.fromkeys(doubts)),
        waived=ruling.waived,
    )


def _judged(reports: Sequence[Report]) -> set[VectorKey]:
    return {entry.key for report in reports for entry in report.entries if entry.judgements}


def _gaps(shard: Shard, declared: Declared) -> Iterator[Gap]:
    """Give a shard's doubts, but for what it left to other shards."""
    path, report = shard
    elsewhere = {_NOT_DECLARED.format(key.id) for key in declared.digests}
    for gap in report.ruling.gaps:
        if not report.finished:
            yield Gap(f"{path}: {gap}")
        elif gap.what not in elsewhere and (
            gap.key is None or gap.what not in (_NOT_JUDGED, _NOWHERE)
        ):
            yield gap


def _objections(report: Report) -> list[str]:
    """Give what blocks a shard beside its judgements and waivers, which are weighed anew."""
    again = rule(
        Declared({entry.key: "" for entry in report.entries}, (), (), report.waivers),
        [judgement for entry in report.entries for judgement in entry.judgements],
        nonce="",
        narrowed=report.ruling.narrowed,
        today=instant.parse(report.surroundings.started_at).date(),
    )
    return [text for text in report.ruling.failures if text not in again.failures]


def _surroundings(reports: Sequence[Report]) -> Surroundings:
    """Describe where the shards were made; what differs between them is told side by side."""
    arounds = [report.surroundings for report in reports]
    names = dict.fromkeys(name for around in arounds for name in around.versions)
    cpus = {around.cpus for around in arounds}
    drawn = next((around for around in arounds if around.generated), arounds[0])
    model = next((r.surroundings for r in reports if r.finished), arounds[0])
    return Surroundings(
        versions={name: _told(a.versions.get(name, "unknown") for a in arounds) for name in names},
        platform=_told(around.platform for around in arounds),
        cpus=cpus.pop() if len(cpus) == 1 else None,
        commit=model.commit,
        started_at=min((around.started_at for around in arounds), key=instant.parse),
        vectors=tuple(dict.fromkeys(source for a in arounds for source in a.vectors)),
        matrix=model.matrix,
        rows=model.rows,
        generated=drawn.generated,
        seed=drawn.seed,
        command=drawn.command,
    )


def _told(texts: Iterable[str]) -> str:
    return " / ".join(sorted(set(texts)))


def _baseline(reports: Sequence[Report]) -> Baseline | None:
    found = [report.baseline for report in reports if report.baseline is not None]
    if not found:
        return None
    weakenings = dict.fromkeys(w for baseline in found for w in baseline.weakenings)
    notes = dict.fromkeys(note for baseline in found for note in baseline.notes)
    return Baseline(found[0].ref, tuple(weakenings), found[0].commit, tuple(notes))
