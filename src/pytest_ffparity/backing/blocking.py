"""Running a coroutine to its end from plain code, whether or not an event loop runs here."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

_T = TypeVar("_T")


def run(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine on an event loop of its own, in a thread of its own, and wait for it.

    Called inside a running loop, it blocks that loop meanwhile: for set-up and tear-down only.
    """
    with ThreadPoolExecutor(max_workers=1) as executor:
        return executor.submit(asyncio.run, coroutine).result()
