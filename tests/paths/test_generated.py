"""Generated cases are reproducible, are what vector files hold, and reach all that can be asked."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings

from pytest_ffparity.auth.codes import AuthCode
from pytest_ffparity.evaluator.names import AuthMode, FailSafe, Reason, Scope, TTLState, Warn
from pytest_ffparity.formats import schema, strict_json
from pytest_ffparity.paths.generated import GeneratedCase, case_of, cases
from pytest_ffparity.paths.hostile.draws import Draws

WORLDS, REQUESTS = 80, 25


def drawn(first: int = 0) -> Iterator[GeneratedCase]:
    return (case_of(seed, REQUESTS) for seed in range(first, first + WORLDS))


def test_a_stream_of_choices_is_the_same_in_every_version_of_python() -> None:
    draws = Draws(7)
    assert [draws.below(1000) for _ in range(5)] == [323, 150, 650, 72, 535]
    assert draws.some("abcdef", 3) == ["c", "a", "e"]
    assert [draws.few(most=9) for _ in range(6)] == [5, 2, 0, 0, 1, 1]


# What Hypothesis draws depends on it being the same strategy, not on who else is loaded.
PROGRAM = """
import hashlib, json, sys
sys.path[:0] = json.loads(sys.argv[1])
from hypothesis import given, seed, settings
from pytest_ffparity.paths.generated import cases
made = []
@seed(11)
@settings(max_examples=20, database=None, deadline=None)
@given(case=cases(5))
def draw(case):
    made.append([case.world, case.requests])
