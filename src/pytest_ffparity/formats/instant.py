"""Instants: one strict RFC 3339 form, microseconds at most, always UTC inside."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_FORM: Final = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,6}))?(?:Z|([+-])(\d{2}):(\d{2}))",
    re.ASCII,
)
_LAST_HOUR: Final = 23
_LAST_MINUTE: Final = 59


def parse(text: str) -> datetime:
    """Read an instant such as `2026-04-19T00:00:00.000000Z` or `2026-04-19T07:00:00+07:00`.

    Returns:
        The instant in UTC.

    Raises:
        ValueError: Another form, no offset, a seventh fractional digit, or no such date.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(
            "an instant is written YYYY-MM-DDTHH:MM:SS[.ffffff] with Z or an offset +HH:MM"
        )
    *fields, fraction, sign, hours, minutes = found.groups()
    micro = int((fraction or "").ljust(6, "0"))
    try:
        local = datetime(*map(int, fields), micro, tzinfo=UTC)  # type: ignore[misc,arg-type]
    except ValueError as error:
        raise ValueError(f"there is no such instant: {error}") from None
    if sign is None:
        return local
    if int(hours) > _LAST_HOUR or int(minutes) > _LAST_MINUTE:
        raise ValueError("there is no such instant: an offset is at most 23:59")
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    try:
        return local - offset if sign == "+" else local + offset
    except OverflowError:
        raise ValueError("there is no such instant: outside the years 1 to 9999 in UTC") from None


def text(instant: datetime) -> str:
    """Write an instant with all six fractional digits and `Z`."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")
