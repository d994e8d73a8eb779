"""The reader of what outsiders sign and publish: strict about form, open about numbers.

The store's strict reader refuses a whole document for one number that a double can't hold. Here a
number out of range is the fault of one claim or one key, and must not spoil what stands beside it.
"""

from __future__ import annotations

import json
from typing import Any, Final

from pytest_ffparity.formats.strict_json import unique

_MAX_DEPTH: Final = 100


class NotANumberError(ValueError):
    """A NaN or an infinity, which JSON does not have."""


def read_object(raw: bytes) -> dict[str, Any]:
    """Read a JSON object: UTF-8 without a byte-order mark, no name twice, nesting to 100.

    Raises:
        NotANumberError: It holds NaN or an infinity.
        ValueError: It is no such object.
    """
    try:
        # The decoder takes no byte-order mark, and its text is UTF-8 or nothing.
        document = _DECODER.decode(raw.decode("utf-8"))
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not isinstance(document, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 - one kind of error for the caller
    # How deep the decoder itself goes differs between versions of Python.
    if raw.count(b"[") + raw.count(b"{") > _MAX_DEPTH and _deeper(document, _MAX_DEPTH):
        raise ValueError("nested too deep")
    return document


def _deeper(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    members = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_deeper(member, levels - 1) for member in members)


def _no_constant(name: str) -> Any:
    raise NotANumberError(f"{name} is no JSON number")


# json.loads would make one anew for every token.
_DECODER: Final = json.JSONDecoder(object_pairs_hook=unique, parse_constant=_no_constant)
