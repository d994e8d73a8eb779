"""Schema names in SQL: checked strictly and quoted, the only text that is ever put into it."""

from __future__ import annotations

import re
from typing import Final

_SCHEMA: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")


def quoted(schema: str) -> str:
    """Give a schema's name as SQL writes it.

    Raises:
        ValueError: Not a plain lower-case name of at most 63 characters.
    """
    if not _SCHEMA.fullmatch(schema):
        raise ValueError(f"a schema's name is lower-case letters, digits and _: {schema!r}")
    return f'"{schema}"'


def in_schema(statement: str, schema: str) -> str:
    """Put a schema's name where a statement says `{ff}`."""
    return statement.replace("{ff}", quoted(schema))
