"""What the code expects of the schema, compared with what the server's catalog says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pytest_ffparity.backing.dsn import AnyConnection

_ID: Final = "text COLLATE C NOT NULL"
_INSTANT: Final = "timestamp with time zone"
_VERSION: Final = "bigint NOT NULL"
_JSON: Final = "json NOT NULL"
_TEXT: Final = "text NOT NULL"
_OVERRIDE: Final = {"value": _JSON, "expires_at": _INSTANT, "version": _VERSION}

_COLUMNS: Final[dict[str, dict[str, str]]] = {
    "flag_registry": {
        "flag_key": _ID,
        "value_type": _ID,
        "default_value": _JSON,
        "safe_value": _JSON,
        "off_value": _JSON,
        "enabled": "boolean NOT NULL",
        "sensitive": "boolean NOT NULL",
        "rollout": "json",
        "description": _TEXT,
        "version": _VERSION,
        "flag_version": _ID,
    },
    "tenant_override": {"flag_key": _ID, "tenant_id": _ID, **_OVERRIDE},
    "user_override": {"flag_key": _ID, "tenant_id": _ID, "user_id": _ID, **_OVERRIDE},
    "audit": {
        "id": "bigint NOT NULL",
        "kind": _TEXT,
        "topic": _TEXT,
        "sink_status": _TEXT,
        "envelope": _JSON,
        "recorded_at": f"{_INSTANT} NOT NULL",
    },
}
_CHECK: Final = "check"
_PRIMARY: Final = "primary key"
_CASCADE: Final = "foreign key, on delete cascade"
_CONSTRAINTS: Final[dict[str, str]] = {
    "flag_registry_pkey": _PRIMARY,
    "flag_registry_flag_key_check": _CHECK,
    "flag_registry_value_type_check": _CHECK,
    "flag_registry_version_check": _CHECK,
    "tenant_override_pkey": _PRIMARY,
    "tenant_override_flag_key_fkey": _CASCADE,
    "tenant_override_flag_key_check": _CHECK,
    "tenant_override_tenant_id_check": _CHECK,
    "tenant_override_expires_at_check": _CHECK,
    "tenant_override_version_check": _CHECK,
    "user_override_pkey": _PRIMARY,
    "user_override_flag_key_fkey": _CASCADE,
    "user_override_flag_key_check": _CHECK,
    "user_override_tenant_id_check": _CHECK,
    "user_override_user_id_check": _CHECK,
    "user_override_expires_at_check": _CHECK,
    "user_override_version_check": _CHECK,
    "audit_pkey": _PRIMARY,
    "audit_recorded_at_check": _CHECK,
}
_INDEXES: Final[dict[str, str]] = {
    "flag_registry_pkey": "flag_registry (flag_key)",
    "tenant_override_pkey": "tenant_override (flag_key, tenant_id)",
    "user_override_pkey": "user_override (flag_key, tenant_id, user_id)",
    "audit_pkey": "audit (id)",
    "audit_pending": "audit (id)",
}

_FIND_COLUMNS: Final = """
SELECT c.relname || '.' || a.attname AS name,
       format_type(a.atttypid, a.atttypmod)
       || CASE WHEN l.collname IS NULL OR l.collname = 'default' THEN ''
               ELSE ' COLLATE ' || l.collname END
       || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END AS found
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_collation l ON l.oid = a.attcollation
WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
"""
# PostgreSQL 18 lists NOT NULL among the constraints; the columns tell of it already.
_FIND_CONSTRAINTS: Final = """
SELECT k.conname AS name,
       CASE k.contype WHEN 'p' THEN 'primary key' WHEN 'c' THEN 'check'
            WHEN 'f' THEN 'foreign key' || CASE k.confdeltype WHEN 'c' THEN ', on delete cascade'
                                                ELSE '' END
            ELSE k.contype::text END
       || CASE WHEN k.convalidated THEN '' ELSE ' (not valid)' END AS found
FROM pg_constraint k
JOIN pg_namespace n ON n.oid = k.connamespace
WHERE n.nspname = $1 AND k.contype <> 'n'
"""
_FIND_INDEXES: Final = """
SELECT c.relname AS name,
       t.relname || ' (' || (SELECT string_agg(pg_get_indexdef(i.indexrelid, p, true), ', ' ORDER BY p)
                             FROM generate_series(1, i.indnkeyatts) p) || ')'
       || CASE WHEN i.indisvalid THEN '' ELSE ' (not valid)' END AS found
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_class t ON t.oid = i.indrelid
JOIN pg_namespace n ON n.oid = t.relnamespace
WHERE n.nspname = $1 AND t.relkind IN ('r', 'p')
"""


async def differences(connection: AnyConnection, schema: str) -> tuple[str, ...]:
    """Compare the schema with what the code expects.

    Returns:
        One sentence for each column, constraint or index that is missing or other than expected,
        and for each that is there without being expected; empty when all is well.
    """
    columns = {
        f"{table}.{column}": kind
        for table, table_columns in _COLUMNS.items()
        for column, kind in table_columns.items()
    }
    found: list[str] = []
    for what, query, expected in (
        ("column", _FIND_COLUMNS, columns),
        ("constraint", _FIND_CONSTRAINTS, _CONSTRAINTS),
        ("index", _FIND_INDEXES, _INDEXES),
    ):
        there = {row["name"]: row["found"] for row in await connection.fetch(query, schema)}
        found += _compare(f"{what} {schema}.", expected, there)
    return tuple(found)


def _compare(what: str, expected: dict[str, str], there: dict[str, str]) -> list[str]:
    found = []
    for name in sorted(expected.keys() | there.keys()):
        if name not in there:
            found.append(f"{what}{name} is missing; expected {expected[name]}")
        elif name not in expected:
            found.append(f"{what}{name} is not expected; found {there[name]}")
        elif expected[name] != there[name]:
            found.append(f"{what}{name} is {there[name]}; expected {expected[name]}")
    return found
