"""What the page shows of a run, in the order and shape in which its template takes it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from pytest_ffparity.parity.judgement import StressResult
from pytest_ffparity.parity.verdict import Verdict
from pytest_ffparity.report.failure import headline
from pytest_ffparity.report.marks import Mark, mark
from pytest_ffparity.report.model import Entry, Report
from pytest_ffparity.report.plots import Distribution, distributions
from pytest_ffparity.report.terminal import grouped

# Beyond this many vectors, those that passed are folded by the prefixes of their ids.
MAX_LISTED: Final = 200
MAX_FOLDS: Final = 50
MAX_NAMES: Final = 5
# Enough of a digest to tell two apart; the JSON report has the whole of it.
_DIGITS: Final = 12

SIGNS: Final = {
    Mark.KEPT: ("✓", "keeps the row"),
    Mark.BROKEN: ("✗", "breaks it"),
    Mark.RAISED: ("!", "raised"),
    Mark.UNSTABLE: ("~", "disagrees with itself"),
    Mark.ABSENT: ("-", "was not judged"),
}


class VerdictShown(msgspec.Struct, frozen=True):
    """A verdict as a word for machines, a label and a sign for people, and what it means."""

    word: str
    label: str
    sign: str
    told: str


_VERDICTS: Final = {
    Verdict.GO: ("✓", "Every declared vector was judged, and all paths agree on each."),
    Verdict.GO_WITH_WAIVERS: (
        "◐",
        "Paths differ only where a waiver lets them. This lets a merge pass, and no cutover.",
    ),
    Verdict.BLOCKED: ("✗", "The paths do not agree, or something else blocks. Nothing may pass."),
    Verdict.INCOMPLETE: ("?", "Not all that was declared is on record. Nothing is proved."),
}


def verdict_shown(verdict: Verdict) -> VerdictShown:
    """Give the verdict as it is shown."""
    sign, told = _VERDICTS[verdict]
    return VerdictShown(str(verdict), verdict.upper().replace("_", " "), sign, told)


class MarkShown(msgspec.Struct, frozen=True):
    """A path's mark: its kind, its sign, and the sentence for those who hover or hear."""

    kind: str
    sign: str
    told: str


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A vector in the table; a cell is one sign where all paths keep the row."""

    number: int
    entry: Entry
    place: str
    cells: tuple[str | tuple[MarkShown, ...], ...]
    notes: tuple[str, ...]

    @property
    def linked(self) -> bool:
        """Tell whether the vector has a card to go to."""
        return _has_card(self.entry)


class Fold(msgspec.Struct, frozen=True):
    """Vectors that passed, of one prefix, and how many there are of it in all."""

    name: str
    lines: tuple[Line, ...]
    all: int


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A vector that did not pass: its headline, and what is wrong beside its fields."""

    number: int
    entry: Entry
    place: str
    told: str
    sentences: tuple[str, ...]


class Stressed(msgspec.Struct, frozen=True):
    """A stress vector's figures and drawings."""

    entry: Entry
    place: str
    result: StressResult
    drawn: tuple[Distribution, ...]


def reasons(report: Report) -> list[str]:
    """Give every reason against go; vectors with the same gap share a sentence."""
    told = [*report.ruling.failures, *grouped(report.ruling.gaps)]
    left_out = len(report.ruling.narrowed)
    if left_out:
        told.append(
            f"this is no gate run: the command line left out {left_out} of "
            f"{len(report.entries)} vectors"
        )
    return told


def tally(report: Report) -> list[tuple[int, str]]:
    """Count the vectors by outcome, those that there are."""
    counts = report.counts()
    kinds = [(counts[each], each) for each in ("passed", "waived", "failed", "missing")]
    decisions = sum(j.decisions for e in report.entries for j in e.judgements)
    return [
        (counts["declared"], "vectors declared"),
        (counts["required"], "required"),
        *(each for each in kinds if each[0]),
        (decisions, "decisions compared on each path"),
    ]


