"""Strict reading of records: the one check that both backings make at a write and at a read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from pytest_ffparity.evaluator.ids import MAX_ID_BYTES, legal_id
from pytest_ffparity.evaluator.model import JSON, Flag, Override, Rollout, ValueType
from pytest_ffparity.evaluator.rollout import thousandths
from pytest_ffparity.formats import instant
from pytest_ffparity.formats.pointer import join
from pytest_ffparity.formats.strict_json import (
    INT_MAX,
    JSONRefusedError,
    canonical,
    check,
    copied,
    legal_text,
)

VALUE_TYPES: Final[tuple[ValueType, ...]] = ("bool", "string", "number", "object")
_KINDS: Final[dict[str, tuple[type, ...]]] = {
    "bool": (bool,),
    "string": (str,),
    "number": (int, float),
    "object": (dict,),
}


class RecordError(ValueError):
    """A record that may not be written, or that was found and can't be trusted.

    Attributes:
        pointer: JSON pointer inside the record.
        problem: What was expected there.
    """

    def __init__(self, pointer: str, problem: str) -> None:
        self.pointer = pointer
        self.problem = problem
        super().__init__(f"{pointer or '(record)'}: {problem}")


def read_flag(record: object) -> Flag:
    """Read a flag's record, filling in the defaults.

    Raises:
        RecordError: A key is missing, unknown or ill-typed, or a value is not of the flag's type.
    """
    fields = _object(
        record,
        required=("flag_key", "value_type", "default_value", "safe_value", "version"),
        optional=("off_value", "enabled", "sensitive", "rollout", "description"),
    )
    value_type = fields["value_type"]
    if value_type not in VALUE_TYPES:
        raise RecordError("/value_type", f"expected one of {', '.join(VALUE_TYPES)}")
    whole: dict[str, Any] = {
        "flag_key": _id(fields, "flag_key"),
        "value_type": value_type,
        "default_value": _value(fields, "default_value", value_type),
        "safe_value": _value(fields, "safe_value", value_type),
        "off_value": _value({"off_value": fields["safe_value"], **fields}, "off_value", value_type),
        "enabled": _typed(fields, "enabled", bool, True),
        "sensitive": _typed(fields, "sensitive", bool, False),
        "rollout": None,
    }
    rollout = _rollout(fields.get("rollout"), value_type)
    if rollout is not None:
        whole["rollout"] = {
            "percentage": rollout.percentage,
            "value": rollout.value,
            "salt": rollout.salt,
        }
    return Flag(
        **{**whole, "rollout": rollout},
        description=_text(fields, "description"),
        version=_version(fields),
        flag_version=sha256(canonical(whole).encode()).hexdigest()[:16],
    )


def read_tenant_override(record: object) -> Override:
    """Read a tenant override's record.

    Raises:
        RecordError: A key is missing, unknown or ill-typed.
    """
    return _override(record, user=False)


def read_user_override(record: object) -> Override:
    """Read a user override's record.

    Raises:
        RecordError: A key is missing, unknown or ill-typed.
    """
    return _override(record, user=True)


def has_type(value: JSON, value_type: ValueType) -> bool:
    """Tell whether a value is of a flag's type; a boolean is no number."""
    return type(value) in _KINDS.get(value_type, ())


def well_typed(flag: Flag) -> bool:
    """Tell whether a flag that some store made has what the rules rest on; `read_flag` gives it."""
    kind, rollout = flag.value_type, flag.rollout
    try:
        if rollout is not None:
            thousandths(rollout.percentage)
            if not has_type(rollout.value, kind):
                return False
        return (
            (type(flag.enabled), type(flag.sensitive)) == (bool, bool)
            and has_type(flag.default_value, kind)
            and has_type(flag.safe_value, kind)
            and has_type(flag.off_value, kind)
        )
    except (AttributeError, ArithmeticError, TypeError, ValueError):
        return False


def flag_record(flag: Flag) -> dict[str, Any]:
    """Write a flag back as the record it was read from, defaults filled in."""
    rollout = flag.rollout
    return {
        "flag_key": flag.flag_key,
        "value_type": flag.value_type,
        "default_value": copied(flag.default_value),
        "safe_value": copied(flag.safe_value),
        "off_value": copied(flag.off_value),
        "enabled": flag.enabled,
        "sensitive": flag.sensitive,
        "rollout": None
        if rollout is None
        else {
            "percentage": rollout.percentage,
            "value": copied(rollout.value),
            "salt": rollout.salt,
        },
        "description": flag.description,
        "version": flag.version,
    }


