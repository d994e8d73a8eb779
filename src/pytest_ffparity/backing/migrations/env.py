"""Alembic's environment: `migrate` hands in a connection and the names of the schemas."""

from __future__ import annotations

from alembic import context

_given = context.config.attributes

context.configure(
    connection=_given["connection"],
    version_table_schema=_given["version_schema"],
    # One transaction over all revisions: a migration that fails leaves nothing behind.
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
