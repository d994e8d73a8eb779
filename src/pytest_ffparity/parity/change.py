"""One way in which the standard asks less than it did: how it is named, told and told apart."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec

from pytest_ffparity.formats.strict_json import canonical
from pytest_ffparity.parity.redact import redacted
from pytest_ffparity.vectors.document import digest

_LONGEST: Final = 80
_SHOWN: Final = 3
_DIGITS: Final = 16
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


class Kind(StrEnum):
    """What was weakened, or may have been."""

    VECTOR_REMOVED = "vector-removed"
    VECTOR_REPLACED = "vector-replaced"
    CASES_REMOVED = "cases-removed"
    CAPTURE_CHANGED = "capture-changed"
    EXPECTATION_CHANGED = "expectation-changed"
    REQUEST_CHANGED = "request-changed"
    WORLD_CHANGED = "world-changed"
    PHASE_REMOVED = "phase-removed"
    LIMIT_RAISED = "limit-raised"
    LOAD_LOWERED = "load-lowered"
    NO_LONGER_REQUIRED = "no-longer-required"
    RULE_LOOSENED = "rule-loosened"
    WAIVER_ADDED = "waiver-added"
    WAIVER_EXTENDED = "waiver-extended"


class Change(msgspec.Struct, frozen=True):
    """A weakening.

    `subject` is what it is about (a vector, a case of one, a field), `told` a sentence for people,
    and `id` the text that acknowledges this very change, from what was to what is, and no other.
    """

    kind: Kind
    subject: str
    told: str
    id: str


def changed(kind: Kind, subject: str, told: str, was: Any, now: Any) -> Change:
    """Make a change; `was` and `now` are JSON, and whatever is in them is told apart."""
    subject = _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", subject)
    short = digest([kind.value, subject, was, now])[:_DIGITS]
    return Change(kind, subject, redacted(f"{subject}: {told}"), f"{kind.value} {subject} {short}")


def shown(value: Any) -> str:
    """Give a JSON value in few words."""
    text = canonical(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def few(items: Sequence[str]) -> str:
    """Give the first of many."""
    more = f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return ", ".join(items[:_SHOWN]) + more
