"""The contract of a path: one way of getting a decision."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import msgspec


class Question(msgspec.Struct, frozen=True):
    """A request as the paths get it, and where it comes from.

    `case` names one of many: the case's id, or `phase/case` in a stress vector, which no path is
    asked to recall.
    """

    vector: str
    case: str | None
    request: Any


@runtime_checkable
class Path(Protocol):
    """One way of getting a decision: an evaluator over a backing, a URL, a recording.

    A path may have five more members, each optional:

    - `prepare(world)`, plain or async: called before every vector (and every phase of a stress
      vector) with the world as JSON, or None where the vector names none. It starts afresh:
      nothing of the vector before may be left.
    - `close()`, plain or async: called once, when the run ends.
    - `async recall(vector, case)`: called in place of `evaluate`, by a path that knows its answers
      by the vector's id and not by the request, whose tokens are new in every run.
    - `outcomes`: JSON that says what the writes of the prepared world came to. All paths that have
      it must have the same.
    - `info`: a mapping of strings that the report shows, such as a server's version.
    """

    @property
    def name(self) -> str:
        """Name of the path in the matrix and in reports; no two paths share one."""
        ...

    async def evaluate(self, request: Any) -> Any:
        """Answer one request.

        Args:
            request: The vector's `request`, as JSON; yours to keep.

        Returns:
            A `Decision`, or any mapping that is its JSON form.
        """
        ...
