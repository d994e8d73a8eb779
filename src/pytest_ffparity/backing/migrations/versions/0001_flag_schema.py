"""Create the schema: registry, overrides, and the audit outbox.

Values are `json`, never `jsonb`, which gives `1e22` back as an integer and `-0.0` as `0.0`. Ids
compare by code point (`COLLATE "C"`), whatever the collation of the database is.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID_BYTES = "octet_length({0}) BETWEEN 1 AND 200"
# What a datetime of Python can hold; infinities are outside.
_INSTANT = (
    "{0} >= TIMESTAMPTZ '0001-01-01 00:00:00+00' AND {0} < TIMESTAMPTZ '10000-01-01 00:00:00+00'"
)


def upgrade() -> None:
    """Create the schema, which must not be there yet, and its four tables."""
    schema = _schema()
    op.execute(sa.schema.CreateSchema(schema))
    op.create_table(
        "flag_registry",
        _id("flag_key"),
        sa.Column("value_type", sa.Text(collation="C"), nullable=False),
        sa.Column("default_value", sa.JSON(), nullable=False),
        sa.Column("safe_value", sa.JSON(), nullable=False),
        sa.Column("off_value", sa.JSON(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("sensitive", sa.Boolean(), nullable=False),
        sa.Column("rollout", sa.JSON(), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("flag_version", sa.Text(collation="C"), nullable=False),
        sa.PrimaryKeyConstraint("flag_key", name="flag_registry_pkey"),
        _check("flag_registry", "flag_key", _ID_BYTES),
        _check("flag_registry", "version", "{0} >= 1"),
        _check("flag_registry", "value_type", "{0} IN ('bool', 'string', 'number', 'object')"),
        schema=schema,
    )
    _override_table(schema, "tenant_override", ("flag_key", "tenant_id"))
    _override_table(schema, "user_override", ("flag_key", "tenant_id", "user_id"))
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, server_default="admin.audit"),
        sa.Column("topic", sa.Text(), nullable=False, server_default="ptt.audit.trail"),
        sa.Column("sink_status", sa.Text(), nullable=False, server_default="pending"),
        sa.Column("envelope", sa.JSON(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="audit_pkey"),
        _check("audit", "recorded_at", _INSTANT),
        schema=schema,
    )
    op.create_index(
        "audit_pending",
        "audit",
        ["id"],
        schema=schema,
        postgresql_where=sa.text("sink_status = 'pending'"),
    )


def downgrade() -> None:
    """Drop the tables and the schema; fails where something else has moved in."""
    schema = _schema()
    for table in ("audit", "user_override", "tenant_override", "flag_registry"):
        op.drop_table(table, schema=schema)
    op.execute(sa.schema.DropSchema(schema))


def _schema() -> str:
    config = op.get_context().config
    if config is None:
        raise RuntimeError("this revision runs under the migrations' environment only")
    return str(config.attributes["schema"])


def _override_table(schema: str, table: str, ids: tuple[str, ...]) -> None:
    op.create_table(
        table,
        *(_id(name) for name in ids),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(*ids, name=f"{table}_pkey"),
        sa.ForeignKeyConstraint(
            ["flag_key"],
            [f"{schema}.flag_registry.flag_key"],
            name=f"{table}_flag_key_fkey",
            ondelete="CASCADE",
        ),
        *(_check(table, name, _ID_BYTES) for name in ids),
        _check(table, "expires_at", _INSTANT),
        _check(table, "version", "{0} >= 1"),
        schema=schema,
    )


def _id(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(collation="C"), nullable=False)


def _check(table: str, column: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition.format(column), name=f"{table}_{column}_check")
