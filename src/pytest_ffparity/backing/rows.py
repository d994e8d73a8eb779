"""Rows of the tables as records: what the seed writes and what a read finds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import asyncpg

from pytest_ffparity.backing.checked import DOCUMENT_DEPTH
from pytest_ffparity.evaluator.model import JSON, Corrupt, Flag, Override
from pytest_ffparity.evaluator.records import (
    RecordError,
    read_flag,
    read_tenant_override,
    read_user_override,
)
from pytest_ffparity.formats import instant
from pytest_ffparity.formats.strict_json import MAX_DEPTH, JSONRefusedError, loads

_FLAG_COLUMNS: Final = (
    *("flag_key", "value_type", "default_value", "safe_value", "off_value"),
    *("enabled", "sensitive", "rollout", "description", "version", "flag_version"),
)


FLAG_SELECT: Final = """
       f.flag_key, f.value_type, f.default_value::text AS default_value,
       f.safe_value::text AS safe_value, f.off_value::text AS off_value, f.enabled, f.sensitive,
       f.rollout::text AS rollout, f.description, f.version, f.flag_version
"""
"""The columns of a registry row `f`, as the readers here take them."""


def flag_fields(row: Mapping[str, Any] | asyncpg.Record) -> dict[str, Any]:
    """Give a row of the registry as the raw record it stands for, JSON columns read from text.

    Raises:
        JSONRefusedError: A JSON column holds what the strict reader refuses.
    """
    return {
        "flag_key": row["flag_key"],
        "value_type": row["value_type"],
        "default_value": _json(row["default_value"]),
        "safe_value": _json(row["safe_value"]),
        "off_value": _json(row["off_value"]),
        "enabled": row["enabled"],
        "sensitive": row["sensitive"],
        "rollout": None
        if row["rollout"] is None
        else _json(row["rollout"], max_depth=DOCUMENT_DEPTH),
        "description": row["description"],
        "version": row["version"],
    }


def read_flag_row(row: asyncpg.Record) -> Flag | Corrupt:
    """Check a row of the registry as strictly as at the write, its content hash too."""
    try:
        return _checked_flag(*[row[name] for name in _FLAG_COLUMNS])
    except TypeError:
        # Not hashable, and so nothing that a column of ours can hold.
        return Corrupt("flag_registry: a column is a list")


@lru_cache(maxsize=4096, typed=True)
def _checked_flag(*columns: Any) -> Flag | Corrupt:
    # The same columns are the same record: parsing and hashing them again took as long as the
    # round trip that brought them.
    row = dict(zip(_FLAG_COLUMNS, columns, strict=True))
    try:
        flag = read_flag(flag_fields(row))
    except (JSONRefusedError, RecordError) as error:
        return Corrupt(f"flag_registry: {error}")
    if flag.flag_version != row["flag_version"]:
        return Corrupt("flag_registry: flag_version is not that of the record")
    return flag


def read_override_row(
    ids: dict[str, str], value: object, expires_at: object, version: object
) -> Override | Corrupt:
    """Check the columns of an override, whatever they hold, as strictly as at the write."""
    user = "user_id" in ids
    try:
        record = {
            **ids,
            "value": _json(value),
            "expires_at": _instant(expires_at),
            "version": version,
        }
        return read_user_override(record) if user else read_tenant_override(record)
    except (JSONRefusedError, RecordError) as error:
        return Corrupt(f"{'user' if user else 'tenant'}_override: {error}")


def _json(column: object, *, max_depth: int = MAX_DEPTH) -> JSON:
    if not isinstance(column, str):
        raise JSONRefusedError("NULL, where a JSON value has to be")
    return loads(column, max_depth=max_depth)


def _instant(column: object) -> str | None:
    if column is None:
        return None
    # Without an offset it would be taken for this machine's own time.
    if not isinstance(column, datetime) or column.tzinfo is None:
        raise RecordError("/expires_at", "the column is of another type than an instant")
    return instant.text(column)
