"""Where a deny became an allow, and whether anybody may let that pass."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_ffparity.parity.opening import opened

ALLOW, DENY = {"decision": "allow"}, {"decision": "deny"}
ASK = {"flag_key": "f"}
PLAIN = {"flags": [{"flag_key": "f"}, {"flag_key": "g", "sensitive": True}]}
GUARDED = {"decision": "deny", "reason_chain": [{"rule": "sensitive_overlay", "outcome": "x"}]}


def test_by_the_expectation_or_by_the_first_path() -> None:
    assert opened(DENY, {"file": DENY, "db": ALLOW}, {}, ASK) == ("db",)
    assert opened(None, {"file": DENY, "db": ALLOW}, {}, ASK) == ("db",)
    assert opened(ALLOW, {"file": DENY, "db": ALLOW}, {}, ASK) == ("db",)
    assert opened(DENY, {"file": ALLOW, "db": ALLOW}, {}, ASK) == ("file", "db")


def test_an_allow_that_became_a_deny_opens_nothing() -> None:
    assert opened(ALLOW, {"file": ALLOW, "db": DENY}, {}, ASK) == ()
    assert opened(None, {"file": ALLOW, "db": DENY}, {}, ASK) == ()


@pytest.mark.parametrize("answer", [{}, {"decision": "ALLOW"}, {"decision": None}, {"decision": 1}])
def test_what_is_not_a_deny_is_taken_for_an_allow(answer: dict[str, Any]) -> None:
    assert opened(DENY, {"file": DENY, "db": answer}, {}, ASK) == ("db",)


def test_a_flag_that_is_plainly_not_sensitive_may_be_let_pass() -> None:
    assert opened(DENY, {"file": DENY, "db": ALLOW}, PLAIN, ASK) == ()


@pytest.mark.parametrize(
    ("world", "request_"),
    [
        (None, ASK),
        ([], ASK),
        ({}, ASK),
        ({"flags": []}, ASK),
        ({"flags": {"f": {}}}, ASK),
        ({"flags": [{"flag_key": "f", "sensitive": True}]}, ASK),
        ({"flags": [{"flag_key": "f", "sensitive": "no"}]}, ASK),
        ({"flags": [{"flag_key": "f", "sensitive": 0}]}, ASK),
        ({"flags": [{"flag_key": "f", "sensitive": None}]}, ASK),
        ({"flags": [{"flag_key": "f"}, {"flag_key": "f", "sensitive": True}]}, ASK),
        ({**PLAIN, "writes": [{"flag_key": "f"}]}, ASK),
        (PLAIN, {"flag_key": "g"}),
        (PLAIN, {}),
        (PLAIN, "f"),
    ],
    ids=str,
)
def test_on_doubt_a_flag_is_sensitive(world: Any, request_: Any) -> None:
    assert opened(DENY, {"file": DENY, "db": ALLOW}, world, request_) == ("db",)


@pytest.mark.parametrize("side", ["expected", "file", "db"])
def test_a_decision_that_shows_the_guard_tells_more_than_the_world(side: str) -> None:
    sides: dict[str, Any] = {"expected": DENY, "file": DENY, "db": ALLOW}
    sides[side] = {**sides[side], "reason_chain": GUARDED["reason_chain"]}
    expected = sides.pop("expected")
    assert opened(expected, sides, PLAIN, ASK) == ("db",)


def test_a_service_that_knows_no_deny_has_nothing_to_open() -> None:
    assert opened({"on": False}, {"file": {"on": False}, "db": {"on": True}}, {}, ASK) == ()
