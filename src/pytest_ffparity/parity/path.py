"""The contract of a path: one way of getting a decision."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Path(Protocol):
    """One way of getting a decision: an evaluator over a backing, a URL, a recording.

    A path may have three more members, each optional:

    - `prepare(world)`, plain or async: called before every vector (and every phase of a stress
      vector) with the world as JSON, or None where the vector names none. It starts afresh:
      nothing of the vector before may be left.
    - `close()`, plain or async: called once, when the run ends.
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