def facts(report: Report) -> list[tuple[str, list[str]]]:
    """List what was run, from what, where and when."""
    around = report.surroundings
    paths = [": ".join(filter(None, (n, ", ".join(i.values())))) for n, i in report.paths.items()]
    matrix = around.matrix
    groups = f"{len(around.rows)} rule groups"
    listed = [
        ("Paths", paths or ["none was judged"]),
        (
            "Matrix",
            [matrix.file, f"{groups}, digest {matrix.digest[:_DIGITS]}"] if matrix else ["none"],
        ),
        *(
            [("Generated", [f"{around.generated:,} decisions", around.again])]
            if around.generated
            else []
        ),
        ("Commit", [around.commit or "not known"]),
        ("Started", [around.started_at]),
        ("Finished", [report.finished_at]),
        ("Duration", [f"{report.duration_s:,.1f} s"]),
        ("Workers", [str(report.workers or "none: one process")]),
        ("Machine", [around.platform, f"{around.cpus or 'unknown'} processors"]),
        ("Versions", [f"{name} {version}" for name, version in around.versions.items()]),
        ("Gate run", ["yes" if report.gate_run else "no", f"exit status {report.exit_status}"]),
    ]
    files = [f"{s.file}: {s.vectors} vectors, digest {s.digest[:_DIGITS]}" for s in around.vectors]
    more = len(files) - MAX_NAMES
    if more > 0:
        files = [*files[:MAX_NAMES], f"and {more} more"]
    return [*listed, ("Vector files", files or ["none"])]


def vectors(report: Report) -> tuple[list[Line], list[Fold]]:
    """Give the lines of the table, and those that are folded away; what was left out has none."""
    left_out = set(report.ruling.narrowed)
    names = list(report.paths)
    lines = [
        _line(number, entry, report.surroundings.rows, names)
        for number, entry in enumerate(report.entries)
        if entry.key not in left_out
    ]
    if len(lines) <= MAX_LISTED:
        return lines, []
    homes: dict[str, list[Line]] = {}
    for line in lines:
        homes.setdefault(line.entry.key.id.rpartition("-")[0] or "other ids", []).append(line)
    if len(homes) > MAX_FOLDS:
        homes = {"All vectors": lines}
    folds = [Fold(name, tuple(filter(_quiet, of_it)), len(of_it)) for name, of_it in homes.items()]
    return [line for line in lines if not _quiet(line)], [fold for fold in folds if fold.lines]


def _quiet(line: Line) -> bool:
    return line.entry.outcome == "passed" and not line.notes and set(line.cells) <= {"✓"}


def _line(number: int, entry: Entry, rows: tuple[str, ...], names: list[str]) -> Line:
    judgement = entry.telling
    if judgement is None:
        return Line(number=number, entry=entry, place=place(entry), cells=(), notes=())
    cells: list[str | tuple[MarkShown, ...]] = []
    for row in rows:
        marks = {name: mark(judgement, row, name) for name in names}
        if set(marks.values()) <= {Mark.KEPT}:
            cells.append(SIGNS[Mark.KEPT][0])
        else:
            cells.append(tuple(_mark_shown(name, each) for name, each in marks.items()))
    notes = []
    unlisted = dict.fromkeys(d.field for d in judgement.divergences if d.rule not in rows)
    if unlisted:
        notes.append(f"unlisted: {', '.join(unlisted)}")
    if judgement.stress is not None and judgement.stress.missed:
        notes.append("the p99 gate was missed")
    if len(entry.judgements) > 1:
        notes.append(f"{len(entry.judgements)} judgements")
    return Line(
        number=number, entry=entry, place=place(entry), cells=tuple(cells), notes=tuple(notes)
    )


def _mark_shown(name: str, each: Mark) -> MarkShown:
    sign, told = SIGNS[each]
    return MarkShown(each.name.lower(), sign, f"{name} {told}")


def cards(report: Report) -> list[Card]:
    """Give a card for every vector that was judged and did not pass."""
    return [
        Card(
            number=number,
            entry=entry,
            place=place(entry),
            told=headline(judgement).removeprefix(f"{judgement.id}: ") or "fewer than two paths",
            sentences=(
                *(() if judgement.stress is None else judgement.stress.missed),
                *judgement.problems,
                *(f"{name} allows where a deny was due" for name in judgement.opened),
            ),
        )
        for number, entry in enumerate(report.entries)
        if _has_card(entry) and (judgement := entry.telling) is not None
    ]


def _has_card(entry: Entry) -> bool:
    return entry.outcome in ("failed", "waived")


def stressed(entries: Iterable[Entry]) -> list[Stressed]:
    """Give the stress vectors with their drawings."""
    found = []
    for entry in entries:
        judgement = entry.telling
        if judgement is not None and judgement.stress is not None:
            result = judgement.stress
            drawn = tuple(distributions(result.paths, result.limit_ms))
            found.append(Stressed(entry, place(entry), result, drawn))
    return found


def place(entry: Entry) -> str:
    """Give the file and the line that a vector stands at."""
    return entry.key.file if entry.line is None else f"{entry.key.file}:{entry.line}"
