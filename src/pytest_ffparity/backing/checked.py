"""The one check between raw record documents and either store, so that both refuse alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Final, TypeVar

import msgspec

from pytest_ffparity.evaluator.model import JSON, Flag, Override
from pytest_ffparity.evaluator.records import (
    RecordError,
    has_type,
    read_flag,
    read_tenant_override,
    read_user_override,
)
from pytest_ffparity.formats.pointer import join
from pytest_ffparity.formats.strict_json import MAX_DEPTH, JSONRefusedError, plain

_Record = TypeVar("_Record", Flag, Override)

# The limit of nesting is each value's own: what lies around it in a document, at most a list of
# records and a rollout, must not make one store refuse what the other one takes.
DOCUMENT_DEPTH: Final = MAX_DEPTH + 4


class Checked(msgspec.Struct, frozen=True):
    """Sound records, ready to be written to either store."""

    flags: tuple[Flag, ...]
    tenant_overrides: tuple[Override, ...]
    user_overrides: tuple[Override, ...]


def check_world(
    flags: Iterable[object],
    tenant_overrides: Iterable[object],
    user_overrides: Iterable[object],
) -> Checked:
    """Check raw records, each by itself and against the others.

    Raises:
        RecordError: With a pointer such as `/tenant_overrides/2/value`: an unsound record, a key
            that stands twice, an override of an unknown flag, or of another type than its flag's.
    """
    checked = Checked(
        _read("flags", flags, read_flag),
        _read("tenant_overrides", tenant_overrides, read_tenant_override),
        _read("user_overrides", user_overrides, read_user_override),
    )
    _unique("flags", [flag.flag_key for flag in checked.flags])
    known = {flag.flag_key: flag for flag in checked.flags}
    _against_flags("tenant_overrides", checked.tenant_overrides, known)
    _against_flags("user_overrides", checked.user_overrides, known)
    return checked


def json_text(value: JSON, *, indent: int | None = None) -> str:
    """Write a JSON value as both stores keep it: key order kept, nothing escaped without need."""
    separators = (",", ":") if indent is None else None
    return json.dumps(
        value, ensure_ascii=False, allow_nan=False, indent=indent, separators=separators
    )


def override_key(override: Override) -> tuple[str, ...]:
    """Give the ids that an override is keyed by; the tenant is part of a user's key."""
    if override.user_id is None:
        return (override.flag_key, override.tenant_id)
    return (override.flag_key, override.tenant_id, override.user_id)


def _read(
    name: str, records: Iterable[object], read: Callable[[object], _Record]
) -> tuple[_Record, ...]:
    sound: list[_Record] = []
    for index, record in enumerate(records):
        try:
            # A copy: who handed the record in may change it later.
            sound.append(read(plain(record, max_depth=DOCUMENT_DEPTH)))
        except RecordError as error:
            raise RecordError(join([name, index]) + error.pointer, error.problem) from None
        except JSONRefusedError as error:
            where = join([name, index]) + (error.pointer or "")
            raise RecordError(where, error.problem) from None
    return tuple(sound)


def _unique(name: str, keys: Sequence[Hashable]) -> None:
    first: dict[Hashable, int] = {}
    for index, key in enumerate(keys):
        if key in first:
            raise RecordError(
                join([name, index]),
                f"the same key as {join([name, first[key]])}; a key stands once",
            )
        first[key] = index


def _against_flags(name: str, overrides: tuple[Override, ...], flags: dict[str, Flag]) -> None:
    _unique(name, [override_key(override) for override in overrides])
    for index, override in enumerate(overrides):
        flag = flags.get(override.flag_key)
        if flag is None:
            raise RecordError(
                join([name, index, "flag_key"]),
                f"there is no flag {override.flag_key!r}; an override needs its flag",
            )
        if not has_type(override.value, flag.value_type):
            raise RecordError(
                join([name, index, "value"]),
                f"expected a value of the flag's type, {flag.value_type}",
            )
