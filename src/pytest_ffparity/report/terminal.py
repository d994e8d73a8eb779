"""The terminal report: what was compared, a table, the latencies, the verdict and why."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pytest_ffparity.parity.judgement import is_share
from pytest_ffparity.parity.selftest import FAULT, HARMLESS
from pytest_ffparity.parity.verdict import Gap, VectorKey, Verdict
from pytest_ffparity.report.lines import Line, Span, Style, line
from pytest_ffparity.report.marks import mark
from pytest_ffparity.report.model import Entry, Report
from pytest_ffparity.vectors.waivers import Waiver

# A table that fits a screen; beyond it, vectors that passed share one line.
MAX_ROWS: Final = 30
MAX_REASONS: Final = 15
MAX_NAMES: Final = 5

STYLE: Final = {
    Verdict.GO: Style.GOOD,
    Verdict.GO_WITH_WAIVERS: Style.DOUBTFUL,
    Verdict.BLOCKED: Style.BAD,
    Verdict.INCOMPLETE: Style.DOUBTFUL,
}


def summary(report: Report) -> list[Line]:
    """Give the whole section; at most 40 lines when all is well."""
    return [
        *_head(report),
        *_table(report),
        *_latencies(report),
        *_baseline(report),
        *verdict_lines(report),
    ]


def short(report: Report) -> list[Line]:
    """Give what has to be said however quiet a run is: how to find it again, and the verdict."""
    return [*_generated_lines(report), *_baseline(report), *verdict_lines(report)]


def verdict_lines(report: Report) -> list[Line]:
    """Give the verdict and every reason against go."""
    ruling, counts = report.ruling, report.counts()
    style = STYLE[ruling.verdict]
    told = f"{counts['passed']} of {counts['declared']} vectors passed"
    lines = [line(Span(f"verdict  {word(ruling.verdict)}", style), f"  {_tallies(report) or told}")]
    reasons = [*ruling.failures, *grouped(ruling.gaps)]
    lines += [line("         ", Span(f"- {text}", style)) for text in reasons[:MAX_REASONS]]
    if len(reasons) > MAX_REASONS:
        lines.append(line("         ", f"... and {len(reasons) - MAX_REASONS} more"))
    for entry in report.entries:
        lines += [line("         ", Span(f"- {_waived(w)}", style)) for w in entry.waivers]
    if ruling.verdict is Verdict.GO_WITH_WAIVERS:
        lines.append(line("         ", "this lets a merge pass, and no cutover"))
    if report.failed_beside:
        beside = f"failed beside the vectors: {report.failed_beside}; the exit status counts them"
        lines.append(line("         ", Span(beside, Style.BAD)))
    if ruling.narrowed:
        lines.append(
            line(
                "         ",
                f"this is no gate run: the command line left out {len(ruling.narrowed)} of "
                f"{counts['declared']} vectors",
            )
        )
    return lines


def word(verdict: Verdict) -> str:
    """Write a verdict as people read it, as in `GO WITH WAIVERS`."""
    return verdict.upper().replace("_", " ")


def _waived(waiver: Waiver) -> str:
    return (
        f"{waiver.vector} {waiver.field} is waived until {waiver.expires} by {waiver.owner}: "
        f"{waiver.reason}"
    )


def _baseline(report: Report) -> list[Line]:
    if report.baseline is None:
        return []
    changes = report.baseline.weakenings
    lines = [
        line(
            Span(f"baseline {report.baseline.ref}", Style.STRONG),
            f": weakened since: {len(changes) or 'nothing'}",
        )
    ]
    lines += [line("         ", note) for note in report.baseline.notes]
    for change in changes:
        if change.who is None:
            lines.append(line("         ", Span(f"- {change.told}", Style.BAD)))
            lines.append(line("           ", f"to acknowledge: {change.id}"))
        else:
            told = f"- {change.told} (acknowledged by {change.who}: {change.why})"
            lines.append(line("         ", told))
    return [*lines, line()]


def grouped(gaps: Iterable[Gap]) -> list[str]:
    """Put vectors with the same gap into one sentence."""
    homes: dict[str, list[VectorKey]] = {}
    for gap in gaps:
        if gap.key is None:
            homes.setdefault(str(gap), [])
        else:
            homes.setdefault(gap.what, []).append(gap.key)
    return [f"{_some(keys)}: {what}" if keys else what for what, keys in homes.items()]


def _some(keys: list[VectorKey]) -> str:
    shown = ", ".join(key.id for key in keys[:MAX_NAMES])
    more = len(keys) - MAX_NAMES
    return shown if more <= 0 else f"{shown} and {more} more"


def _tallies(report: Report) -> str:
    """Count passed vectors by the prefix of their ids, as in `PT 17 of 17`."""
    tallies: dict[str, list[int]] = {}
    for entry in report.entries:
        if _generated(report, entry):
            continue
        prefix, dash, _ = entry.key.id.rpartition("-")
        if not dash:
            return ""
        tally = tallies.setdefault(prefix, [0, 0])
        tally[0] += entry.outcome == "passed"
        tally[1] += 1
    if len(tallies) > MAX_NAMES:
        return ""
    return " · ".join(f"{p} {passed} of {n}" for p, (passed, n) in tallies.items())


def _head(report: Report) -> list[Line]:
    around = report.surroundings
    described = []
    for name, info in report.paths.items():
        told = ", ".join(info.values())
        described.append(f"{name} ({told})" if told else name)
    shaky = ""
    if any(e.telling is not None and e.telling.unstable for e in report.entries):
        shaky = "  ~ disagrees with itself"
    matrix = f"{around.matrix.file}, rule groups: {len(around.rows)}" if around.matrix else "none"
    return [
        line("paths    ", " · ".join(described) or "none was judged"),
        line("matrix   ", matrix),
        *_generated_lines(report),
        line(
            "marks    ", f"one a path, in this order: . keeps the row  x breaks it  ! raised{shaky}"
        ),
    ]


def _table(report: Report) -> list[Line]:
    rows, names = report.surroundings.rows, list(report.paths)
    left_out = set(report.ruling.narrowed)
    entries = [entry for entry in report.entries if entry.key not in left_out]
    shown = [e for e in entries if e.outcome != "passed" or not _generated(report, e)]
    if len(shown) > MAX_ROWS:
        shown = [entry for entry in entries if entry.outcome != "passed"][:MAX_ROWS]
    folded = len(entries) - len(shown)
    if not shown:
        return [line("vectors  ", f"{folded} passed, none failed" if folded else "none was judged")]
    wide = max([6, *(len(e.key.id) for e in shown)])
    cell = max(5, len(names))
    head = "vector".ljust(wide) + "".join(f"  {row.ljust(cell)}" for row in rows)
    lines = [line(), line(Span(head.rstrip(), Style.STRONG))]
    lines += [_row(entry, rows, names, (wide, cell)) for entry in shown]
    if folded:
        passed = report.counts()["passed"]
        lines.append(line(f"... and {folded} more, {passed} of all passed"))
    return [*lines, line()]


def _generated_lines(report: Report) -> list[Line]:
    """Tell how generated cases and the self-test fared."""
    around, lines = report.surroundings, []
    if around.generated:
        diverging = [e for e in report.entries if is_share(e.key.id) and e.outcome == "failed"]
        told = f"{around.generated:,} decisions generated; again: {around.again}"
        style = Style.BAD if diverging else Style.PLAIN
        lines.append(line("fuzz     ", Span(told, style)))
    tried = [e for e in report.entries if e.key.id.startswith((FAULT, HARMLESS))]
    tried = [entry for entry in tried if _generated(report, entry)]
    if tried:
        faults = [entry for entry in tried if entry.key.id.startswith(FAULT)]
        harmless = [entry for entry in tried if entry.key.id.startswith(HARMLESS)]
        told = f"caught {_passed(faults)} · harmless changes left alone {_passed(harmless)}"
        style = Style.GOOD if all(e.outcome == "passed" for e in tried) else Style.BAD
        lines.append(line("selftest ", Span(told, style)))
    return lines


def _passed(entries: list[Entry]) -> str:
    return f"{sum(entry.outcome == 'passed' for entry in entries)} of {len(entries)}"


def _generated(report: Report, entry: Entry) -> bool:
    """Tell what was generated or tried: that is the matrix file's, not a vector file's."""
    matrix = report.surroundings.matrix
    return matrix is not None and entry.key.file == matrix.file


def _row(entry: Entry, rows: tuple[str, ...], names: list[str], widths: tuple[int, int]) -> Line:
    wide, cell = widths
    judgement = entry.telling
    label = entry.key.id.ljust(wide)
    if judgement is None:
        return line(Span(f"{label}  no judgement on record", Style.DOUBTFUL))
    bad = Style.DOUBTFUL if entry.outcome == "waived" else Style.BAD
    spans: list[Span | str] = [label]
    for row in rows:
        marks = "".join(mark(judgement, row, name) for name in names)
        style = Style.PLAIN if set(marks) <= {"."} else bad
        spans += ["  ", Span(marks if row == rows[-1] else marks.ljust(cell), style)]
    unlisted = {d.field for d in judgement.divergences if d.rule not in rows}
    if unlisted:
        spans.append(Span(f"  unlisted: {', '.join(sorted(unlisted))}", Style.BAD))
    odd = {d.odd for d in judgement.divergences if d.odd is not None}
    if odd:
        spans.append(Span(f"  odd one out: {', '.join(sorted(odd))}", bad))
    if judgement.problems:
        spans.append(Span(f"  problems: {len(judgement.problems)}", Style.BAD))
    if entry.waivers:
        spans.append(Span("  waived", Style.DOUBTFUL))
    if len(entry.judgements) > 1:
        spans.append(Span(f"  {len(entry.judgements)} judgements", Style.DOUBTFUL))
    return line(*spans)


def _latencies(report: Report) -> list[Line]:
    if not report.stress:
        return []
    limits = {
        e.telling.stress.limit_ms
        for e in report.entries
        if e.telling is not None and e.telling.stress is not None
    }
    limit = " / ".join(f"{ms:g}" for ms in sorted(limits))
    wide = max(6, *(len(name) for name in report.stress))
    head = f"{'stress'.ljust(wide)}     p50      p95      p99      max  ms; limit p99 < {limit}"
    lines = [line(Span(head, Style.STRONG))]
    for name, (vector, load) in report.stress.items():
        at = load.latency
        figures = "".join(f"{ms:9.3f}" for ms in (at.p50_ms, at.p95_ms, at.p99_ms, at.max_ms))
        rest = (
            f"  {vector}: {at.n} calls, {load.concurrency} at once, "
            f"{load.throughput_per_s:,.0f}/s, {load.errors} errors"
        )
        lines.append(line(name.ljust(wide), figures, rest))
    return [*lines, line()]
