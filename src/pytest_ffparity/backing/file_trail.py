"""The trail of the file store: a file of JSON lines, appended to and synced.

It is a write-ahead log too: an envelope is on the disk before its change is, and a line
`{"applied": seq}` follows when the change is there. After a crash in between the change is made up
for; a line that was cut short was never answered for, and is taken back.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from pytest_ffparity.audit.chain import flaw
from pytest_ffparity.audit.envelope import DELIVERED, DEPTH, PENDING, Head, TrailError, head_after
from pytest_ffparity.audit.outbox import Backlog
from pytest_ffparity.backing.atomic import sync_folder, write_atomic
from pytest_ffparity.backing.checked import json_text
from pytest_ffparity.evaluator.model import JSON
from pytest_ffparity.formats import instant
from pytest_ffparity.formats.strict_json import JSONRefusedError, loads

TRAIL: Final = "audit.jsonl"
_APPLIED: Final = "applied"
_BLOCK: Final = 64 * 1024
_TRUNCATED: Final = "it was cut, or is another store's; what was delivered is with Admin's sink"


class End(msgspec.Struct, frozen=True):
    """The end of a trail: what the next envelope links to, and a change that is still to be made."""

    head: Head
    to_apply: dict[str, Any] | None = None


class _Mark(msgspec.Struct, frozen=True):
    """How far the trail is delivered: the last envelope's seq, and where its line ends."""

    seq: int
    offset: int


