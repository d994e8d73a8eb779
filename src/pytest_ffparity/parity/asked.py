"""Every kind of vector in one form: what is asked in which world, and what is expected of it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, assert_never

import msgspec

from pytest_ffparity.formats.strict_json import canonical
from pytest_ffparity.vectors.model import AnyVector, CasesVector, StressVector, Vector


class Question(msgspec.Struct, frozen=True):
    """A request, and its expectation; None where the paths only have to agree."""

    request: Any
    expected: dict[str, Any] | None


class Load(msgspec.Struct, frozen=True):
    """How often each case of a phase is asked, exactly."""

    calls: int
    cases: dict[str, Fraction]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a vector asks of the paths.

    `worlds` and `loads` are by phase, `questions` by case; a vector without phases or cases has
    one of them, under "". `captured` is true where the questions are of real callers.
    """

    kind: str
    worlds: dict[str, Any]
    questions: dict[str, Question]
    loads: dict[str, Load] = {}
    p99_ms: float = 0.0
    concurrency: int = 0
    captured: bool = False


def asked(vector: AnyVector) -> Asked:
    """Bring a vector into this form."""
    match vector:
        case Vector():
            return Asked(
                kind="one request",
                worlds={"": vector.world},
                questions={"": Question(vector.request, vector.expected)},
            )
        case CasesVector():
            return Asked(
                kind="many requests",
                worlds={"": vector.world},
                questions={c.id: Question(c.request, c.expected) for c in vector.cases},
                captured=vector.captured,
            )
        case StressVector():
            return _stress(vector)
        case _:
            assert_never(vector)


def content(vector: AnyVector) -> str:
    """Give the canonical text of all that counts in a vector: not its title and its line."""
    whole = msgspec.to_builtins(vector)
    return canonical({key: whole[key] for key in whole if key not in ("title", "line")})


def _stress(vector: StressVector) -> Asked:
    phases = vector.stress.phases
    loads = {}
    for phase in phases:
        weights = sum(case.weight for case in phase.mix)
        loads[phase.name] = Load(
            phase.calls, {c.id: Fraction(phase.calls * c.weight, weights) for c in phase.mix}
        )
    return Asked(
        kind="many calls under load",
        worlds={phase.name: phase.world for phase in phases},
        questions={
            f"{phase.name}/{case.id}": Question(case.request, case.expected)
            for phase in phases
            for case in phase.mix
        },
        loads=loads,
        p99_ms=vector.stress.p99_ms,
        concurrency=vector.stress.concurrency,
    )
