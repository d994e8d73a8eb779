"""SIGTERM ends a gate run as Ctrl-C does, so that databases and folders are put away."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

T = TypeVar("T")


class Termination:
    """Turns SIGTERM into the interruption that pytest knows, without tearing an event loop apart.

    Whatever SIGINT is set to does not matter: a shell starts what runs in its background with
    SIGINT ignored.
    """

    def __init__(self) -> None:
        self._asked = False

    def install(self, config: pytest.Config) -> None:
        """Handle SIGTERM until the run ends, unless somebody else does."""
        if threading.current_thread() is not threading.main_thread():
            return
        if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
            return
        signal.signal(signal.SIGTERM, self._interrupt)

        def restore() -> None:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

        config.add_cleanup(restore)

    def run(self, loop: asyncio.Runner, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end, or until SIGTERM.

        Raises:
            KeyboardInterrupt: SIGTERM came.
        """
        try:
            return loop.run(coroutine)
        except asyncio.CancelledError:
            if self._asked:
                raise KeyboardInterrupt("SIGTERM") from None
            raise

    def _interrupt(self, _number: int, _frame: object) -> None:
        self._asked = True
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise KeyboardInterrupt("SIGTERM") from None
        # An exception raised here would come up in the middle of any callback.
        for task in asyncio.all_tasks(loop):
            task.cancel()
        # The loop may be waiting for something to happen.
        loop.call_soon_threadsafe(lambda: None)
