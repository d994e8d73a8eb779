"""Changes that a cutover brings and that change no decision: the harness has to stay green."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, Final

from pytest_ffparity.paths.builtin import BuiltinPath
from pytest_ffparity.paths.seeded.fault import (
    Answer,
    Ask,
    Fault,
    Seed,
    SeededPath,
    answering,
    storing,
)

# One of each kind of answer: a default, overrides, denies, errors, values that are hard to keep.
PROBES: Final = (
    "default", "tenant", "user", "anonymous", "decode-only", "not-found", "off", "corrupt", "float",
    "object", "text", "expires-next", "case-own", "rollout-in", "approval-valid", "approval-missing",
)  # fmt: skip
_OTHER: Final = "'T-elsewhere', 'nobody'"


def _latency(ms: object) -> Callable[[Answer], None]:
    return lambda answer: answer["meta"].update(latency_ms=ms)


def _sorted(value: Any, *, reverse: bool = False) -> Any:
    if isinstance(value, dict):
        keys = sorted(value, reverse=reverse)
        return {key: _sorted(value[key], reverse=reverse) for key in keys}
    return [_sorted(v, reverse=reverse) for v in value] if isinstance(value, list) else value


def _slower(seconds: float) -> Callable[[BuiltinPath], Ask]:
    def make(path: BuiltinPath) -> Ask:
        async def ask(request: Any) -> Any:
            await asyncio.sleep(seconds)
            return await path.evaluate(request)

        return ask

    return make


def _twice(path: BuiltinPath) -> Ask:
    async def ask(request: Any) -> Any:
        await path.evaluate(request)
        return await path.evaluate(request)

    return ask


def _untouched(path: BuiltinPath) -> SeededPath:
    return SeededPath(path)


def _prepared_twice(path: BuiltinPath) -> SeededPath:
    async def prepare(world: Any) -> None:
        await path.prepare(world)
        await path.prepare(world)

    return SeededPath(path, prepare=prepare)


def _asking(make: Callable[[BuiltinPath], Ask]) -> Seed:
    return lambda path: SeededPath(path, make(path))


def _change(name: str, why: str, seed: Seed) -> Fault:
    return Fault(name=name, level="harmless", why=why, probes=PROBES, seed=seed)


def _stored(name: str, why: str, *statements: str) -> Fault:
    return _change(name, why, storing(*statements))


def _rewritten(table: str) -> str:
    """Take all rows out and put them back the other way round."""
    return (
        f"CREATE TEMP TABLE kept ON COMMIT DROP AS SELECT * FROM {{ff}}.{table} ORDER BY 1 DESC; "
        f"DELETE FROM {{ff}}.{table}; INSERT INTO {{ff}}.{table} SELECT * FROM kept"
    )


def changes() -> Iterator[Fault]:
    """Give the harmless changes."""
    yield _change("nothing", "The path as it is", _untouched)
    yield _change("as-mapping", "A mapping in a Decision's place", answering(lambda _answer: None))
    yield _change("keys-sorted", "Keys in alphabetical order", answering(_sorted))
    yield _change(
        "keys-reversed",
        "Keys in the opposite order",
        answering(lambda answer: _sorted(answer, reverse=True)),
    )
    for name, ms in (("zero", 0), ("float", 0.25), ("large", 4e3), ("null", None), ("text", "n/a")):
        why = f"A time taken of {ms!r}, which may differ"
        yield _change(f"latency-{name}", why, answering(_latency(ms)))
    yield _change("a-millisecond-later", "A slower network", _asking(_slower(0.001)))
    yield _change("five-milliseconds-later", "A slower disk", _asking(_slower(0.005)))
    yield _change("one-turn-later", "Another event loop", _asking(_slower(0)))
    yield _change("asked-twice", "A retry after an answer was lost", _asking(_twice))
    yield _change("filled-twice", "A copy that was made twice", _prepared_twice)
    yield from _storage()
    yield from _records()


def _storage() -> Iterator[Fault]:
    yield _stored("analyzed", "Fresh statistics", "ANALYZE {ff}.flag_registry")
    yield _stored(
        "users-in-another-order", "Rows stored in another order", _rewritten("user_override")
    )
    yield _stored(
        "tenants-in-another-order", "Rows stored in another order", _rewritten("tenant_override")
    )
    yield _stored(
        "one-more-index",
        "An index more",
        "CREATE INDEX IF NOT EXISTS seeded ON {ff}.user_override (version)",
    )
    yield _stored(
        "one-more-column",
        "A column more",
        "ALTER TABLE {ff}.flag_registry ADD COLUMN IF NOT EXISTS seeded text",
    )
    yield _stored(
        "another-fill-factor",
        "Room in each page",
        "ALTER TABLE {ff}.flag_registry SET (fillfactor = 70)",
    )
    yield _stored(
        "a-comment", "A comment on a table", "COMMENT ON TABLE {ff}.flag_registry IS 'seeded'"
    )
    yield _stored(
        "rows-written-anew",
        "Every row was touched",
        "UPDATE {ff}.flag_registry SET enabled = enabled",
    )
    yield _stored(
        "blanks-in-json",
        "JSON text with blanks in it",
        """UPDATE {ff}.flag_registry SET default_value = (' ' || default_value::text || ' ')::json""",
    )
    yield _stored(
        "keys-of-a-value",
        "The keys of an object in another order",
        """UPDATE {ff}.flag_registry SET default_value = '{"a": [1.0, null, "", " x "], "b": 1}' """
        "WHERE flag_key = 'o.nested'",
    )


def _records() -> Iterator[Fault]:
    yield _stored(
        "another-description",
        "A text for people",
        "UPDATE {ff}.flag_registry SET description = 'seeded'",
    )
    yield _stored(
        "other-versions",
        "Versions counted anew",
        "UPDATE {ff}.flag_registry SET version = version + 100",
    )
    yield _stored(
        "other-versions-of-overrides",
        "Versions counted anew",
        "UPDATE {ff}.user_override SET version = version + 100",
        "UPDATE {ff}.tenant_override SET version = version + 100",
    )
    yield _stored(
        "a-flag-more",
        "A flag that nobody asks for",
        "INSERT INTO {ff}.flag_registry SELECT (jsonb_populate_record(f, "
        """'{"flag_key": "seeded.flag"}')).* FROM {ff}.flag_registry f LIMIT 1""",
    )
    yield _stored(
        "a-user-more",
        "Another user's override",
        "INSERT INTO {ff}.user_override (flag_key, tenant_id, user_id, value, expires_at, version) "
        f"SELECT flag_key, {_OTHER}, default_value, NULL, 1 FROM {{ff}}.flag_registry LIMIT 1",
    )
    yield _stored(
        "an-expired-user-more",
        "Another user's override, long gone",
        "INSERT INTO {ff}.user_override (flag_key, tenant_id, user_id, value, expires_at, version) "
        f"SELECT flag_key, {_OTHER}, default_value, 'epoch', 1 FROM {{ff}}.flag_registry LIMIT 1",
    )
    yield _stored(
        "a-tenant-more",
        "Another tenant's override",
        "INSERT INTO {ff}.tenant_override (flag_key, tenant_id, value, expires_at, version) "
        "SELECT flag_key, 'T-elsewhere', default_value, NULL, 1 FROM {ff}.flag_registry LIMIT 1",
    )
    yield _stored(
        "expiry-in-another-zone",
        "The same instant, written elsewhere",
        "SET LOCAL TIME ZONE 'Asia/Kathmandu'",
        "UPDATE {ff}.user_override SET expires_at = expires_at::text::timestamptz",
    )
