"""A write, checked against what is stored: the one judge of both stores. Pure."""

from __future__ import annotations

from typing import Final

import msgspec

from pytest_ffparity.audit.envelope import Effect, Target
from pytest_ffparity.backing.checked import DOCUMENT_DEPTH
from pytest_ffparity.errors import FFParityError
from pytest_ffparity.evaluator.ids import MAX_ID_BYTES, legal_id
from pytest_ffparity.evaluator.model import JSON, Corrupt, Flag, Override
from pytest_ffparity.evaluator.records import (
    RecordError,
    flag_record,
    has_type,
    override_record,
    read_flag,
    read_tenant_override,
    read_user_override,
)
from pytest_ffparity.formats.strict_json import INT_MAX, JSONRefusedError, plain

_IDS: Final = ("flag_key", "tenant_id", "user_id")


class ConflictError(FFParityError):
    """A write that expects another version than the stored one: read it again, then decide anew.

    Attributes:
        http_status: What a front answers, 409.
        found: The version that is stored, None where there is no record.
    """

    http_status: Final = 409

    def __init__(self, target: Target, expects: int | None, found: int | None) -> None:
        self.found = found
        super().__init__(
            f"{target.kind} {' '.join(target.ids)}: the write expects {_said(expects)}, "
            f"there is {_said(found)}; read it again and decide anew"
        )


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One write.

    Attributes:
        target: Which record.
        record: What it is to be, without ids and version; None deletes it.
        expects: The version that is to be replaced or deleted; None creates.
    """

    target: Target
    record: dict[str, JSON] | None
    expects: int | None = None


class Stored(msgspec.Struct, frozen=True):
    """What a store holds that a change is about.

    `current` is the target's record, `flag` that of its flag, `cascade` the overrides that go with
    a flag; `top_version` is the trail's.
    """

    current: Flag | Override | Corrupt | None
    flag: Flag | Corrupt | None
    cascade: tuple[Override, ...] = ()
    top_version: int = 0


def check_ids(change: Change) -> None:
    """Refuse ids that no store can hold, before one is asked.

    Raises:
        RecordError: Names the id.
    """
    for name, text in zip(_IDS, change.target.ids, strict=False):
        if not legal_id(text):
            raise RecordError(
                f"/{name}", f"expected a string of 1 to {MAX_ID_BYTES} bytes of UTF-8"
            )


def planned(change: Change, stored: Stored) -> tuple[Effect, Flag | Override | None]:
    """Say what a change does.

    Returns:
        The effect, and the sound record that is to be stored, None for a delete.

    Raises:
        ConflictError: The stored version is not the expected one.
        RecordError: The record may not be written; or the stored one can't be trusted, and has to be
            mended by a seed first.
    """
    current = stored.current
    if isinstance(current, Corrupt):
        raise RecordError(
            "", f"the stored record can't be trusted ({current.problem}); seed it anew"
        )
    version = None if current is None else current.version
    if change.expects != version or (current is None and change.record is None):
        raise ConflictError(change.target, change.expects, version)
    before = None if current is None else _record(current)
    if change.record is None:
        cascade = sorted(stored.cascade, key=_ids)
        effect = Effect(change.target, before, None, tuple(map(override_record, cascade)))
        return effect, None
    version = (stored.top_version if version is None else version) + 1
    after = _sound(change, version)
    _check_against_flag(after, current, stored.flag)
    return Effect(change.target, before, _record(after)), after


def _sound(change: Change, version: int) -> Flag | Override:
    given = _copied(change)
    for name in (*_IDS, "version"):
        if name in given:
            raise RecordError(
                f"/{name}", "is not part of the record: the target and `expects` say it"
            )
    if version > INT_MAX:
        raise RecordError("/version", "there are no more versions")
    whole = {**dict(zip(_IDS, change.target.ids, strict=False)), **given, "version": version}
    if change.target.kind == "flag":
        return read_flag(whole)
    user = change.target.kind == "user_override"
    return read_user_override(whole) if user else read_tenant_override(whole)


def _copied(change: Change) -> dict[str, JSON]:
    try:
        given = plain(change.record, max_depth=DOCUMENT_DEPTH)
    except JSONRefusedError as error:
        raise RecordError(error.pointer or "", error.problem) from None
    if not isinstance(given, dict):
        raise RecordError("", "expected an object")
    return given


def _check_against_flag(
    after: Flag | Override, current: Flag | Override | None, flag: Flag | Corrupt | None
) -> None:
    if isinstance(after, Flag):
        if isinstance(current, Flag) and current.value_type != after.value_type:
            raise RecordError(
                "/value_type",
                f"the flag's type is {current.value_type}; delete the flag and create it anew",
            )
        return
    if not isinstance(flag, Flag):
        raise RecordError(
            "/flag_key", "there is no sound flag of this key; an override needs its flag"
        )
    if not has_type(after.value, flag.value_type):
        raise RecordError("/value", f"expected a value of the flag's type, {flag.value_type}")


def _record(record: Flag | Override) -> dict[str, JSON]:
    return flag_record(record) if isinstance(record, Flag) else override_record(record)


def _ids(override: Override) -> tuple[str, str, str]:
    # A tenant's own override comes before those of its users.
    return (override.flag_key, override.tenant_id, override.user_id or "")


def _said(version: int | None) -> str:
    return "no record" if version is None else f"version {version}"
