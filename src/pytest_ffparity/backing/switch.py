"""Which backing is in force: flipped at run time, without a restart, and back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, cast

from pytest_ffparity.backing.documents import DocumentError
from pytest_ffparity.backing.watched import WatchedFile
from pytest_ffparity.evaluator.model import BackingState
from pytest_ffparity.evaluator.protocols import Backing
from pytest_ffparity.logs import logger
from pytest_ffparity.net.environment import ConfigurationError

_STATES: Final = ("file", "db")

_log = logger(__name__)


class BackingSwitch:
    """Chooses a backing for each request: as told by `flip`, else by a file, else by the start.

    A switch file holds the one word `file` or `db`. While it is there and says something else, its
    last good word stays in force, with an alarm; once it is removed, the start value is.

    Args:
        file: The file backing.
        db: The db backing.
        start: What the environment says.
        switch_file: A file to watch.
    """

    def __init__(
        self,
        file: Backing,
        db: Backing,
        *,
        start: BackingState = "file",
        switch_file: Path | None = None,
    ) -> None:
        self._backings: dict[BackingState, Backing] = {"file": file, "db": db}
        self._start = start
        self._told: BackingState | None = None
        self._path = switch_file
        self._watched = None if switch_file is None else WatchedFile(switch_file, _read_word)
        self._last: BackingState = start

    @property
    def state(self) -> BackingState:
        """The state in force."""
        return self._told or self._filed() or self._start

    @property
    def alarms(self) -> tuple[str, ...]:
        """What is wrong with the switch file; empty when all is well."""
        problem = None if self._watched is None else self._watched.problem
        return () if problem is None else (problem,)

    def in_force(self) -> Backing:
        """Give the backing in force."""
        state = self.state
        if state != self._last:
            _log.warning("backing.flipped", was=self._last, now=state)
            self._last = state
        return self._backings[state]

    def flip(self, to: BackingState | None) -> None:
        """Put a backing in force from the next request on; None hands back to file and start.

        Raises:
            ValueError: Neither `file`, `db` nor None.
        """
        if to is not None and to not in _STATES:
            raise ValueError(f"a backing is one of {', '.join(_STATES)}, not {to!r}")
        self._told = to

    def _filed(self) -> BackingState | None:
        if self._path is None or self._watched is None:
            return None
        try:
            there = self._path.exists()
        except OSError:
            there = True  # it can't be looked at: its last good word stays
        if not there:
            self._watched.forget()
            return None
        return self._watched.current()


def start_state(env: Mapping[str, str]) -> BackingState:
    """Read FF_BACKING; `file` where it is not set.

    Raises:
        ConfigurationError: It names neither backing.
    """
    found = env.get("FF_BACKING", "").strip() or "file"
    if found not in _STATES:
        raise ConfigurationError(f"FF_BACKING is one of {', '.join(_STATES)}, not {found[:40]!r}")
    return cast("BackingState", found)


def _read_word(text: bytes) -> BackingState:
    word = text.decode("ascii", "replace").strip()
    if word not in _STATES:
        raise DocumentError(f"expected one of the words {', '.join(_STATES)}")
    return cast("BackingState", word)
