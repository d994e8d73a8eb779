"""What a failed vector shows: every diverging field at once, aligned."""

from __future__ import annotations

from typing import Any

from pytest_ffparity.formats.strict_json import canonical
from pytest_ffparity.parity.compare import MISSING, Divergence
from pytest_ffparity.parity.judgement import Example, Judgement
from pytest_ffparity.parity.stability import Unstable
from pytest_ffparity.report.brief import MAX_SHOWN, cut, shown
from pytest_ffparity.report.lines import Line, Span, Style, line
from pytest_ffparity.report.readable import side_by_side, visible

_INDENT = "    "


def failure_lines(judgement: Judgement) -> list[Line]:
    """Show why a judgement failed: raised paths, missed limits, then each field, then examples."""
    lines = [line(Span(headline(judgement), Style.STRONG))]
    for name, path in judgement.paths.items():
        if path.error is not None:
            lines.append(line(_INDENT, Span(f"{name} raised", Style.BAD), f"  {path.error}"))
    missed = () if judgement.stress is None else judgement.stress.missed
    lines += [line(_INDENT, Span(text, Style.BAD)) for text in (*missed, *judgement.problems)]
    for unstable in judgement.unstable:
        lines += [(), *_unstable(unstable)]
    if judgement.examples:
        lines += [(), *(_counted(d, judgement.decisions) for d in judgement.divergences)]
    else:
        for divergence in judgement.divergences:
            lines += [(), *_field(divergence)]
    for example in judgement.examples:
        lines += [(), *_example(example)]
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
    shaky = list(dict.fromkeys(unstable.path for unstable in judgement.unstable))
    if shaky:
        parts.append(f"{', '.join(shaky)} disagree{'' if len(shaky) > 1 else 's'} with itself")
    raised = [name for name, path in judgement.paths.items() if path.error is not None]
    if raised:
        parts.append(f"{', '.join(raised)} raised")
    if judgement.stress is not None and judgement.stress.missed:
        parts.append("the p99 gate was missed")
    parts += judgement.problems[:1]
    return f"{judgement.id}: {'; '.join(parts)}"


def _field(divergence: Divergence) -> list[Line]:
    where = [Span(divergence.field or "(the whole decision)", Style.STRONG)]
    title = f"  {divergence.rule} {divergence.must}"
    if divergence.case is not None:
        title += _in_case(divergence.case, divergence.count)
    lines = [line(*where, title), line(_INDENT, Span(divergence.why, Style.FAINT))]
    names = ["expected", *divergence.paths]
    width = max(map(len, names)) + 2
    wanted, *values = map(
        visible, side_by_side([divergence.expected or MISSING, *divergence.paths.values()])
    )
    if divergence.expected is not None and divergence.must in ("MUST_MATCH", "UNLISTED"):
        lines.append(line(_INDENT, "expected".ljust(width), wanted))
    for name, value in zip(divergence.paths, values, strict=True):
        breaches = [b for b in divergence.broken if b.path == name]
        style = Style.BAD if breaches else Style.PLAIN
        lines.append(line(_INDENT, Span(name.ljust(width) + value, style)))
        lines += [line(_INDENT, " " * width, Span(f"^ {b}", Style.BAD)) for b in breaches]
    lines += [line(_INDENT, Span(f"- {text}", Style.FAINT)) for text in divergence.explanation]
    if divergence.odd is not None:
        told = f"odd one out: {divergence.odd}; the other paths agree"
        lines.append(line(_INDENT, Span(told, Style.BAD)))
    return lines


def _unstable(unstable: Unstable) -> list[Line]:
    title = str(unstable)
    if unstable.case is not None:
        title += _in_case(unstable.case, unstable.count)
    lines = [line(Span(title, Style.BAD))]
    if unstable.error is None:
        lines.append(line(_INDENT, "once   ", shown(unstable.first, MAX_SHOWN)))
        lines.append(line(_INDENT, "again  ", shown(unstable.second, MAX_SHOWN)))
    told = "two runs of one path, each in the world made afresh: no other path is to blame"
    return [*lines, line(_INDENT, Span(told, Style.FAINT))]


def _example(example: Example) -> list[Line]:
    lines = [line(Span("smallest example", Style.STRONG), f"  of {example.case}")]
    lines += _json("world", example.world)
    for request in example.requests:
        lines += _json("request", request)
    for name, error in example.raised.items():
        lines.append(line(_INDENT, Span(f"{name} raised", Style.BAD), f"  {error}"))
    for divergence in example.divergences:
        lines += [(), *_field(divergence)]
    if example.saved is not None:
        lines.append(line(_INDENT, f"saved to {example.saved}"))
    if example.again is not None:
        lines.append(line(_INDENT, f"again: {example.again}"))
    return lines


def _json(name: str, value: Any) -> list[Line]:
    """Show a document, each of its members on a line of its own."""
    if not isinstance(value, dict):
        return [line(_INDENT, f"{name}  {cut(canonical(value), MAX_SHOWN)}")]
    wide = max([0, *(len(key) for key in value)]) + 2
    members = [
        f"{key.ljust(wide)}{cut(canonical(member), MAX_SHOWN)}" for key, member in value.items()
    ]
    return [line(_INDENT, name), *(line(_INDENT, "  ", member) for member in members)]


def _counted(divergence: Divergence, decisions: int) -> Line:
    """Say how many of many decisions break a field's rule."""
    broken = ", ".join(map(str, divergence.broken))
    told = f"{divergence.count:,} of {decisions:,} decisions: {broken}"
    where = f"{divergence.field or '(the whole decision)'}  {divergence.rule} {divergence.must}"
    return line(_INDENT, Span(where, Style.STRONG), "  ", Span(told, Style.BAD))


def _in_case(case: str, count: int) -> str:
    return f"  in {case}" + (f", {count} times" if count > 1 else "")
