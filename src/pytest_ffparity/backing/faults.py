"""Making a store unsound or unavailable, for worlds that need it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pytest_ffparity.backing.atomic import write_atomic
from pytest_ffparity.backing.checked import DOCUMENT_DEPTH, json_text
from pytest_ffparity.backing.documents import OVERRIDES, REGISTRY
from pytest_ffparity.backing.dsn import connect
from pytest_ffparity.backing.naming import in_schema, quoted
from pytest_ffparity.backing.rows import FLAG_SELECT, flag_fields
from pytest_ffparity.evaluator.model import JSON
from pytest_ffparity.evaluator.records import RecordError, read_flag
from pytest_ffparity.formats import strict_json

if TYPE_CHECKING:
    from pytest_ffparity.backing.dsn import AnyConnection

_IDS: Final = ("flag_key", "tenant_id", "user_id")
# By the number of ids: document, list in it, field of the value.
_PLACES: Final = {
    1: (REGISTRY, "flags", "default_value"),
    2: (OVERRIDES, "tenant_overrides", "value"),
    3: (OVERRIDES, "user_overrides", "value"),
}
_TABLES: Final = ("flag_registry", "tenant_override", "user_override")
_FLAG_ROW: Final = f"SELECT {FLAG_SELECT} FROM {{ff}}.flag_registry f WHERE f.flag_key = $1"
_SET_FLAG: Final = """
UPDATE {ff}.flag_registry SET default_value = $2::text::json, flag_version = $3 WHERE flag_key = $1
"""
_FLAG_ROWS: Final = f"SELECT {FLAG_SELECT} FROM {{ff}}.flag_registry f"
_SET_HASH: Final = "UPDATE {ff}.flag_registry SET flag_version = $2 WHERE flag_key = $1"
_SET_TENANT: Final = """
UPDATE {ff}.tenant_override SET value = $3::text::json
WHERE flag_key = $1 AND tenant_id = $2 RETURNING true
"""
_SET_USER: Final = """
UPDATE {ff}.user_override SET value = $4::text::json
WHERE flag_key = $1 AND tenant_id = $2 AND user_id = $3 RETURNING true
"""


def overwrite_in_documents(folder: Path, key: tuple[str, ...], value: JSON) -> None:
    """Write a value past the checks: a flag's default, or an override's value.

    Args:
        folder: Where the two documents are.
        key: (flag), (flag, tenant) or (flag, tenant, user).
        value: Any JSON value.

    Raises:
        LookupError: There is no such record.
    """
    name, listed, field = _PLACES[len(key)]
    document = strict_json.loads((folder / name).read_bytes(), max_depth=DOCUMENT_DEPTH)
    found: list[dict[str, Any]] = [
        record
        for record in document[listed]
        if all(record[part] == wanted for part, wanted in zip(_IDS, key, strict=False))
    ]
    if not found:
        raise LookupError(f"there is no record of {key} in {name}")
    for record in found:
        record[field] = value
    write_atomic(folder / name, json_text(document, indent=2) + "\n")


async def overwrite_in_tables(
    connection: AnyConnection, schema: str, key: tuple[str, ...], value: JSON
) -> None:
    """Write a value past the checks: a flag's default, or an override's value.

    Args:
        connection: To the database of the tables.
        schema: The schema of the tables.
        key: (flag), (flag, tenant) or (flag, tenant, user).
        value: Any JSON value.

    Raises:
        LookupError: There is no such row.
    """
    if len(key) == 1:
        found = await _overwrite_flag(connection, schema, key[0], value)
    else:
        statement = in_schema(_SET_TENANT if len(key) == len(_IDS) - 1 else _SET_USER, schema)
        found = await connection.fetchval(statement, *key, json_text(value))
    if not found:
        raise LookupError(f"there is no row of {key} in {schema}")


def remove_documents(folder: Path) -> None:
    """Make the file store unavailable to every backing that has not read it yet."""
    (folder / REGISTRY).unlink(missing_ok=True)
    (folder / OVERRIDES).unlink(missing_ok=True)


async def hide_tables(connection: AnyConnection, *, schema: str) -> None:
    """Make the db store unavailable: its three tables are not there by their names any more."""
    async with connection.transaction():
        for table in _TABLES:
            await connection.execute(
                f"ALTER TABLE {quoted(schema)}.{table} RENAME TO {table}_hidden"
            )


async def restore_tables(connection: AnyConnection, *, schema: str) -> None:
    """Put hidden tables back; does nothing where none is hidden."""
    async with connection.transaction():
        for table in _TABLES:
            await connection.execute(
                f"ALTER TABLE IF EXISTS {quoted(schema)}.{table}_hidden RENAME TO {table}"
            )


async def _overwrite_flag(
    connection: AnyConnection, schema: str, flag_key: str, value: JSON
) -> bool:
    row = await connection.fetchrow(in_schema(_FLAG_ROW, schema), flag_key)
    if row is None:
        return False
    version = row["flag_version"]
    # A value that happens to be sound gets its hash, as it does on its way out of the documents.
    with suppress(RecordError, strict_json.JSONRefusedError):
        version = read_flag({**flag_fields(row), "default_value": value}).flag_version
    await connection.execute(in_schema(_SET_FLAG, schema), flag_key, json_text(value), version)
    return True


async def execute(
    dsn: str, schema: str, statements: Sequence[str], *, hashed: bool = False
) -> None:
    """Run statements past all checks, in one transaction.

    Args:
        dsn: Of the database.
        schema: What `{ff}` stands for.
        statements: SQL.
        hashed: Make the hashes of flags that are still sound anew, as a tool that copies would.
    """
    connection = await connect(dsn)
    try:
        async with connection.transaction():
            for statement in statements:
                await connection.execute(in_schema(statement, schema))
            if hashed:
                await _hash_again(connection, schema)
    finally:
        await connection.close()


async def _hash_again(connection: AnyConnection, schema: str) -> None:
    for row in await connection.fetch(in_schema(_FLAG_ROWS, schema)):
        with suppress(RecordError, strict_json.JSONRefusedError):
            version = read_flag(flag_fields(row)).flag_version
            await connection.execute(in_schema(_SET_HASH, schema), row["flag_key"], version)