def override_record(override: Override) -> dict[str, Any]:
    """Write an override back as the record it was read from, defaults filled in."""
    user = {} if override.user_id is None else {"user_id": override.user_id}
    return {
        "flag_key": override.flag_key,
        "tenant_id": override.tenant_id,
        **user,
        "value": copied(override.value),
        "expires_at": None if override.expires_at is None else instant.text(override.expires_at),
        "version": override.version,
    }


def _override(record: object, *, user: bool) -> Override:
    ids = ("flag_key", "tenant_id", "user_id") if user else ("flag_key", "tenant_id")
    fields = _object(record, required=(*ids, "value", "version"), optional=("expires_at",))
    return Override(
        flag_key=_id(fields, "flag_key"),
        tenant_id=_id(fields, "tenant_id"),
        user_id=_id(fields, "user_id") if user else None,
        value=_json(fields, "value"),
        expires_at=read_instant(fields, "expires_at"),
        version=_version(fields),
    )


def read_instant(fields: Mapping[str, Any], key: str) -> datetime | None:
    """Read an optional instant of a record; null and absent are the same here.

    Raises:
        RecordError: Neither null nor a string in the one strict form, or an instant that a database
            can't tell from infinity.
    """
    found = fields.get(key)
    if found is None:
        return None
    if not isinstance(found, str):
        raise RecordError(join([key]), "expected an instant as a string, or null")
    try:
        parsed = instant.parse(found)
    except ValueError as error:
        raise RecordError(join([key]), str(error)) from None
    # The database's driver writes these two as its infinities.
    if parsed in (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)):
        raise RecordError(join([key]), "the first and the last instant of the calendar are refused")
    return parsed


def _object(
    record: object, *, required: tuple[str, ...], optional: tuple[str, ...]
) -> dict[str, Any]:
    if not isinstance(record, dict):
        raise RecordError("", "expected an object")
    for key in required:
        if key not in record:
            raise RecordError(join([key]), "missing")
    for key in record:
        if key not in required and key not in optional:
            known = ", ".join(sorted(required + optional))
            raise RecordError(join([key]), f"unknown key; known are {known}")
    return record


def _id(fields: Mapping[str, Any], key: str) -> str:
    found = fields[key]
    if not legal_id(found):
        raise RecordError(join([key]), f"expected a string of 1 to {MAX_ID_BYTES} bytes of UTF-8")
    return str(found)


def _json(fields: Mapping[str, Any], key: str) -> JSON:
    try:
        check(fields[key])
    except JSONRefusedError as error:
        raise RecordError(join([key]) + (error.pointer or ""), error.problem) from None
    return fields[key]


def _value(fields: Mapping[str, Any], key: str, value_type: ValueType) -> JSON:
    found = _json(fields, key)
    if not has_type(found, value_type):
        raise RecordError(join([key]), f"expected a value of the flag's type, {value_type}")
    return found


def _typed(fields: Mapping[str, Any], key: str, kind: Callable[..., Any], default: object) -> Any:
    found = fields.get(key, default)
    if type(found) is not kind:
        raise RecordError(join([key]), f"expected a {getattr(kind, '__name__', kind)}")
    return found


def _text(fields: Mapping[str, Any], key: str) -> str:
    found = _typed(fields, key, str, "")
    if not legal_text(found):
        raise RecordError(join([key]), "holds U+0000 or a lone surrogate")
    return str(found)


def _version(fields: Mapping[str, Any]) -> int:
    found = fields["version"]
    if type(found) is not int or not 1 <= found <= INT_MAX:
        raise RecordError("/version", "expected a whole number from 1 up")
    return found


def _rollout(found: object, value_type: ValueType) -> Rollout | None:
    if found is None:
        return None
    try:
        fields = _object(found, required=("percentage", "value"), optional=("salt",))
        percentage = fields["percentage"]
        if type(percentage) not in (int, float):
            raise RecordError("/percentage", "expected a number")
        try:
            thousandths(percentage)
        except (ValueError, ArithmeticError) as error:
            raise RecordError("/percentage", str(error)) from None
        value = _value(fields, "value", value_type)
        return Rollout(percentage, value, _text(fields, "salt"))
    except RecordError as error:
        raise RecordError("/rollout" + error.pointer, error.problem) from None
