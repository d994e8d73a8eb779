"""The table of faults."""

from __future__ import annotations

from collections.abc import Sequence

from tests.faults.fault import Row


def lines(rows: Sequence[Row]) -> list[str]:
    """Give the table, one line a fault and path."""
    head = ("fault", "path", "worst ms", "right after ms", "what the callers got")
    cells = [
        head,
        *((r.id, r.path, f"{r.worst:.1f}", f"{r.recovered:.1f}", r.got) for r in rows),
    ]
    widths = [max(len(cell[column]) for cell in cells) for column in range(4)]
    return [
        f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}  {d:>{widths[3]}}  {e}"
        for a, b, c, d, e in cells
    ]
