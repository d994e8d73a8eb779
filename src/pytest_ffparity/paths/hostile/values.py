"""JSON values and instants at which two stores are likely to part."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pytest_ffparity.paths.hostile.draws import Draws
from pytest_ffparity.paths.hostile.texts import text

TYPES: Final = ("bool", "string", "number", "object")
_NUMBERS: Final[tuple[int | float, ...]] = (
    *(0, 0.0, -0.0, 1, 1.0, -1, 0.1, 0.30000000000000004, 1e22, 1e16, 1e-7, 123456789.123456789),
    *(5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 100, 100.0, 2**53, 2**53 + 1),
    *(float(2**53), -(2**53) - 1, 2**63 - 1, -(2**63), 2**62 + 1, 1e18, 10**18),
)
_STRINGS: Final = (
    *("", " ", "1", "1.0", "true", "null", "a ", "A", "jos\u00e9", "jose\u0301", "\u2028\x7f\x01"),
    *('"\\/', "\t\r\n", "\U0001f600", "\ufeff", "a" * 300, "2026-04-19T00:00:00Z", "{}", "\\u0000"),
)
_KEYS: Final = ("", "a", "A", "a ", "\u00e9", "e\u0301", "__proto__", "1", "\uffff", "\U00010000")
_DEEPEST: Final = 90  # a vector file around it has to stay within 100
_NOWS: Final = (
    "2026-04-19T00:00:00.000000Z",
    "2026-04-19T07:00:00+07:00",
    "2026-03-29T03:00:00.000001+02:00",  # the hour that summer time leaves out in Berlin
    "2026-03-29T01:59:59.999999+01:00",
    "2026-10-25T02:30:00+02:00",  # the hour that comes twice, the first time
    "2026-10-25T02:30:00+01:00",
    "2026-11-01T01:30:00.5-07:00",
    "2024-02-29T23:59:59.5Z",
    "2028-02-29T00:00:00.000001-03:30",
    "2016-12-31T23:59:59.999999Z",  # a leap second followed
    "1969-12-31T23:59:59.999999Z",
    "1970-01-01T00:00:00Z",
    "2038-01-19T03:14:08Z",
    "0001-01-02T00:00:00.000001Z",
    "9999-12-30T23:59:59.999999+00:00",
)
_OFFSETS: Final = tuple(timedelta(minutes=n) for n in (0, 0, 0, 120, -210, 840, -1439, 345))
TICK: Final = timedelta(microseconds=1)
_DISTANCES: Final = (-TICK, timedelta(), TICK)


def now(draws: Draws) -> str:
    """Give the instant of a world: a day and more away from either end of the calendar."""
    if draws.chance(60):
        return draws.one_of(_NOWS)
    moment = datetime(2020, 1, 1, tzinfo=UTC) + draws.below(10**15) * TICK
    return written(draws, moment)


def near(draws: Draws, moment: datetime) -> str:
    """Give an instant, or one of the two a microsecond beside it."""
    return written(draws, moment + draws.one_of(_DISTANCES))


def written(draws: Draws, moment: datetime) -> str:
    """Write an instant with some offset, and with no more fractional digits than it needs."""
    offset = draws.one_of(_OFFSETS)
    try:
        local = (moment + offset).replace(tzinfo=None)
    except OverflowError:
        local, offset = moment.replace(tzinfo=None), timedelta()
    whole = local.isoformat(timespec="seconds")
    digits = f"{local.microsecond:06}".rstrip("0" if draws.chance(50) else "")
    fraction = f".{digits}" if digits else ""
    minutes = abs(offset) // timedelta(minutes=1)
    zone = f"{'-' if offset < timedelta() else '+'}{minutes // 60:02}:{minutes % 60:02}"
    return f"{whole}{fraction}{'Z' if not minutes and draws.chance(70) else zone}"


def value(draws: Draws, kind: str) -> Any:
    """Make a value of a flag's type."""
    if kind == "bool":
        return draws.chance(50)
    if kind == "string":
        return text(draws) if draws.chance(20) else draws.one_of(_STRINGS)
    if kind == "number":
        return _number(draws)
    if draws.chance(2):
        return _nested(_DEEPEST)
    return {draws.one_of(_KEYS): any_json(draws, 3) for _ in range(draws.few(most=4))}


def any_json(draws: Draws, depth: int) -> Any:
    """Make a value of any type, nested so deep at most."""
    if depth and draws.chance(30):
        if draws.chance(50):
            return [any_json(draws, depth - 1) for _ in range(draws.few(most=3))]
        return {draws.one_of(_KEYS): any_json(draws, depth - 1) for _ in range(draws.few(most=3))}
    if draws.chance(15):
        return None
    return value(draws, draws.one_of(TYPES[:3]))


def _number(draws: Draws) -> int | float:
    if draws.chance(70):
        return draws.one_of(_NUMBERS)
    whole = draws.below(2**53) * draws.one_of((1, -1, 1023))
    return whole if draws.chance(50) else whole / draws.one_of((1, 10, 1000, 7))


def _nested(depth: int) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for _ in range(depth - 1):
        made = {"a": made}
    return made
