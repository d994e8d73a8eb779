"""Puts minted tokens where a vector's request describes them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from pytest_ffparity.paths.keys import KeyRing

DIRECTIVE: Final = "$bearer"


def minted(request: Any, keys: KeyRing, now: datetime) -> Any:
    """Copy open JSON, with `Bearer <token>` in the place of every `{"$bearer": {...}}`.

    Raises:
        TokenSpecError: The words after `$bearer` can't be followed.
    """
    if isinstance(request, dict):
        if request.keys() == {DIRECTIVE}:
            return f"Bearer {keys.mint(request[DIRECTIVE], now)}"
        return {key: minted(member, keys, now) for key, member in request.items()}
    if isinstance(request, list):
        return [minted(member, keys, now) for member in request]
    return request
