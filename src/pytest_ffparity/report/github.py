"""The summary of a run for GitHub's page of the job, as Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from pytest_ffparity.parity.compare import Divergence
from pytest_ffparity.parity.judgement import Example, Judgement
from pytest_ffparity.parity.verdict import Verdict
from pytest_ffparity.report.brief import cut, shown
from pytest_ffparity.report.markdown import block, bullets, code, details, table, text
from pytest_ffparity.report.model import Entry, Report
from pytest_ffparity.report.terminal import verdict_lines

# GitHub drops a step's summary beyond 1 MiB, and other commands of the step may write too.
MAX_BYTES: Final = 500_000
MAX_TABLE_BYTES: Final = 250_000
MAX_VECTORS: Final = 50
MAX_FIELDS: Final = 10
MAX_LOADS: Final = 50
MAX_WEAKENINGS: Final = 50
MAX_EXAMPLES: Final = 10
_MAX_TEXT: Final = 500
_MAX_VALUE: Final = 120
_MAX_JSON: Final = 4000

_SIGNS: Final = {
    Verdict.GO: "✅ GO",
    Verdict.GO_WITH_WAIVERS: "⚠️ GO WITH WAIVERS",
    Verdict.BLOCKED: "❌ BLOCKED",
    Verdict.INCOMPLETE: "❓ INCOMPLETE",
}
_CUT: Final = "... cut here: the log and the JSON report have the rest"


def summary(report: Report) -> str:
    """Give the whole summary, of less than half of what GitHub takes."""
    kept: list[str] = []
    room = MAX_BYTES
    for part in _parts(report):
        room -= len(part.encode("utf-8", "replace")) + 2
        if room < 0:
            kept.append(_CUT)
            break
        kept.append(part)
    return "\n\n".join(kept) + "\n"


def _parts(report: Report) -> Iterator[str]:
    first, *reasons = verdict_lines(report)
    yield f"## ffparity: {_SIGNS[report.ruling.verdict]} · {text(first[-1].text.strip())}"
    if reasons:
        sentences = ["".join(span.text for span in each).strip() for each in reasons]
        yield bullets(text(cut(s.removeprefix("- "), _MAX_TEXT)) for s in sentences)
    yield "### Compared"
    yield _compared(report)
    yield from _vectors(report)
    yield from _latencies(report)
    yield from _baseline(report)
    yield from _examples(report)


def _compared(report: Report) -> str:
    around = report.surroundings
    paths = []
    for name, info in report.paths.items():
        told = text(cut(", ".join(info.values()), _MAX_TEXT))
        paths.append(f"{code(name)} ({told})" if told else code(name))
    files = [f"{code(source.file)} ({source.vectors})" for source in around.vectors]
    facts = [
        f"paths: {', '.join(paths) or 'none was judged'}",
        f"vectors: {', '.join(files) or 'none'}",
        f"matrix: {code(around.matrix.file) if around.matrix else 'none'}",
    ]
    if around.commit is not None:
        facts.append(f"commit: {code(around.commit)}")
    facts.append(f"{report.duration_s:,.1f} s, workers: {report.workers}")
    return bullets(facts)


def _vectors(report: Report) -> Iterator[str]:
    left_out = set(report.ruling.narrowed)
    entries = [e for e in report.entries if e.outcome != "passed" and e.key not in left_out]
    if entries:
        names = list(report.paths)
        rows: list[list[str]] = []
        told, room = 0, MAX_TABLE_BYTES
        for entry in entries[:MAX_VECTORS]:
            more = _rows(entry, names)
            room -= sum(len(cell.encode("utf-8", "replace")) + 3 for row in more for cell in row)
            if room < 0:
                break
            rows += more
            told += 1
        yield "### Vectors that did not pass"
        yield table(["vector", "row", "field", "expected", *map(code, names)], rows)
        if len(entries) > told:
            yield f"... and {len(entries) - told} more"
        yield "✗ breaks the row · ! raised · ~ disagrees with itself, in two runs of one path"
    counts = report.counts()
    kinds = ("passed", "waived", "failed", "missing")
    yield f"Of {counts['declared']} vectors: " + ", ".join(f"{counts[k]} {k}" for k in kinds)


def _rows(entry: Entry, names: list[str]) -> list[list[str]]:
    label = code(entry.key.id) + (" waived" if entry.outcome == "waived" else "")
    judgement = entry.telling
    if judgement is None:
        return [[label, "", "no judgement on record", "", *[""] * len(names)]]
    findings = _findings(judgement, names)
    rows = [[label, *cells] for cells in islice(findings, MAX_FIELDS)]
    if next(findings, None) is not None:
        told = "... and more: see the log, or the JSON report"
        rows.append([label, "", told, "", *[""] * len(names)])
    return rows


def _findings(judgement: Judgement, names: list[str]) -> Iterator[list[str]]:
    errors = {name: path.error for name, path in judgement.paths.items() if path.error is not None}
    if errors:
        raised = {name: f"! {code(cut(error, _MAX_TEXT))}" for name, error in errors.items()}
        yield ["", "", "", *(raised.get(name, "") for name in names)]
    missed = () if judgement.stress is None else judgement.stress.missed
    for sentence in (*missed, *judgement.problems):
        yield ["", text(cut(sentence, _MAX_TEXT)), "", *[""] * len(names)]
    for each in judgement.unstable:
        told = f"{code(shown(each.first, _MAX_VALUE))}, then {code(shown(each.second, _MAX_VALUE))}"
        if each.error is not None:
            told = text(cut(each.error, _MAX_TEXT))
        field = _field(each.field, each.case, each.count)
        cells = [f"~ {told}" if name == each.path else "" for name in names]
        yield [code(each.rule), field, "", *cells]
    for divergence in judgement.divergences:
        yield _divergence(divergence, names)


def _divergence(divergence: Divergence, names: list[str]) -> list[str]:
    at_fault = {breach.path for breach in divergence.broken}
    cells = []
    for name in names:
        cell = "✗ " if name in at_fault else ""
        if name in divergence.paths:
            cell += code(shown(divergence.paths[name], _MAX_VALUE))
        if name == divergence.odd:
            cell += " odd one out"
        cells.append(cell)
    wanted = ""
    if divergence.expected is not None and divergence.must in ("MUST_MATCH", "UNLISTED"):
        wanted = code(shown(divergence.expected, _MAX_VALUE))
    field = _field(divergence.field, divergence.case, divergence.count)
    return [code(f"{divergence.rule} {divergence.must}"), field, wanted, *cells]


def _field(field: str, case: str | None, count: int) -> str:
    told = code(cut(field, _MAX_TEXT)) if field else "(the whole decision)"
    if case is None:
        return told
    return f"{told} in {code(cut(case, _MAX_TEXT))}" + (f", {count} times" if count > 1 else "")


def _latencies(report: Report) -> Iterator[str]:
    rows = []
    for entry in report.entries:
        stress = None if entry.telling is None else entry.telling.stress
        if stress is None:
            continue
        for name, load in stress.paths.items():
            at = load.latency
            figures = [f"{ms:.3f}" for ms in (at.p50_ms, at.p95_ms, at.p99_ms, at.max_ms)]
            rest = [f"{at.n:,}", str(load.concurrency), f"{load.throughput_per_s:,.0f}"]
            limit = f"{stress.limit_ms:g}"
            rows.append([code(entry.key.id), code(name), *figures, limit, *rest, str(load.errors)])
    if rows:
        yield "### Latency in ms"
        head = ["vector", "path", "p50", "p95", "p99", "max", "limit of p99", "calls", "at once"]
        yield table([*head, "calls/s", "errors"], rows[:MAX_LOADS])
        if len(rows) > MAX_LOADS:
            yield f"... and {len(rows) - MAX_LOADS} more"


def _baseline(report: Report) -> Iterator[str]:
    if report.baseline is None:
        return
    changes = report.baseline.weakenings
    yield f"### Weakened since {code(report.baseline.ref)}: {len(changes) or 'nothing'}"
    items = []
    for change in sorted(changes, key=lambda each: each.who is not None)[:MAX_WEAKENINGS]:
        told = text(cut(change.told, _MAX_TEXT))
        if change.who is None:
            items.append(f"❌ {told}<br>nobody answers for it; to do so name {code(change.id)}")
        else:
            why = text(cut(change.why or "", _MAX_TEXT))
            items.append(f"{told}<br>acknowledged by {text(change.who)}: {why}")
    if len(changes) > MAX_WEAKENINGS:
        items.append(f"... and {len(changes) - MAX_WEAKENINGS} more")
    if items:
        yield bullets(items)


def _examples(report: Report) -> Iterator[str]:
    found = [
        (entry.key.id, example)
        for entry in report.entries
        if entry.telling is not None
        for example in entry.telling.examples
    ]
    if found:
        yield "### Smallest examples"
    for name, example in found[:MAX_EXAMPLES]:
        yield details(cut(f"{name}: {example.case}", _MAX_TEXT), _example(example))
    if len(found) > MAX_EXAMPLES:
        yield f"... and {len(found) - MAX_EXAMPLES} more"


def _example(example: Example) -> str:
    shape: dict[str, Any] = {"world": example.world, "requests": example.requests}
    body = cut(json.dumps(shape, indent=2, ensure_ascii=False), _MAX_JSON)
    told = [f"{code(d.field)} breaks {code(d.rule)}" for d in example.divergences[:MAX_FIELDS]]
    if example.saved is not None:
        told.append(f"saved to {code(example.saved)}")
    if example.again is not None:
        told.append(f"again: {code(example.again)}")
    return f"{block(body, 'json')}\n\n{bullets(told)}"
