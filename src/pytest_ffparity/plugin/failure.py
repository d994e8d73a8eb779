"""A failed vector as pytest shows it: no traceback, colour where there is a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_ffparity.report.failure import failure_lines, headline
from pytest_ffparity.report.lines import Line, Style, plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_ffparity.parity.judgement import Judgement

_MARKUP: dict[Style, dict[str, bool]] = {
    Style.PLAIN: {},
    Style.GOOD: {"green": True},
    Style.BAD: {"red": True},
    Style.DOUBTFUL: {"yellow": True},
    Style.STRONG: {"bold": True},
    Style.FAINT: {"light": True},
}


class Diverged(Exception):  # noqa: N818 - it is what happened, not a defect
    """A vector's judgement failed."""

    def __init__(self, judgement: Judgement) -> None:
        self.judgement = judgement
        super().__init__(headline(judgement))


class _Crash:
    """What pytest's short summary reads of a failure."""

    def __init__(self, message: str) -> None:
        self.message = message

    def __str__(self) -> str:
        """Give the line that `--tb=line` shows."""
        return self.message


class FailureText:
    """The failure of one judgement; pytest calls `toterminal`, or `str` where there is none."""

    def __init__(self, judgement: Judgement) -> None:
        self._lines = failure_lines(judgement)
        self.reprcrash = _Crash(headline(judgement))

    def __str__(self) -> str:
        """Give the text without colour."""
        return plain(self._lines)

    def toterminal(self, tw: Any) -> None:
        """Write to pytest's terminal writer."""
        write(tw, self._lines)


def write(tw: Any, lines: Iterable[Line]) -> None:
    """Write styled lines to a terminal writer."""
    for each in lines:
        for span in each:
            tw.write(span.text, **_MARKUP[span.style])
        tw.line()
