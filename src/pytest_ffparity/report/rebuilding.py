"""Makes the report model from the data of a JSON report that keeps its schema."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import msgspec

from pytest_ffparity.formats import instant
from pytest_ffparity.formats.pointer import join
from pytest_ffparity.formats.schema import Problem
from pytest_ffparity.parity.verdict import Gap, Ruling, VectorKey, Verdict, Waived
from pytest_ffparity.report import rebuilt_judgement
from pytest_ffparity.report.model import (
    Baseline,
    Entry,
    Report,
    Source,
    Surroundings,
)
from pytest_ffparity.vectors.waivers import Waiver

# Of one vector; one is right.
_MOST: Final = 10_000


class UnsoundError(Exception):
    """Data that keep the schema and still can't be a report's."""

    def __init__(self, pointer: str, sentence: str) -> None:
        self.problem = Problem(pointer, sentence)
        super().__init__(sentence)


def report(data: dict[str, Any]) -> Report:
    """Make the model.

    Of several judgements of one vector a file holds the telling one: it stands for all of them.

    Raises:
        UnsoundError: A day or an instant is none, or a vector stands twice.
    """
    header, footer = data["header"], data["footer"]
    waivers = tuple(_waiver(raw, index) for index, raw in enumerate(data["waivers"]))
    entries = _entries(data, waivers)
    keys = {str(entry.key): entry.key for entry in entries}
    _instant(header["timing"]["started_at"], "/header/timing/started_at")
    timing = footer["timing"]
    if timing is not None:
        _instant(timing["finished_at"], "/footer/timing/finished_at")
    reasons, baseline = data["reasons"], data["baseline"]
    return Report(
        surroundings=_surroundings(header),
        ruling=Ruling(
            verdict=Verdict(data["verdict"]),
            failures=tuple(reasons["failures"]),
            narrowed=tuple(_narrowed(text, keys) for text in reasons["narrowed"]),
            gaps=tuple(_gap(text, keys) for text in reasons["gaps"]),
            waived=tuple(Waived(entry.key, entry.waivers) for entry in entries if entry.waivers),
        ),
        entries=entries,
        required=data["counts"]["required"],
        workers=header["workers"],
        duration_s=0.0 if timing is None else timing["duration_s"],
        finished_at=header["timing"]["started_at"] if timing is None else timing["finished_at"],
        exit_status=1 if footer["exit_status"] is None else footer["exit_status"],
        gate_run=data["gate_run"],
        baseline=None if baseline is None else msgspec.convert(baseline, Baseline),
        waivers=waivers,
        finished=timing is not None,
        failed_beside=footer["failed_beside"],
    )


def due(report: Report) -> Verdict:
    """Give the verdict that a report's own contents allow, fail-closed."""
    outcomes = {entry.outcome for entry in report.entries}
    doubled = any(len(entry.judgements) > 1 for entry in report.entries)
    ruling = report.ruling
    if ruling.failures or "failed" in outcomes:
        return Verdict.BLOCKED
    if ruling.gaps or ruling.narrowed or doubled or "missing" in outcomes or not outcomes:
        return Verdict.INCOMPLETE
    return Verdict.GO_WITH_WAIVERS if "waived" in outcomes else Verdict.GO


def _surroundings(header: dict[str, Any]) -> Surroundings:
    matrix = header["matrix"]
    generated = {"decisions": 0, "seed": 0, "command": "pytest", **(header["generated"] or {})}
    return Surroundings(
        versions=header["versions"],
        platform=header["platform"],
        cpus=header["cpus"],
        commit=header["commit"],
        started_at=header["timing"]["started_at"],
        vectors=tuple(Source(**source) for source in header["vectors"]),
        matrix=None if matrix is None else Source(matrix["file"], matrix["digest"]),
        rows=() if matrix is None else tuple(matrix["rows"]),
        generated=generated["decisions"],
        seed=generated["seed"],
        command=generated["command"],
    )


def _entries(data: dict[str, Any], waivers: tuple[Waiver, ...]) -> tuple[Entry, ...]:
    infos = {path["name"]: path["info"] for path in data["header"]["paths"]}
    named = {f"{waiver.vector} {waiver.field}": waiver for waiver in waivers}
    found: dict[VectorKey, Entry] = {}
    for index, raw in enumerate(data["vectors"]):
        key = VectorKey(raw["file"], raw["id"])
        if key in found:
            raise UnsoundError(join(["vectors", index]), f"found {key} again, expected it once")
        if raw["judgements"] > _MOST:
            pointer = join(["vectors", index, "judgements"])
            raise UnsoundError(pointer, f"found {raw['judgements']}, expected {_MOST} or less")
        judgement = rebuilt_judgement.judgement(raw, infos, data["header"]["made_by"])
        found[key] = Entry(
            key,
            (judgement,) * int(raw["judgements"]),  # the schema lets 1.0 through
            worker=raw["worker"],
            line=raw["line"],
            waivers=tuple(named[text] for text in raw["waived"] if text in named),
        )
    return tuple(found.values())


def _waiver(raw: dict[str, Any], index: int) -> Waiver:
    try:
        expires = date.fromisoformat(raw["expires"])
    except ValueError:
        pointer = join(["waivers", index, "expires"])
        sentence = f'found the day "{raw["expires"]}", expected one of the calendar'
        raise UnsoundError(pointer, sentence) from None
    return Waiver(**{**raw, "expires": expires})


def _instant(text: str, pointer: str) -> None:
    try:
        instant.parse(text)
    except ValueError as error:
        raise UnsoundError(pointer, f'found "{text}": {error}') from None


def _narrowed(text: str, keys: dict[str, VectorKey]) -> VectorKey:
    file, _, name = text.rpartition("::")
    return keys.get(text, VectorKey(file, name))


def _gap(text: str, keys: dict[str, VectorKey]) -> Gap:
    """Part a gap's sentence into the vector, if it names one of the file's, and what is wrong."""
    at = text.rfind(": ")
    while at >= 0:
        key = keys.get(text[:at])
        if key is not None:
            return Gap(text[at + 2 :], key)
        at = text.rfind(": ", 0, at)
    return Gap(text)
