"""Filling the tables with a world: everything in one transaction and six statements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_ffparity.backing.checked import Checked, json_text
from pytest_ffparity.backing.naming import in_schema
from pytest_ffparity.backing.postgres_trail import TURN
from pytest_ffparity.evaluator.records import flag_record

if TYPE_CHECKING:
    from pytest_ffparity.backing.dsn import AnyConnection

_CLEAR: Final = f"""
{TURN};
DELETE FROM {{ff}}.user_override;
DELETE FROM {{ff}}.tenant_override;
DELETE FROM {{ff}}.flag_registry;
DELETE FROM {{ff}}.audit;
"""
_FLAGS: Final = """
INSERT INTO {ff}.flag_registry
SELECT flag_key, value_type, default_value::json, safe_value::json, off_value::json,
       enabled, sensitive, rollout::json, description, version, flag_version
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[],
            $7::boolean[], $8::text[], $9::text[], $10::bigint[], $11::text[])
  AS r (flag_key, value_type, default_value, safe_value, off_value,
        enabled, sensitive, rollout, description, version, flag_version)
"""
_TENANTS: Final = """
INSERT INTO {ff}.tenant_override (flag_key, tenant_id, value, expires_at, version)
SELECT flag_key, tenant_id, value::json, expires_at, version
FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::bigint[])
  AS r (flag_key, tenant_id, value, expires_at, version)
"""
_USERS: Final = """
INSERT INTO {ff}.user_override (flag_key, tenant_id, user_id, value, expires_at, version)
SELECT flag_key, tenant_id, user_id, value::json, expires_at, version
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::bigint[])
  AS r (flag_key, tenant_id, user_id, value, expires_at, version)
"""


async def seed(connection: AnyConnection, checked: Checked, *, schema: str) -> None:
    """Replace the whole content of the schema, the audit outbox included."""
    async with connection.transaction():
        await connection.execute(in_schema(_CLEAR, schema))
        await _insert_flags(connection, checked, schema)
        tenants = checked.tenant_overrides
        await connection.execute(
            in_schema(_TENANTS, schema),
            [o.flag_key for o in tenants],
            [o.tenant_id for o in tenants],
            [json_text(o.value) for o in tenants],
            [o.expires_at for o in tenants],
            [o.version for o in tenants],
        )
        users = checked.user_overrides
        await connection.execute(
            in_schema(_USERS, schema),
            [o.flag_key for o in users],
            [o.tenant_id for o in users],
            [o.user_id for o in users],
            [json_text(o.value) for o in users],
            [o.expires_at for o in users],
            [o.version for o in users],
        )


async def _insert_flags(connection: AnyConnection, checked: Checked, schema: str) -> None:
    flags = checked.flags
    rollouts = [flag_record(flag)["rollout"] for flag in flags]
    await connection.execute(
        in_schema(_FLAGS, schema),
        [f.flag_key for f in flags],
        [f.value_type for f in flags],
        [json_text(f.default_value) for f in flags],
        [json_text(f.safe_value) for f in flags],
        [json_text(f.off_value) for f in flags],
        [f.enabled for f in flags],
        [f.sensitive for f in flags],
        [None if rollout is None else json_text(rollout) for rollout in rollouts],
        [f.description for f in flags],
        [f.version for f in flags],
        [f.flag_version for f in flags],
    )
