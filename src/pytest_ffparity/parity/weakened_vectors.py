"""Compares vectors by id: what is gone, and what asks or expects something else. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import product, zip_longest
from typing import Any, Final

from pytest_ffparity.formats.pointer import join
from pytest_ffparity.formats.strict_json import canonical, same
from pytest_ffparity.parity.asked import Asked, Load, Question, asked, content
from pytest_ffparity.parity.change import Change, Kind, changed, few, shown
from pytest_ffparity.parity.matrix import FieldRule, ParityMatrix, Segments
from pytest_ffparity.vectors.model import AnyVector, VectorFile

_NOTHING: Final = object()


def weakened_vectors(
    before: Iterable[VectorFile], after: Iterable[VectorFile], matrix: ParityMatrix | None
) -> Iterator[Change]:
    """Find vectors that are gone or changed; which file they are in does not count.

    Args:
        before: The files as they were.
        after: The files as they are.
        matrix: The rules as they were: what they did not look at may be expected otherwise.
    """
    then, now = _by_id(before), _by_id(after)
    worlds: dict[tuple[str, str], list[str]] = {}
    examples: dict[tuple[str, str], tuple[Any, Any]] = {}
    for name, vectors in then.items():
        for was, is_now in _pairs(vectors, now.get(name, [])):
            if is_now is None:
                told = f"vector removed: {was.title}"
                yield changed(Kind.VECTOR_REMOVED, name, told, content(was), None)
                continue
            old, new = asked(was), asked(is_now)
            if old.kind != new.kind:
                told = f"vector replaced: was {old.kind}, is {new.kind}"
                yield changed(Kind.VECTOR_REPLACED, name, told, content(was), content(is_now))
                continue
            yield from _easier(name, old, new)
            yield from _questions(name, old, new, matrix)
            for phase in old.worlds:
                if phase in new.worlds and not same(old.worlds[phase], new.worlds[phase]):
                    key = (canonical(old.worlds[phase]), canonical(new.worlds[phase]))
                    worlds.setdefault(key, []).append(f"{name}/{phase}" if phase else name)
                    examples[key] = (old.worlds[phase], new.worlds[phase])
    for key, places in worlds.items():
        # One world serves many vectors: it is one change, of all of them.
        every = sorted(set(places))
        told = _otherwise("world changed", *examples[key])
        yield changed(Kind.WORLD_CHANGED, few(every), told, [every, key[0]], key[1])


def _by_id(files: Iterable[VectorFile]) -> dict[str, list[AnyVector]]:
    found: dict[str, list[AnyVector]] = {}
    for file in files:
        for vector in file.vectors:
            found.setdefault(vector.id, []).append(vector)
    return found


def _pairs(
    before: list[AnyVector], after: list[AnyVector]
) -> Iterator[tuple[AnyVector, AnyVector | None]]:
    """Pair the vectors of one id; of an id that stands twice, each with each that it may be."""
    kept = Counter(map(content, before)) & Counter(map(content, after))
    old, new = _without(before, kept), _without(after, kept)
    yield from product(old, new) if new else ((was, None) for was in old)


def _without(vectors: list[AnyVector], kept: Counter[str]) -> list[AnyVector]:
    left, rest = kept.copy(), []
    for vector in vectors:
        text = content(vector)
        if left[text]:
            left[text] -= 1
        else:
            rest.append(vector)
    return rest


def _easier(name: str, old: Asked, new: Asked) -> Iterator[Change]:
    """Find what is measured less strictly."""
    if new.p99_ms > old.p99_ms:
        told = f"limit raised: p99 below {old.p99_ms:g} ms → {new.p99_ms:g} ms"
        yield changed(Kind.LIMIT_RAISED, name, told, old.p99_ms, new.p99_ms)
    if new.concurrency < old.concurrency:
        told = f"load lowered: concurrency {old.concurrency} → {new.concurrency}"
        yield changed(Kind.LOAD_LOWERED, name, told, old.concurrency, new.concurrency)
    for phase, was in old.loads.items():
        now = new.loads.get(phase)
        if now is None:
            told = f"phase removed, with {was.calls} calls"
            yield changed(Kind.PHASE_REMOVED, f"{name}/{phase}", told, was.calls, None)
            continue
        fewer = [
            f"{case} {float(calls):g} → {float(now.cases[case]):g}"
            for case, calls in was.cases.items()
            if case in now.cases and now.cases[case] < calls
        ]
        if now.calls < was.calls:
            fewer = [f"all {was.calls} → {now.calls}", *fewer]
        if fewer:
            told = f"load lowered: calls of {few(fewer)}"
            yield changed(Kind.LOAD_LOWERED, f"{name}/{phase}", told, _figures(was), _figures(now))


def _figures(load: Load) -> dict[str, str]:
    return {"": str(load.calls), **{case: str(calls) for case, calls in load.cases.items()}}


def _questions(name: str, old: Asked, new: Asked, matrix: ParityMatrix | None) -> Iterator[Change]:
    if old.captured or new.captured:
        yield from _capture(name, old, new)
        return
    # The cases of a phase that is gone are gone with it.
    dropped = [f"{phase}/" for phase in old.loads.keys() - new.loads.keys()]
    gone = [
        case
        for case in old.questions
        if case not in new.questions and not case.startswith(tuple(dropped))
    ]
    if gone:
        told = f"cases removed: {few(gone)}"
        was = {case: _text(old.questions[case]) for case in gone}
        yield changed(Kind.CASES_REMOVED, name, told, was, None)
    for case, question in old.questions.items():
        now = new.questions.get(case)
        if now is None:
            continue
        subject = f"{name}/{case}" if case else name
        if not same(question.request, now.request):
            told = _otherwise("request changed", question.request, now.request)
            yield changed(Kind.REQUEST_CHANGED, subject, told, question.request, now.request)
        yield from _expectation(subject, question, now, matrix)


def _capture(name: str, old: Asked, new: Asked) -> Iterator[Change]:
    """Tell how many cases differ and not what they say: they are of real callers."""
    differing = [
        case
        for case, question in old.questions.items()
        if case not in new.questions or _text(question) != _text(new.questions[case])
    ]
    if differing:
        told = f"captured cases gone or changed: {len(differing)} of {len(old.questions)}"
        was = {case: _text(old.questions[case]) for case in differing}
        now = {case: _text(new.questions[case]) for case in differing if case in new.questions}
        yield changed(Kind.CAPTURE_CHANGED, name, told, was, now)


def _text(question: Question) -> str:
    return canonical([question.request, question.expected])


def _expectation(
    subject: str, old: Question, new: Question, matrix: ParityMatrix | None
) -> Iterator[Change]:
    if old.expected is None:
        return
    if new.expected is None:
        told = "expectation dropped: the paths have to agree and no more"
        yield changed(Kind.EXPECTATION_CHANGED, subject, told, old.expected, None)
        return
    for path, was, now in _differences(old.expected, new.expected, (), lists=False):
        if now is _NOTHING or matrix is None or _looked_at(path, matrix):
            place = join(path)
            told = f"expectation changed: {_told(was)} → {_told(now)}"
            yield changed(
                Kind.EXPECTATION_CHANGED, f"{subject} {place}", told, _kept(was), _kept(now)
            )


def _looked_at(path: Segments, matrix: ParityMatrix) -> bool:
    """Tell whether the value counts, and not only that the field is there."""
    ignored = (FieldRule.MAY_DIFFER, FieldRule.MUST_DIFFER)
    return matrix.finer(path) or matrix.covering(path).rule not in ignored


def _otherwise(what: str, was: Any, now: Any) -> str:
    """Tell the first difference, and how many more there are."""
    found = list(_differences(was, now, (), lists=True))
    path, old, new = found[0]
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return f"{what} at {join(path) or '(top level)'}: {_told(old)} → {_told(new)}{more}"


def _differences(
    was: Any, now: Any, path: Segments, *, lists: bool
) -> Iterator[tuple[Segments, Any, Any]]:
    """Find what differs, as deep as both are objects; with `lists`, as deep as they are arrays."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in dict.fromkeys([*was, *now]):
            left, right = was.get(key, _NOTHING), now.get(key, _NOTHING)
            yield from _differences(left, right, (*path, key), lists=lists)
    elif lists and isinstance(was, list) and isinstance(now, list):
        for index, (left, right) in enumerate(zip_longest(was, now, fillvalue=_NOTHING)):
            yield from _differences(left, right, (*path, str(index)), lists=lists)
    elif not same(was, now):
        yield path, was, now


def _told(value: Any) -> str:
    return "(nothing)" if value is _NOTHING else shown(value)


def _kept(value: Any) -> list[Any]:
    # Nothing is not null.
    return [] if value is _NOTHING else [value]
