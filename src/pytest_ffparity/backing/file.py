"""The file backing: two JSON documents, read again when they change."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pytest_ffparity.backing.documents import Overrides, Registry, read_overrides, read_registry
from pytest_ffparity.backing.watched import WatchedFile
from pytest_ffparity.evaluator.model import BackingState, Failed, Records
from pytest_ffparity.evaluator.names import FailSafe

_UNAVAILABLE: Final = Failed(FailSafe.BACKING_UNAVAILABLE)


class FileBacking:
    """Reads flags and overrides from two JSON documents.

    A document that can't be read leaves its last good state in force, with an alarm.

    Args:
        registry: Path of `registry.json`.
        overrides: Path of `override_examples.json`.
    """

    state: BackingState = "file"

    def __init__(self, registry: Path, overrides: Path) -> None:
        self._registry = WatchedFile(registry, read_registry)
        self._overrides = WatchedFile(overrides, read_overrides)

    @property
    def alarms(self) -> tuple[str, ...]:
        """What is wrong with the documents, as of the last read; empty when all is well."""
        return (*_alarms(self._registry), *_alarms(self._overrides))

    async def read(
        self, flag_key: str, tenant_id: str | None, user_id: str | None
    ) -> Records | Failed:
        """Give the flag's record and the caller's overrides from the documents in force."""
        # In this order: a flag and its overrides are deleted the other way round, and a reader in
        # between must not see the flag without them.
        overrides = self._overrides.current()
        registry = self._registry.current()
        if registry is None or overrides is None:
            return _UNAVAILABLE
        tenant = user = None
        if tenant_id is not None:
            tenant = overrides.tenant.get((flag_key, tenant_id))
            if user_id is not None:
                user = overrides.user.get((flag_key, tenant_id, user_id))
        return Records(registry.flags.get(flag_key), user, tenant)


def _alarms(watched: WatchedFile[Registry] | WatchedFile[Overrides]) -> list[str]:
    alarms = [] if watched.problem is None else [watched.problem]
    if watched.good is not None:
        alarms += [f"{watched.path}: {alarm}" for alarm in watched.good.alarms]
    return alarms
