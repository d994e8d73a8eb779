"""The living example of a user's conftest.py: wrap the built-in paths.

`pytest --ffparity` compares the list that the fixture `ffparity_paths` gives. A conftest overrides
it by its name and asks for the original by the same name. `Wrapped` passes everything on: it is the
place to look at a decision, or to put a service of your own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_ffparity import Path


class Wrapped:
    """A path around another one: the same name, the same world, and a place to look or change."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.name = inner.name
        self.info = inner.info

    async def prepare(self, world: Any) -> None:
        """Bring the inner path into the world."""
        await self.inner.prepare(world)

    async def evaluate(self, request: Any) -> Any:
        """Ask the inner path; what is returned here is what is compared."""
        return await self.inner.evaluate(request)

    async def close(self) -> None:
        """Close the inner path."""
        await self.inner.close()


@pytest.fixture(scope="session")
def ffparity_paths(ffparity_paths: list[Path]) -> list[Path]:
    """The built-in paths, `file` first; the others must match it."""
    return [Wrapped(path) for path in ffparity_paths]