draw()
print(hashlib.sha256(json.dumps(made).encode()).hexdigest())
"""


def test_a_seed_draws_the_same_cases_in_every_process(tmp_path: Any) -> None:
    (tmp_path / "theirs.py").write_text(
        "NUMBERS = [123456, 7654321, 31, 2**40]\n", encoding="utf-8"
    )
    ends = set()
    for hash_seed, more in (("0", ""), ("1", "import theirs\n")):
        done = subprocess.run(
            [
                *(sys.executable, "-c", PROGRAM.replace("made = []", f"{more}made = []")),
                json.dumps([str(tmp_path)]),
            ],
            cwd=tmp_path,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        )
        ends.add(done.stdout)
    assert len(ends) == 1


@settings(max_examples=50, deadline=None)
@given(case=cases(10))
def test_a_case_is_what_a_vector_file_may_hold(case: GeneratedCase) -> None:
    strict_json.check(case.world, max_depth=strict_json.MAX_DEPTH - 4)
    assert schema.problems("world.v1", case.world) == []
    for request in case.requests:
        assert schema.problems("request.v1", request) == []
        if "\\u0000" not in json.dumps(request):
            strict_json.check(request)


def test_two_thousand_requests_reach_every_outcome(oracle: Any) -> None:
    found: dict[str, Counter[Any]] = {
        name: Counter() for name in ("reason", "mode", "ttl", "scope", "warning")
    }
    for case in drawn():
        for request in case.requests:
            decision = oracle(case.world).decision(request)
            found["reason"][decision["reason"]] += 1
            found["mode"][decision["meta"]["auth_mode"]] += 1
            found["ttl"][decision["meta"]["ttl_state"]] += 1
            found["scope"][decision["override_scope"]] += 1
            found["warning"].update(decision["warnings"])
    # A world can't cause an internal error.
    failures = set(FailSafe) - {FailSafe.INTERNAL_ERROR}
    assert found["reason"].keys() == {*AuthCode, *Reason, *failures}
    assert found["mode"].keys() - {None} == set(AuthMode)
    assert found["ttl"].keys() - {None} == set(TTLState)
    assert found["scope"].keys() - {None} == set(Scope)
    assert found["warning"].keys() == {*Warn, *failures}
    served = sum(found["scope"][scope] for scope in Scope)
    assert served > WORLDS * REQUESTS / 3
    assert min(found["scope"][scope] for scope in Scope) > 50


def test_worlds_are_small_more_often_than_not_and_two_in_five_hold_writes() -> None:
    worlds = [case.world for case in drawn()]
    few = [w for w in worlds if len(w["flags"]) == 1]
    assert len(few) > WORLDS / 3
    assert sum("writes" in world for world in worlds) > WORLDS / 4
    names = ("tenant_overrides", "user_overrides")
    small = [w for w in worlds if sum(len(w[name]) for name in names) <= 2]
    assert len(small) > WORLDS / 2


class Faults:
    """Mistakes that a db path could make, each made to a copy of what the definition says."""

    @staticmethod
    def expires_a_tick_late(base: Any) -> Any:
        class Faulty(base):  # type: ignore[misc]
            def override(self, *ids: Any, user_rule: bool) -> Any:
                record = super().override(*ids, user_rule=user_rule)
                if record is None or record.get("expires_at") is None:
                    return record
                ends = datetime.fromisoformat(record["expires_at"])
                same_instant = ends == datetime.fromisoformat(self.world["now"])
                return {**record, "expires_at": None} if same_instant else record

        return Faulty

    @staticmethod
    def trims_the_user(base: Any) -> Any:
        class Faulty(base):  # type: ignore[misc]
            def override(self, key: str, tenant: Any, user: Any, *, user_rule: bool) -> Any:
                trimmed = user.strip() if user else user
                return super().override(key, tenant, trimmed, user_rule=user_rule)

        return Faulty

    @staticmethod
    def forgets_the_tenant_of_a_user_override(base: Any) -> Any:
        class Faulty(base):  # type: ignore[misc]
            def override(self, key: str, tenant: Any, user: Any, *, user_rule: bool) -> Any:
                if user_rule and user is not None:
                    for record in self.world["user_overrides"]:
                        if (record["flag_key"], record["user_id"]) == (key, user):
                            return record
                return super().override(key, tenant, user, user_rule=user_rule)

        return Faulty

    @staticmethod
    def ignores_the_writes(base: Any) -> Any:
        return lambda world: base({**world, "writes": []})

    @staticmethod
    def ignores_the_last_write(base: Any) -> Any:
        return lambda world: base({**world, "writes": world.get("writes", [])[:-1]})

    @staticmethod
    def takes_a_stale_write(base: Any) -> Any:
        def without_expects(world: dict[str, Any]) -> Any:
            records = {}
            for name in ("flags", "tenant_overrides", "user_overrides"):
                for one in world.get(name, []):
                    ids = (one["flag_key"], one.get("tenant_id"), one.get("user_id"))
                    records[ids] = one["version"]
            writes = [
                {**w, "expects": records.get((w["flag_key"], w.get("tenant_id"), w.get("user_id")))}
                for w in world.get("writes", [])
            ]
            return base({**world, "writes": writes})

        return without_expects

    @staticmethod
    def reads_numbers_as_doubles(base: Any) -> Any:
        def doubled(value: Any) -> Any:
            if type(value) is int and abs(value) > 2**53:
                return int(float(value))
            if isinstance(value, dict):
                return {key: doubled(member) for key, member in value.items()}
            return [doubled(member) for member in value] if isinstance(value, list) else value

        return lambda world: base(doubled(world))

    @staticmethod
    def writes_whole_doubles_as_integers(base: Any) -> Any:
        def whole(value: Any) -> Any:
            if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
                return int(value)
            if isinstance(value, dict):
                return {key: whole(member) for key, member in value.items()}
            return [whole(member) for member in value] if isinstance(value, list) else value

        return lambda world: base(whole(world))

    @staticmethod
    def normalises_the_flag_key(base: Any) -> Any:
        class Faulty(base):  # type: ignore[misc]
            def lookup(self, key: str) -> Any:
                found = super().lookup(key)
                return found if isinstance(found, dict) else super().lookup(key.strip().lower())

        return Faulty

    @staticmethod
    def says_expiring_soon_too_soon(base: Any) -> Any:
        class Faulty(base):  # type: ignore[misc]
            ttl: str | None

            def overlay(self, *given: Any) -> Any:
                outcome = super().overlay(*given)
                if self.ttl == "valid":
                    self.ttl = "expiring_soon"
                return outcome

        return Faulty


FAULTS = {name: made for name, made in vars(Faults).items() if not name.startswith("_")}


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_two_thousand_requests_find_a_fault(oracle: Any, name: str) -> None:
    make: Callable[[Any], Any] = FAULTS[name].__func__
    faulty = make(oracle)
    assert any(
        strict_json.canonical(oracle(case.world).decision(request))
        != strict_json.canonical(faulty(case.world).decision(request))
        for case in drawn()
        for request in case.requests
    )


def test_equal_seeds_give_equal_cases() -> None:
    texts = [json.dumps(msg) for msg in ([c.world, c.requests] for c in drawn())]
    again = [json.dumps(msg) for msg in ([c.world, c.requests] for c in drawn())]
    assert texts == again
    assert len({hashlib.sha256(text.encode()).digest() for text in texts}) == WORLDS
