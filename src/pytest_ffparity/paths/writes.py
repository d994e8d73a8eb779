"""The writes of a world: made through a store's real writer, in order, and what each came to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import msgspec

from pytest_ffparity.audit.envelope import RecordKind, Target
from pytest_ffparity.backing.changes import Change, ConflictError
from pytest_ffparity.backing.writes import Writer
from pytest_ffparity.errors import FFParityError
from pytest_ffparity.evaluator.ids import legal_id
from pytest_ffparity.evaluator.model import Identity
from pytest_ffparity.evaluator.names import AuthMode
from pytest_ffparity.evaluator.protocols import Backing
from pytest_ffparity.evaluator.records import RecordError

_KINDS: Final[tuple[RecordKind, ...]] = ("flag", "tenant_override", "user_override")
_ACTOR: Final = Identity(AuthMode.VERIFIED, "T-operators", "U-operator")


class Outcome(StrEnum):
    """What a write comes to."""

    WRITTEN = "written"
    CONFLICT = "conflict"
    REFUSED = "refused"


class WriteOutcomeError(FFParityError):
    """A write that came to something else than its world says."""


class Write(msgspec.Struct, frozen=True, kw_only=True):
    """One write of a world; its ids say whether it is a flag's or an override's.

    `record` is without ids and version, None deletes; `expects` is the version that is replaced,
    None creates; `outcome` is what it has to come to, None leaves that open.
    """

    flag_key: str
    record: dict[str, Any] | None
    tenant_id: str | None = None
    user_id: str | None = None
    expects: int | None = None
    outcome: Outcome | None = None

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids in their order: flag, tenant, user."""
        given = (self.flag_key, self.tenant_id, self.user_id)
        return tuple(part for part in given if part is not None)

    @property
    def change(self) -> Change:
        """The same as the library has it."""
        target = Target(_KINDS[len(self.ids) - 1], self.ids)
        return Change(target=target, record=self.record, expects=self.expects)


async def make_writes(
    writes: Sequence[Write], *, writer: Writer, backing: Backing, at: datetime
) -> list[dict[str, Any]]:
    """Make the writes; the record is read before each, so that a reader has what is to change.

    Returns:
        For each write its `outcome`; with `version` (None after a delete) where it is written,
        `found` (the stored version) at a conflict, `problem` where it is refused.

    Raises:
        WriteOutcomeError: One states another outcome.
        WriteUnavailableError: The store could not take one.
    """
    came_to = []
    for index, write in enumerate(writes):
        if all(map(legal_id, write.ids)):  # no store is ever asked for another
            await backing.read(write.flag_key, write.tenant_id, write.user_id)
        found = await _made(writer, write.change, at)
        if write.outcome not in (None, found["outcome"]):
            rest = ", ".join(f"{name} {found[name]}" for name in found if name != "outcome")
            raise WriteOutcomeError(
                f"/world/writes/{index}: it is to be {write.outcome}, and the {backing.state} "
                f"store's outcome is {found['outcome']} ({rest}); mend the world or the store"
            )
        came_to.append(found)
    return came_to


async def _made(writer: Writer, change: Change, at: datetime) -> dict[str, Any]:
    try:
        written = await writer.write(change, actor=_ACTOR, at=at)
    except ConflictError as error:
        return {"outcome": str(Outcome.CONFLICT), "found": error.found}
    except RecordError as error:
        return {"outcome": str(Outcome.REFUSED), "problem": str(error)}
    return {"outcome": str(Outcome.WRITTEN), "version": written.version}
