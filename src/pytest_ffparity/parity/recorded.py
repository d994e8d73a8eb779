"""A path that answers from a recording: what a service, in any language, wrote down."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

from pytest_ffparity.errors import FFParityError
from pytest_ffparity.vectors.json_lines import read_lines

SCHEMA: Final = "recorded_decision.v1"


class NotRecordedError(FFParityError):
    """The recording holds no decision for a vector."""


class RecordedPath:
    """The decisions in a file of JSON lines, by vector and case.

    Raises:
        VectorFileError: The file can't be used; tells file, line and pointer.
    """

    def __init__(self, name: str, file: Path) -> None:
        self.name = name
        self._file = file.name
        self._lines = {
            (line["vector"], line.get("case")): line for line in read_lines(file, SCHEMA, _place)
        }
        self.digest = hashlib.sha256(file.read_bytes()).hexdigest()[:12]
        self.info = {"recorded": f"{file.name}, decisions: {len(self._lines)}"}

    async def evaluate(self, request: Any) -> Any:
        """Refuse: a recording knows vectors, not requests.

        Raises:
            NotRecordedError: Always.
        """
        del request
        raise NotRecordedError("a recording is asked by the vector's id, see `recall`")

    async def recall(self, vector: str, case: str | None) -> Any:
        """Give the decision on record.

        Raises:
            NotRecordedError: There is none, or the service had an error there.
        """
        line = self._lines.get((vector, case))
        place = vector if case is None else f"{vector}, case {case}"
        if line is None:
            raise NotRecordedError(f"{self._file} holds no decision for {place}")
        if "error" in line:
            raise NotRecordedError(f"{self._file} holds an error for {place}: {line['error']}")
        return line["decision"]


def _place(line: dict[str, Any]) -> str:
    case = line.get("case")
    return line["vector"] if case is None else f"{line['vector']}, case {case}"
