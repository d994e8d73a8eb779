"""Explains a difference that the comparison has found, in lines a person can read."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from pytest_ffparity.formats.strict_json import canonical
from pytest_ffparity.parity.compare import MISSING, Divergence, Seen

MAX_LINES: Final = 8


def explained(divergence: Divergence) -> Divergence:
    """Add what differs inside the values, where they are objects or arrays."""
    names = list(divergence.paths)
    sides = [*divergence.paths.values(), divergence.expected or MISSING]
    if not any(isinstance(side.value, dict | list) for side in sides):
        return divergence
    reference, label = divergence.expected or MISSING, "expected"
    if not reference.present:
        reference, label = divergence.paths[names[0]], names[0]
    lines: list[str] = []
    for name in names:
        lines += _lines(label, reference, name, divergence.paths[name])
    if len(lines) > MAX_LINES:
        lines = [*lines[:MAX_LINES], f"... and {len(lines) - MAX_LINES} more"]
    return msgspec.structs.replace(divergence, explanation=tuple(lines))


def _lines(left_name: str, left: Seen, right_name: str, right: Seen) -> list[str]:
    if not (left.present and right.present):
        return []
    # 125 ms to import, 860 us a pair: only ever asked about values that do differ.
    from deepdiff import DeepDiff  # noqa: PLC0415

    diff = DeepDiff(left.value, right.value, verbose_level=2)
    lines = []
    for kind, changes in diff.items():
        for where, change in changes.items():
            place = str(where).removeprefix("root")
            lines.append(f"{place or 'value'}: {_change(kind, change, left_name, right_name)}")
    return lines


def _change(kind: str, change: Any, left_name: str, right_name: str) -> str:
    if kind.endswith("_added"):
        return f"only {right_name} has {_short(change)}"
    if kind.endswith("_removed"):
        return f"only {left_name} has {_short(change)}"
    old, new = _short(change["old_value"]), _short(change["new_value"])
    return f"{left_name} {old}, {right_name} {new}"


def _short(value: Any) -> str:
    text = canonical(value)
    return text if len(text) <= 80 else text[:77] + "..."  # noqa: PLR2004 - a terminal's width
