"""What a failed vector shows: every diverging field at once, aligned."""

from __future__ import annotations

from typing import Final

from pytest_ffparity.formats.strict_json import canonical
from pytest_ffparity.parity.compare import Divergence, Seen
from pytest_ffparity.parity.judgement import Judgement
from pytest_ffparity.report.lines import Line, Span, Style, line

_INDENT = "    "
# A value that a person still reads; a document of megabytes would bury all others.
MAX_SHOWN: Final = 2000


def failure_lines(judgement: Judgement) -> list[Line]:
    """Show why a judgement failed: raised paths, missed limits, then each field."""
    lines = [line(Span(headline(judgement), Style.STRONG))]
    for name, path in judgement.paths.items():
        if path.error is not None:
            lines.append(line(_INDENT, Span(f"{name} raised", Style.BAD), f"  {path.error}"))
    if judgement.stress is not None:
        lines += [line(_INDENT, Span(text, Style.BAD)) for text in judgement.stress.missed]
    for divergence in judgement.divergences:
        lines += [(), *_field(divergence)]
    return lines


def headline(judgement: Judgement) -> str:
    """Say in one line what failed."""
    parts = []
    if judgement.divergences:
        rows = ", ".join(dict.fromkeys(d.rule for d in judgement.divergences))
        fields = len({d.field for d in judgement.divergences})
        parts.append(
            f"{fields} field{'s' if fields > 1 else ''} diverge{'' if fields > 1 else 's'} ({rows})"
        )
    raised = [name for name, path in judgement.paths.items() if path.error is not None]
    if raised:
        parts.append(f"{', '.join(raised)} raised")
    if judgement.stress is not None and judgement.stress.missed:
        parts.append("the p99 gate was missed")
    return f"{judgement.id}: {'; '.join(parts)}"


def _field(divergence: Divergence) -> list[Line]:
    where = [Span(divergence.field or "(the whole decision)", Style.STRONG)]
    title = f"  {divergence.rule} {divergence.must}"
    if divergence.case is not None:
        times = f", {divergence.count} times" if divergence.count > 1 else ""
        title += f"  in {divergence.case}{times}"
    lines = [line(*where, title), line(_INDENT, Span(divergence.why, Style.FAINT))]
    names = ["expected", *divergence.paths]
    width = max(map(len, names)) + 2
    if divergence.must in ("MUST_MATCH", "UNLISTED"):
        lines.append(line(_INDENT, "expected".ljust(width), _shown(divergence.expected)))
    for name, seen in divergence.paths.items():
        breaches = [b for b in divergence.broken if b.path == name]
        style = Style.BAD if breaches else Style.PLAIN
        lines.append(line(_INDENT, Span(name.ljust(width) + _shown(seen), style)))
        lines += [line(_INDENT, " " * width, Span(f"^ {b}", Style.BAD)) for b in breaches]
    lines += [line(_INDENT, Span(f"- {text}", Style.FAINT)) for text in divergence.explanation]
    return lines


def _shown(seen: Seen) -> str:
    if not seen.present:
        return "(missing)"
    text = canonical(seen.value)
    # The JSON report has the whole of it.
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}... {len(text):,} characters"