class FileTrail:
    """The lines of one trail; whoever calls it holds the store's lock.

    All but `documents` take the same time, however long the trail has grown.

    Args:
        path: The file; beside it stands how far it is delivered.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mark = path.with_suffix(".delivered")

    @property
    def length(self) -> int:
        """The length of the file in bytes."""
        return self._path.stat().st_size if self._path.exists() else 0

    def documents(self) -> list[dict[str, JSON]]:
        """Give the whole trail in its order, for `audit.chain.verify`.

        Raises:
            TrailError: A line is none; names it.
        """
        delivered = self._delivered().seq
        found = [line for _, line in self._from(0)]
        if len(found) < delivered:
            raise TrailError(f"{self._path}: it ends before envelope {delivered}: {_TRUNCATED}")
        return [
            {**line, "sink_status": DELIVERED if place < delivered else PENDING}
            for place, line in enumerate(found)
        ]

    def end(self) -> End:
        """Give the end of the trail, once a line that was cut short is taken back.

        Raises:
            TrailError: The last lines are none.
        """
        *lines, torn = self._last_lines()
        if torn:
            self.take_back(self.length - len(torn))
        end = None if lines else End(Head())
        for line in map(self._read, lines[-2:]):
            if "envelope" in line:
                end = End(head_after(line["envelope"]), line)
            elif end is not None and line == {_APPLIED: end.head.seq}:
                end = End(end.head)
        if end is None:
            raise TrailError(f"{self._path}: it does not end with an envelope")
        if end.to_apply is None:
            return end
        wrong = flaw(end.to_apply)
        if wrong is not None:
            # What it says is not to be done.
            raise TrailError(f"{self._path}: the last envelope {wrong}")
        return End(end.head, end.to_apply["envelope"])

    def append(self, document: dict[str, JSON]) -> None:
        """Put an envelope on the disk.

        Raises:
            OSError: It may be there in part or whole: take it back.
        """
        new = not self._path.exists()
        self._write(document, sync=True)
        if new:
            sync_folder(self._path.parent)

    def applied(self, envelope: dict[str, Any]) -> None:
        """Note that the last envelope's change is there."""
        # Not synced, and no matter if it fails: the change is looked for once more, and found.
        with suppress(OSError):
            self._write({_APPLIED: envelope["seq"]}, sync=False)

    def take_back(self, length: int) -> None:
        """Cut the file to a length it had.

        Raises:
            OSError: What is there beyond it may stay.
        """
        with self._path.open("r+b") as stream:
            os.ftruncate(stream.fileno(), length)
            os.fsync(stream.fileno())

    def waiting(self, limit: int) -> list[dict[str, JSON]]:
        """Give the oldest documents that are not delivered, so many at most.

        Raises:
            TrailError: A line is none, or the trail does not go on where it was delivered to.
        """
        return [line for _, line in self._waiting(limit)]

    def delivered(self, document: dict[str, JSON]) -> None:
        """Note that the oldest waiting document is delivered; one that was before is nothing new.

        Raises:
            TrailError: See `waiting`.
        """
        seq = document["envelope"]["seq"]
        for offset, line in self._waiting(1):
            if line["envelope"]["seq"] == seq:
                write_atomic(self._mark, json_text({"seq": seq, "offset": offset}) + "\n")

    def backlog(self) -> Backlog:
        """Tell how much waits.

        Raises:
            TrailError: See `waiting`.
        """
        depth = self.end().head.seq - self._delivered().seq
        for line in self.waiting(1):
            return Backlog(depth, instant.parse(line["recorded_at"]))
        return Backlog(depth, None)

    def remove(self) -> None:
        """Begin anew, with an empty trail."""
        # A mark without its trail would say that envelopes to come are delivered.
        self._mark.unlink(missing_ok=True)
        self._path.unlink(missing_ok=True)

    def _waiting(self, limit: int) -> list[tuple[int, dict[str, Any]]]:
        mark = self._delivered()
        if self.length < mark.offset:
            raise TrailError(f"{self._path}: it ends before envelope {mark.seq}: {_TRUNCATED}")
        found: list[tuple[int, dict[str, Any]]] = []
        for offset, line in self._from(mark.offset):
            if len(found) == limit:
                break
            seq = mark.seq + len(found) + 1
            wrong = flaw(line) or (line["envelope"]["seq"] != seq and "stands in its place")
            if wrong:
                # Not to be told to others as if it were sound.
                raise TrailError(f"{self._path}: envelope {seq}: it {wrong}")
            found.append((offset, line))
        return found

    def _delivered(self) -> _Mark:
        try:
            return msgspec.json.decode(self._mark.read_bytes(), type=_Mark)
        except FileNotFoundError:
            return _Mark(0, 0)
        except msgspec.MsgspecError:
            raise TrailError(
                f"{self._mark}: it can't be read; remove it, and the whole trail is delivered again"
            ) from None

    def _from(self, offset: int) -> Iterator[tuple[int, dict[str, Any]]]:
        """Give each envelope's line from an offset on, with the offset of its end."""
        if not self._path.exists():
            return
        with self._path.open("rb") as stream:
            stream.seek(offset)
            # What follows the last line's end was cut short by a crash.
            while (text := stream.readline()).endswith(b"\n"):
                try:
                    line = self._read(text)
                except TrailError as error:
                    raise TrailError(f"{error} (the line at byte {offset})") from None
                offset += len(text)
                if "envelope" in line:
                    yield offset, line

    def _last_lines(self) -> list[bytes]:
        """Give the last two lines or more, and what follows the last one's end."""
        if not self._path.exists():
            return [b""]
        size = _BLOCK
        with self._path.open("rb") as stream:
            length = stream.seek(0, os.SEEK_END)
            while True:
                stream.seek(max(0, length - size))
                lines = stream.read().split(b"\n")
                if size >= length:
                    return lines
                if len(lines) > 3:  # noqa: PLR2004 - the first may be the rest of one
                    return lines[1:]
                size *= 2

    def _read(self, text: bytes) -> dict[str, Any]:
        try:
            line = loads(text, max_depth=DEPTH)
        except JSONRefusedError as error:
            raise TrailError(f"{self._path}: {error}") from None
        if isinstance(line, dict) and (line.keys() == {_APPLIED} or "envelope" in line):
            return line
        raise TrailError(f"{self._path}: this is no envelope of a trail")

    def _write(self, line: dict[str, JSON], *, sync: bool) -> None:
        with self._path.open("ab") as stream:
            stream.write(json_text(line).encode("utf-8") + b"\n")
            stream.flush()
            if sync:
                os.fsync(stream.fileno())
