"""The Alembic environment of the schema; `migrate` is the way to run it."""
