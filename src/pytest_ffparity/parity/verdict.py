"""The verdict, from what was declared and what is on record. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from enum import StrEnum

import msgspec

from pytest_ffparity.parity.judgement import Judgement
from pytest_ffparity.parity.waivers import complaints, covering
from pytest_ffparity.vectors.waivers import Waiver


class Verdict(StrEnum):
    """What a run says; only `go` lets a cutover pass, `go_with_waivers` a merge."""

    GO = "go"
    GO_WITH_WAIVERS = "go_with_waivers"
    BLOCKED = "blocked"
    INCOMPLETE = "incomplete"

    @property
    def lets_merge(self) -> bool:
        """Whether a merge may pass."""
        return self in (Verdict.GO, Verdict.GO_WITH_WAIVERS)


class VectorKey(msgspec.Struct, frozen=True, order=True):
    """A vector's place: the file as the run names it, and the id."""

    file: str
    id: str

    def __str__(self) -> str:
        """Give the place as it stands in messages."""
        return f"{self.file}::{self.id}"


class Gap(msgspec.Struct, frozen=True):
    """Something that is missing, doubled or in doubt, of one vector, a file, or the whole run.

    `line` is where in the `file` it begins, as far as that is known.
    """

    what: str
    key: VectorKey | None = None
    file: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        """Give the gap in one sentence."""
        about = self.key or self.file
        return self.what if about is None else f"{about}: {self.what}"


class Declared(msgspec.Struct, frozen=True):
    """What a run has to judge, read from the files by the process that gives the verdict.

    `lines` are the vectors' places in their files.
    """

    digests: dict[VectorKey, str]
    required: tuple[str, ...]
    problems: tuple[Gap, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    lines: dict[VectorKey, int] = {}


class Waived(msgspec.Struct, frozen=True):
    """A vector that diverged, and the waivers that cover it."""

    key: VectorKey
    waivers: tuple[Waiver, ...]


class Ruling(msgspec.Struct, frozen=True):
    """The verdict and every reason against `go`.

    `narrowed` are vectors that the command line left out on purpose; `gaps` is everything else
    that is missing, doubled or in doubt; `waived` is what diverged and was let pass.
    """

    verdict: Verdict
    failures: tuple[str, ...]
    narrowed: tuple[VectorKey, ...]
    gaps: tuple[Gap, ...]
    waived: tuple[Waived, ...] = ()


def rule(  # noqa: PLR0913 - everything that bears on the verdict
    declared: Declared,
    judgements: Iterable[Judgement],
    *,
    nonce: str,
    narrowed: Iterable[VectorKey] = (),
    gaps: Iterable[Gap] = (),
    objections: Iterable[str] = (),
    today: date = date.max,
) -> Ruling:
    """Weigh the record.

    Args:
        declared: What the files declare and the matrix requires.
        judgements: Every judgement that came in, of every attempt.
        nonce: The run's own; a judgement with another counts for nothing.
        narrowed: Vectors that the command line left out on purpose.
        gaps: What else was seen to be wrong with the run.
        objections: What else blocks.
        today: The day of the run, in UTC, by which waivers expire.
    """
    records, narrowed = list(judgements), set(narrowed)
    failed = [j for j in records if not j.passed]
    covers = {id(j): covering(j, declared.waivers, today) for j in failed}
    failures = [_failure(j, declared) for j in failed if covers[id(j)] is None]
    failures += complaints(declared.waivers, records, today, _unknown(declared, records, narrowed))
    failures += objections
    found = [*declared.problems, *gaps]
    sound = [j for j in records if j.run == nonce]
    if len(sound) < len(records):
        found.append(Gap(f"judgements that were not made in this run: {len(records) - len(sound)}"))
    counted = Counter(VectorKey(j.file, j.id) for j in sound)
    left_out = sorted(narrowed - set(counted))
    explained = {gap.key for gap in found}
    for key in declared.digests:
        if counted[key] == 0 and key not in left_out and key not in explained:
            found.append(Gap("no judgement on record", key))
        elif counted[key] > 1:
            found.append(Gap(f"{counted[key]} judgements on record, expected one", key))
    strangers = counted.keys() - declared.digests
    found += [Gap("judged, but no file declares it", key) for key in strangers]
    found += [
        Gap("judged from another text than the file holds", VectorKey(j.file, j.id))
        for j in sound
        if declared.digests.get(VectorKey(j.file, j.id), j.digest) != j.digest
    ]
    found += _ids(declared) + _paths(sound)
    if not declared.digests and not found:
        found.append(Gap("no vector was declared: there is nothing to prove parity with"))
    held = {VectorKey(j.file, j.id): covers[id(j)] for j in failed}
    waived = tuple(Waived(key, waivers) for key, waivers in held.items() if waivers is not None)
    verdict = Verdict.GO_WITH_WAIVERS if waived else Verdict.GO
    if failures:
        verdict = Verdict.BLOCKED
    elif found or left_out:
        verdict = Verdict.INCOMPLETE
    return Ruling(verdict, tuple(failures), tuple(left_out), tuple(found), waived)


def _failure(judgement: Judgement, declared: Declared) -> str:
    parts = []
    rows = dict.fromkeys(d.rule for d in judgement.divergences)
    if rows:
        fields = dict.fromkeys(d.field for d in judgement.divergences)
        parts.append(f"{', '.join(rows)} broken at {', '.join(fields)}")
    parts += dict.fromkeys(map(str, judgement.unstable))
    parts += [f"{name} raised" for name, p in judgement.paths.items() if p.error is not None]
    parts += judgement.problems
    if any(waiver.vector == judgement.id for waiver in declared.waivers):
        parts += [f"{name} allows what is denied: no waiver" for name in judgement.opened]
    if judgement.stress is not None:
        parts += judgement.stress.missed
    if len(judgement.paths) < 2:  # noqa: PLR2004 - parity is between two
        parts.append("fewer than two paths")
    return f"{judgement.id}: {'; '.join(parts)}"


def _unknown(
    declared: Declared, records: list[Judgement], narrowed: Iterable[VectorKey]
) -> set[str]:
    """Name the vectors of which nobody knows whether they diverge."""
    ids = {key.id for key in (*declared.digests, *narrowed)} - {j.id for j in records}
    if declared.problems:
        # Files that can't be read hold vectors too.
        ids |= {w.vector for w in declared.waivers} - {j.id for j in records}
    return ids


def _ids(declared: Declared) -> list[Gap]:
    homes: dict[str, list[str]] = {}
    for key in declared.digests:
        homes.setdefault(key.id, []).append(key.file)
    return [
        Gap(f"{name}: declared in more than one file ({', '.join(files)})")
        for name, files in homes.items()
        if len(files) > 1
    ] + [
        Gap(f"{name}: required by the matrix, but in no vector file")
        for name in declared.required
        if name not in homes
    ]


def _paths(judgements: list[Judgement]) -> list[Gap]:
    lists = {tuple(j.paths) for j in judgements}
    if len(lists) > 1:
        shown = " / ".join(sorted(", ".join(names) for names in lists))
        return [Gap(f"not every vector was judged on the same paths: {shown}")]
    if len({judgement.made_by for judgement in judgements}) > 1:
        return [
            Gap(
                "not every vector was judged on the same paths: of one name, they are of several "
                "classes or recordings; override ffparity_paths in one conftest above all vector files"
            )
        ]
    return []
