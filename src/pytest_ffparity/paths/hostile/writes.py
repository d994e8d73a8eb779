"""Sequences of writes: create, change, delete, override, expire, make anew, and what is refused."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from pytest_ffparity.evaluator.model import Flag
from pytest_ffparity.formats.strict_json import INT_MAX
from pytest_ffparity.paths.hostile import values
from pytest_ffparity.paths.hostile.draws import Draws
from pytest_ffparity.paths.hostile.ledger import Ledger
from pytest_ffparity.paths.hostile.texts import NO_IDS, SALTS, look_alikes, text

PERCENTAGES: Final[tuple[int | float, ...]] = (
    *(0, 0.0, 0.001, 33.3, 33.3, 50, 57.999, 57.999, 99.999, 100, 100.0),
)
_LATER: Final = timedelta(hours=23)
_REFUSED: Final[tuple[dict[str, Any], ...]] = (
    {"value": None},
    {"value": []},
    {"value": 1, "expires_at": "2026-04-19T00:00:00.1234567Z"},
    {"value": 1, "expires_at": "2026-04-19 00:00:00"},
    {"value": 1, "version": 1},
    {},
)


def flag(draws: Draws, kind: str) -> dict[str, Any]:
    """Make a flag's record without key and version."""
    record: dict[str, Any] = {
        "value_type": kind,
        "default_value": values.value(draws, kind),
        "safe_value": values.value(draws, kind),
    }
    if draws.chance(30):
        record["off_value"] = values.value(draws, kind)
    if draws.chance(8):
        record["enabled"] = False
    if draws.chance(30):
        record["sensitive"] = True
    if draws.chance(45):
        record["rollout"] = {
            "percentage": draws.one_of(PERCENTAGES),
            "value": values.value(draws, kind),
        }
        if draws.chance(60):
            record["rollout"]["salt"] = draws.one_of(SALTS)
    elif draws.chance(30):
        record["rollout"] = None
    if draws.chance(15):
        record["description"] = draws.one_of(("", "jose\u0301", "d" * 500, '"\\'))
    return record


def override(draws: Draws, kind: str, now: datetime) -> dict[str, Any]:
    """Make an override's record without ids and version: a third of them end about now."""
    record: dict[str, Any] = {"value": values.value(draws, kind)}
    if draws.chance(35):
        record["expires_at"] = values.near(draws, now)
    elif draws.chance(50):
        record["expires_at"] = draws.one_of((None, values.written(draws, now + _LATER)))
    return record


class Writing:
    """Makes writes one after the other, each aimed at what the ones before have left.

    Args:
        draws: Decides.
        ledger: What is there; follows the writes.
        now: The instant of the world.
        callers: The (tenant, user) pairs that overrides are made for.
    """

    def __init__(
        self, draws: Draws, ledger: Ledger, now: datetime, callers: list[tuple[str, str]]
    ) -> None:
        self._draws = draws
        self._ledger = ledger
        self._now = now
        self._callers = callers

    def next(self) -> dict[str, Any]:
        """Make one write."""
        makers = (
            *(self._make_anew, self._make_anew, self._make_anew) * bool(self._ledger.gone),
            *(self._change_flag, self._change_flag, self._delete_flag),
            *(self._override, self._override, self._override, self._expire, self._delete_override),
            *(self._create_flag, self._stale, self._stale, self._refused),
        )
        return self._draws.one_of(makers)()

    def _create_flag(self) -> dict[str, Any]:
        draws = self._draws
        like = [other for one in self._ledger.flags() for other in look_alikes(one.flag_key)]
        key = draws.one_of(like) if like and draws.chance(60) else text(draws)
        return self._put((key,), flag(draws, draws.one_of(values.TYPES)))

    def _change_flag(self) -> dict[str, Any]:
        there = self._ledger.flags()
        if not there:
            return self._create_flag()
        one = self._draws.one_of(there)
        return self._put((one.flag_key,), flag(self._draws, one.value_type))

    def _delete_flag(self) -> dict[str, Any]:
        there = self._ledger.flags()
        return self._put((self._draws.one_of(there).flag_key,), None) if there else self._stale()

    def _override(self) -> dict[str, Any]:
        draws = self._draws
        keys = [one.flag_key for one in self._ledger.flags()]
        keys += [ids[0] for ids in self._ledger.gone][:1]
        key = draws.one_of(keys) if keys else text(draws)
        ids = (key, *draws.one_of(self._callers)[: 1 + draws.below(2)])
        return self._put(ids, override(draws, self._type_of(key), self._now))

    def _expire(self) -> dict[str, Any]:
        ids = self._some_override()
        if ids is None:
            return self._override()
        ended = values.near(self._draws, self._now)
        value = values.value(self._draws, self._type_of(ids[0]))
        return self._put(ids, {"value": value, "expires_at": ended})

    def _delete_override(self) -> dict[str, Any]:
        ids = self._some_override()
        return self._override() if ids is None else self._put(ids, None)

    def _make_anew(self) -> dict[str, Any]:
        draws = self._draws
        ids = draws.one_of(self._ledger.gone)
        if len(ids) == 1:
            return self._put(ids, flag(draws, draws.one_of(values.TYPES)))
        return self._put(ids, override(draws, self._type_of(ids[0]), self._now))

    def _stale(self) -> dict[str, Any]:
        draws = self._draws
        there = [*self._ledger.records, *self._ledger.gone] or [(text(draws),)]
        ids = draws.one_of(there)
        version = self._ledger.version(ids)
        # The one before where the highest is reached: there is no version after that.
        beside = 1 if version is None else max(1, version - 1)
        after = beside if version is None or version >= INT_MAX else version + 1
        wrong = [given for given in (None, beside, after) if given != version]
        record = None
        if draws.chance(70):
            kind = self._type_of(ids[0])
            record = flag(draws, kind) if len(ids) == 1 else override(draws, kind, self._now)
        return self._ledger.write(ids, record, draws.one_of(wrong))

    def _refused(self) -> dict[str, Any]:
        draws = self._draws
        if draws.chance(30):
            ids = (draws.one_of(NO_IDS), *draws.one_of(self._callers))[: 1 + draws.below(3)]
            return self._put(ids, {"value": 1} if len(ids) > 1 else flag(draws, "bool"))
        there = self._ledger.flags()
        if there and draws.chance(30):
            one = draws.one_of(there)
            others = [kind for kind in values.TYPES if kind != one.value_type]
            return self._put((one.flag_key,), flag(draws, draws.one_of(others)))
        ids = self._some_override() or (text(draws), *draws.one_of(self._callers))
        return self._put(ids, draws.one_of(_REFUSED))

    def _put(self, ids: tuple[str, ...], record: dict[str, Any] | None) -> dict[str, Any]:
        return self._ledger.write(ids, record, self._ledger.version(ids))

    def _some_override(self) -> tuple[str, ...] | None:
        there = self._ledger.overrides()
        return self._draws.one_of(there) if there else None

    def _type_of(self, key: str) -> str:
        found = self._ledger.records.get((key,))
        return found.value_type if isinstance(found, Flag) else "bool"
