"""What may be an id: 1 to 200 bytes of UTF-8, compared code point by code point."""

from __future__ import annotations

from typing import Final

from pytest_ffparity.formats.strict_json import legal_text

# A b-tree index entry has a limit, and three ids share one.
MAX_ID_BYTES: Final = 200


def legal_id(text: object) -> bool:
    """Tell whether both stores can hold the text as an id."""
    return (
        isinstance(text, str)
        and 0 < len(text) <= MAX_ID_BYTES
        and legal_text(text)
        and len(text.encode("utf-8")) <= MAX_ID_BYTES
    )
