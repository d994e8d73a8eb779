"""One piece of work under way, in a thread of its own, that callers of any event loop wait for.

No caller's fate is the work's: one that is cancelled, or whose loop ends, takes nobody along.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from threading import Thread
from typing import Any


class Flight:
    """Runs `work` once; it tells whether it succeeded, and whatever breaks it is a failure.

    Args:
        work: Makes the coroutine, which ends by itself.
        landed: Called when it is over, before anybody who waits is told.
    """

    def __init__(
        self, work: Callable[[], Coroutine[Any, Any, bool]], landed: Callable[[], None]
    ) -> None:
        self._work = work
        self._landed = landed
        self._pid = os.getpid()
        self._outcome: Future[bool] = Future()
        # Running from the start: a future that a caller's loop could cancel would end it for all.
        self._outcome.set_running_or_notify_cancel()
        self._thread = Thread(target=self._run, name="ffparity-jwks", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._called_off = False

    @property
    def lost(self) -> bool:
        """Whether it will never land: its thread stayed behind in the parent of a fork."""
        return self._pid != os.getpid()

    def start(self) -> None:
        """Set out; without a thread to be had it has failed."""
        try:
            self._thread.start()
        except Exception:  # noqa: BLE001 - no thread, no memory for one: whoever waits is told
            self.end(succeeded=False)

    def end(self, *, succeeded: bool) -> None:
        """Land."""
        if not self._outcome.done():
            self._landed()
            self._outcome.set_result(succeeded)

    async def wait(self, seconds: float) -> bool:
        """Wait for the landing, for so long at most; tell whether it has succeeded."""
        waiting = asyncio.wrap_future(self._outcome)
        try:
            await asyncio.wait({waiting}, timeout=seconds)
        finally:
            waiting.cancel()
        return self._outcome.done() and self._outcome.result()

    def call_off(self) -> None:
        """Cancel the work; it lands as a failure."""
        self._called_off = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._cancel_all)

    def _run(self) -> None:
        # A SystemExit ends this thread, and nobody's wait.
        with suppress(BaseException):
            asyncio.run(self._fly())
        self.end(succeeded=False)

    async def _fly(self) -> None:
        self._loop = asyncio.get_running_loop()
        if not self._called_off:
            # Told before the loop winds up: a name lookup that hangs would hold that back.
            self.end(succeeded=await self._work())

    def _cancel_all(self) -> None:
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
