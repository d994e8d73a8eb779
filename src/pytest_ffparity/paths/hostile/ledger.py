"""What a store holds after each write of a world, so that the next one can aim at it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec

from pytest_ffparity.backing.changes import Change, ConflictError, Stored, check_ids, planned
from pytest_ffparity.backing.checked import check_world, override_key
from pytest_ffparity.evaluator.model import Flag, Override
from pytest_ffparity.evaluator.records import RecordError
from pytest_ffparity.paths.writes import Write


def named(ids: tuple[str, ...]) -> dict[str, str]:
    """Give ids by their names: flag, tenant, user."""
    return dict(zip(("flag_key", "tenant_id", "user_id"), ids, strict=False))


class Ledger:
    """The records of a world, by their ids.

    Attributes:
        records: What is there: (flag), (flag, tenant) or (flag, tenant, user).
        gone: The ids of what was deleted and is not there again, oldest first.
    """

    def __init__(self, world: dict[str, Any]) -> None:
        checked = check_world(world["flags"], world["tenant_overrides"], world["user_overrides"])
        self.records: dict[tuple[str, ...], Flag | Override] = {
            (flag.flag_key,): flag for flag in checked.flags
        }
        for override in (*checked.tenant_overrides, *checked.user_overrides):
            self.records[override_key(override)] = override
        self.gone: list[tuple[str, ...]] = []
        self._top = 0

    def flags(self) -> list[Flag]:
        """Give the flags that are there."""
        return [record for record in self.records.values() if isinstance(record, Flag)]

    def overrides(self) -> list[tuple[str, ...]]:
        """Give the ids of the overrides that are there."""
        return [ids for ids in self.records if len(ids) > 1]

    def version(self, ids: tuple[str, ...]) -> int | None:
        """Give the version of a record, None where there is none."""
        record = self.records.get(ids)
        return None if record is None else record.version

    def write(
        self, ids: tuple[str, ...], record: dict[str, Any] | None, expects: int | None
    ) -> dict[str, Any]:
        """Make a write, if the stores would, and give it as a world has it."""
        given: dict[str, Any] = {**named(ids), "record": record}
        if expects is not None:
            given["expects"] = expects
        with suppress(ConflictError, RecordError):
            self._make(msgspec.convert(given, Write).change)
        return given

    def _make(self, change: Change) -> None:
        check_ids(change)
        ids = change.target.ids
        flag = self.records.get(ids[:1])
        # A tenant override takes none of its users' along.
        lost = [other for other in self.records if len(ids) == 1 and other[:1] == ids != other]
        stored = Stored(
            self.records.get(ids),
            flag if isinstance(flag, Flag) else None,
            tuple(o for o in map(self.records.get, lost) if isinstance(o, Override)),
            self._top,
        )
        effect, after = planned(change, stored)
        versions = [record["version"] for record in (effect.before, effect.after) if record]
        self._top = max([self._top, *versions, *(record["version"] for record in effect.cascade)])
        if after is not None:
            self.records[ids] = after
            self.gone = [other for other in self.gone if other != ids]
            return
        for other in (ids, *lost):
            del self.records[other]
            self.gone.append(other)
