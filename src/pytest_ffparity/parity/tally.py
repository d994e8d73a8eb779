"""Counts what went wrong over many requests: divergences by case, field and breach; errors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from pytest_ffparity.parity.compare import MISSING, Breach, Divergence, Document, compare
from pytest_ffparity.parity.expectation import nothing_to_compare
from pytest_ffparity.parity.matrix import ParityMatrix
from pytest_ffparity.parity.session import Reply
from pytest_ffparity.parity.stability import Unstable, set_apart

_MAX_VACUOUS: Final = 3


class Tally:
    """Judges every reply like any vector's, and keeps the first of each kind with its count."""

    def __init__(self, names: Iterable[str], matrix: ParityMatrix) -> None:
        self._matrix = matrix
        self.vacuous: list[str] = []
        self.errors: dict[str, list[str]] = {name: [] for name in names}
        self._divergences: dict[tuple[object, ...], Divergence] = {}
        self._unstable: dict[tuple[str, str], Unstable] = {}

    def add(
        self,
        case: str,
        expected: Document | None,
        replies: Mapping[str, Reply],
        shaky: Iterable[Unstable] = (),
        *,
        apart: bool,
    ) -> list[Divergence]:
        """Judge the replies to one request, and give its divergences.

        Args:
            case: What the request is called.
            expected: What has to be met, or None.
            replies: Each path's reply.
            shaky: In what paths disagreed with themselves here.
            apart: Keep this case's divergences apart from other cases' with the same breach.
        """
        answers: dict[str, Document] = {}
        for name, reply in replies.items():
            if reply.decision is None:
                self.errors[name].append(f"{case}: {reply.error}")
            else:
                answers[name] = reply.decision
        shaky = list(shaky)
        for each in shaky:
            known = self._unstable.get((each.path, each.field))
            self._unstable[each.path, each.field] = (
                msgspec.structs.replace(known, count=known.count + 1)
                if known
                else msgspec.structs.replace(each, case=case)
            )
        found = compare(expected, answers, self._matrix) if answers else []
        if expected is None and answers:
            told = nothing_to_compare(next(iter(answers.values())), self._matrix)
            if told is not None and len(self.vacuous) < _MAX_VACUOUS:
                self.vacuous.append(f"{case}: {told}")
        found = set_apart(found, shaky)
        for divergence in found:
            self._count(case if apart else None, case, divergence)
        return found

    def _count(self, part: str | None, case: str, divergence: Divergence) -> None:
        key = (part, divergence.field, divergence.rule, divergence.broken)
        first = self._divergences.get(key)
        self._divergences[key] = (
            msgspec.structs.replace(first, count=first.count + 1)
            if first
            else msgspec.structs.replace(divergence, case=case)
        )

    @property
    def divergences(self) -> list[Divergence]:
        """The first of each kind, with the number of times."""
        return list(self._divergences.values())

    @property
    def unstable(self) -> list[Unstable]:
        """The first field of each path in which it disagreed with itself, with the number."""
        return list(self._unstable.values())

    def first_error(self, name: str) -> str | None:
        """Give a path's first error, and how many more there were."""
        errors = self.errors[name]
        if not errors:
            return None
        return errors[0] + (f" (and {len(errors) - 1} more)" if len(errors) > 1 else "")


def wavering(
    divergences: Iterable[Divergence], calls: Mapping[str, int]
) -> tuple[list[Divergence], list[Unstable]]:
    """Part what a path does at some calls of a case from what it does at all of them.

    The calls of a stress vector's case ask for the same thing: a path that meets the expectation
    at some of them and misses it at others disagrees with itself.

    Args:
        divergences: Each with its case and count.
        calls: How many calls each case had.
    """
    listed = list(divergences)
    misses: Counter[tuple[str, str, str]] = Counter()
    for divergence in listed:
        for breach in divergence.broken:
            if breach.against is None:
                misses[breach.path, divergence.field, str(divergence.case)] += divergence.count
    found: dict[tuple[str, str, str], Unstable] = {}
    for divergence in listed:
        case = str(divergence.case)
        for breach in divergence.broken:
            key = (breach.path, divergence.field, case)
            if 0 < misses[key] < calls.get(case, 0):
                found.setdefault(key, _unsteady(breach, divergence, misses[key]))
    shaky: dict[str, list[Unstable]] = {}
    for each in found.values():
        shaky.setdefault(str(each.case), []).append(each)
    kept = [k for d in listed for k in set_apart([d], shaky.get(str(d.case), ()))]
    return kept, list(found.values())


def _unsteady(breach: Breach, divergence: Divergence, count: int) -> Unstable:
    return Unstable(
        path=breach.path,
        field=divergence.field,
        rule=divergence.rule,
        first=divergence.expected or MISSING,
        second=divergence.paths[breach.path],
        case=divergence.case,
        count=count,
    )
