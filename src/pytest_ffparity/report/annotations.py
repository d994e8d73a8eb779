"""Annotations for GitHub: a line of output each, which points at a vector in its JSON file."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from typing import Final

from pytest_ffparity.parity.judgement import Judgement
from pytest_ffparity.parity.verdict import VectorKey
from pytest_ffparity.report.brief import cut, one_line, shown
from pytest_ffparity.report.failure import headline
from pytest_ffparity.report.model import Entry, Report

# GitHub shows ten errors and ten warnings of a step, and drops what comes after.
MAX_SHOWN: Final = 10
MAX_SENTENCES: Final = 5
_MAX_SENTENCE: Final = 400
_MAX_VALUE: Final = 80


def annotate(report: Report, root: str = "") -> list[str]:
    """Give at most ten errors and ten warnings.

    Args:
        report: A finished run.
        root: Where the files' names start from, as seen from the top of the repository.
    """
    gaps: dict[VectorKey, list[str]] = {}
    declared = {entry.key for entry in report.entries}
    for gap in report.ruling.gaps:
        if gap.key in declared:
            gaps.setdefault(gap.key, []).append(gap.what)
    errors: list[str] = []
    warnings: list[str] = []
    whole = _whole_run(report, declared)
    if whole:
        level = "error" if report.exit_status else "warning"
        title = f"ffparity: {report.ruling.verdict}"
        (errors if report.exit_status else warnings).append(_command(level, whole, title=title))
    for gap in report.ruling.gaps:
        if gap.file is not None:
            place = _place(gap.file, gap.line, root)
            errors.append(_command("error", gap.what, **place, title="ffparity: file not read"))
    for entry in report.entries:
        place = _place(entry.key.file, entry.line, root)
        wrong = [*_wrong(entry), *gaps.get(entry.key, [])]
        if entry.outcome == "missing" and not wrong and entry.key not in report.ruling.narrowed:
            wrong.append("no judgement on record")
        if wrong:
            outcome = "in doubt" if entry.outcome in ("passed", "waived") else entry.outcome
            title = f"{entry.key.id}: {outcome}"
            errors.append(_command("error", _some(wrong), **place, title=title))
        if entry.waivers:
            told = [f"{w.field} until {w.expires} by {w.owner}: {w.reason}" for w in entry.waivers]
            title = f"{entry.key.id}: waived"
            warnings.append(_command("warning", _some(told), **place, title=title))
    return [*_first("error", errors), *_first("warning", warnings)]


def _whole_run(report: Report, declared: set[VectorKey]) -> str:
    """Tell what stands against go and is of no vector alone."""
    ruling = report.ruling
    # The judgements' failures stand first, each behind its vector's id.
    own = [
        entry.key.id
        for entry in report.entries
        if entry.outcome == "failed"
        for judgement in entry.judgements
        if not judgement.passed
    ]
    told = []
    for failure in ruling.failures:
        of = next((name for name in own if failure.startswith(f"{name}: ")), None)
        if of is None:
            told.append(failure)
        else:
            own.remove(of)
    told += [str(gap) for gap in ruling.gaps if gap.key not in declared and gap.file is None]
    if ruling.narrowed:
        count = f"{len(ruling.narrowed)} of {len(report.entries)}"
        told.append(f"the command line left out {count} vectors: this is no gate run")
    return _some(told)


def _wrong(entry: Entry) -> list[str]:
    judgement = entry.telling
    if judgement is None or entry.outcome != "failed":
        return []
    return [headline(judgement), *_findings(judgement)]


def _findings(judgement: Judgement) -> Iterable[str]:
    for name, path in judgement.paths.items():
        if path.error is not None:
            yield f"{name} raised: {path.error}"
    if judgement.stress is not None:
        yield from judgement.stress.missed
    yield from judgement.problems[1:]  # the first is in the headline
    yield from map(str, judgement.unstable)
    for divergence in judgement.divergences:
        wanted = divergence.expected
        sides = {"expected": wanted} if wanted is not None and wanted.present else {}
        values = [
            f"{name} {shown(seen, _MAX_VALUE)}"
            for name, seen in {**sides, **divergence.paths}.items()
        ]
        yield f"{divergence.field or '(the whole decision)'}: {', '.join(values)}"


def _some(sentences: list[str]) -> str:
    lines = [cut(one_line(sentence), _MAX_SENTENCE) for sentence in sentences[:MAX_SENTENCES]]
    if len(sentences) > MAX_SENTENCES:
        lines.append(f"... and {len(sentences) - MAX_SENTENCES} more")
    return "\n".join(lines)


def _place(file: str, line: int | None, root: str) -> dict[str, str]:
    place = {"file": posixpath.normpath(posixpath.join(root, file))}
    if line is not None:
        place["line"] = str(line)
    return place


def _first(level: str, commands: list[str]) -> list[str]:
    if len(commands) <= MAX_SHOWN:
        return commands
    kept = commands[: MAX_SHOWN - 1]
    told = f"... and {len(commands) - len(kept)} more: see the summary, or the log"
    return [*kept, _command(level, told, title="ffparity")]


def _command(level: str, message: str, **properties: str) -> str:
    """Write a workflow command, escaped as GitHub's toolkit does."""
    given = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{level} {given}::{_data(message)}"


def _data(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")
