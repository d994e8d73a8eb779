"""The trail of the file store: a file of JSON lines, appended to and synced.

It is a write-ahead log too: an envelope is on the disk before its change is, and a line
`{"applied": seq}` follows when the change is there. After a crash in between the change is made up
for; a line that was cut short was never answered for, and is taken back.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from pytest_ffparity.audit.envelope import DELIVERED, PENDING, Head, head_after
from pytest_ffparity.backing.atomic import write_atomic
from pytest_ffparity.backing.checked import DOCUMENT_DEPTH, json_text
from pytest_ffparity.errors import FFParityError
from pytest_ffparity.evaluator.model import JSON
from pytest_ffparity.formats.strict_json import JSONRefusedError, loads

TRAIL: Final = "audit.jsonl"
_APPLIED: Final = "applied"
# A record in an envelope in a document.
_DEPTH: Final = DOCUMENT_DEPTH + 4


class TrailError(FFParityError):
    """A trail that can't be read; the message names file and line. It is evidence: keep it."""


class End(msgspec.Struct, frozen=True):
    """The end of a trail: what the next envelope links to, and a change that is still to be made."""

    head: Head
    to_apply: dict[str, Any] | None = None


class FileTrail:
    """The lines of one trail; whoever calls it holds the store's lock.

    Args:
        path: The file; beside it stands how many of its envelopes are delivered.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mark = path.with_suffix(".delivered")
        # As of a length of the file: reading it whole for each write would take ever longer.
        self._known: tuple[int, End] | None = None

    def documents(self) -> list[dict[str, JSON]]:
        """Give the whole trail in its order, for `audit.chain.verify`.

        Raises:
            TrailError: A line is none; names it.
        """
        delivered = int(self._mark.read_text("ascii")) if self._mark.exists() else 0
        lines = [line for line in self._lines() if _APPLIED not in line]
        return [
            {**line, "sink_status": DELIVERED if place < delivered else PENDING}
            for place, line in enumerate(lines)
        ]

    def end(self) -> End:
        """Give the end of the trail.

        Raises:
            TrailError: A line is none; names it.
        """
        length = self._path.stat().st_size if self._path.exists() else 0
        if self._known is None or self._known[0] != length:
            self._known = (self._cut_torn_line(), self._read_end())
        return self._known[1]

    def append(self, document: dict[str, JSON]) -> int:
        """Put an envelope on the disk; gives the length to go back to.

        Raises:
            OSError: It could not be written; the file is as it was.
        """
        length = self._path.stat().st_size if self._path.exists() else 0
        try:
            self._write(document, sync=True)
        except BaseException:
            self.take_back(length)
            raise
        return length

    def applied(self, envelope: dict[str, Any]) -> None:
        """Note that the last envelope's change is there."""
        # Not synced: if it is lost, the change is made once more, to what it is already.
        with suppress(OSError):
            self._write({_APPLIED: envelope["seq"]}, sync=False)
        self._known = (self._path.stat().st_size, End(head_after(envelope)))

    def take_back(self, length: int) -> None:
        """Cut the file to a length it had."""
        self._known = None
        with self._path.open("r+b") as stream:
            stream.truncate(length)
            os.fsync(stream.fileno())

    def mark_delivered(self, count: int) -> None:
        """Note that the first so many envelopes are delivered."""
        write_atomic(self._mark, f"{count}\n")

    def remove(self) -> None:
        """Begin anew, with an empty trail."""
        self._known = None
        self._path.unlink(missing_ok=True)
        self._mark.unlink(missing_ok=True)

    def _read_end(self) -> End:
        end = End(Head())
        for line in self._lines():
            if _APPLIED in line:
                end = End(end.head)
            else:
                end = End(head_after(line["envelope"]), line["envelope"])
        return end

    def _lines(self) -> list[dict[str, Any]]:
        if not self._path.exists():
            return []
        found = []
        # What follows the last line's end was cut short by a crash.
        for number, line in enumerate(self._path.read_bytes().split(b"\n")[:-1], start=1):
            try:
                document = loads(line, max_depth=_DEPTH)
            except JSONRefusedError as error:
                raise TrailError(f"{self._path}:{number}: {error}") from None
            if not isinstance(document, dict) or not document.keys() & {_APPLIED, "envelope"}:
                raise TrailError(f"{self._path}:{number}: this is no envelope of a trail")
            found.append(document)
        return found

    def _write(self, line: dict[str, JSON], *, sync: bool) -> None:
        with self._path.open("ab") as stream:
            stream.write(json_text(line).encode("utf-8") + b"\n")
            stream.flush()
            if sync:
                os.fsync(stream.fileno())

    def _cut_torn_line(self) -> int:
        if not self._path.exists():
            return 0
        whole = self._path.read_bytes()
        length = whole.rfind(b"\n") + 1
        if length != len(whole):
            self.take_back(length)
        return length
