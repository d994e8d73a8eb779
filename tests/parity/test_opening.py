from __future__ import annotations

from typing import Any

import pytest

from pytest_ffparity.parity.opening import opened

ALLOW, DENY = {"decision": "allow"}, {"decision": "deny"}
REQUEST = {"flag_key": "ff.x"}


def _saying(*decisions: Any) -> list[dict[str, Any]]:
    return [{"decision": decision} for decision in decisions]


def world(*flags: Any, **more: Any) -> dict[str, Any]:
    return {"flags": list(flags), **more}


PLAIN = world({"flag_key": "ff.x", "sensitive": False})
SENSITIVE = world({"flag_key": "ff.x", "sensitive": True})


def test_an_allow_where_the_expectation_denies() -> None:
    assert opened(DENY, {"old": ALLOW, "new": ALLOW}, SENSITIVE, REQUEST) == ("old", "new")


def test_an_allow_where_the_first_path_denies() -> None:
    assert opened(None, {"old": DENY, "new": DENY, "third": ALLOW}, SENSITIVE, REQUEST) == (
        "third",
    )


def test_the_first_path_denies_what_is_expected_to_be_allowed() -> None:
    assert opened(ALLOW, {"old": DENY, "new": ALLOW}, SENSITIVE, REQUEST) == ("new",)


@pytest.mark.parametrize("expected", [None, ALLOW, DENY], ids=["agree", "allow", "deny"])
def test_a_deny_is_never_an_opening(expected: Any) -> None:
    assert opened(expected, {"old": DENY, "new": DENY}, SENSITIVE, REQUEST) == ()


def test_an_allow_that_became_a_deny_is_no_opening() -> None:
    assert opened(ALLOW, {"old": ALLOW, "new": DENY}, SENSITIVE, REQUEST) == ()


@pytest.mark.parametrize(
    "said",
    [{}, *_saying("ALLOW", "Allow ", "", None, True, 1, [], {})],
    ids=repr,
)
def test_whatever_is_no_deny_opens_what_is_denied(said: Any) -> None:
    assert opened(DENY, {"old": DENY, "new": said}, SENSITIVE, REQUEST) == ("new",)
    assert opened(None, {"old": DENY, "new": said}, SENSITIVE, REQUEST) == ("new",)


@pytest.mark.parametrize(
    "said",
    [{}, *_saying("DENY", " deny", "no", "", None, False, [], {})],
    ids=repr,
)
@pytest.mark.parametrize("allow", ["allow", "ALLOW"])
def test_an_allow_opens_what_is_not_plainly_allowed(said: Any, allow: str) -> None:
    assert opened(None, {"old": said, "new": {"decision": allow}}, SENSITIVE, REQUEST) == ("new",)
    assert "new" in opened(said, {"old": ALLOW, "new": {"decision": allow}}, SENSITIVE, REQUEST)


def test_decisions_of_another_shape_open_nothing() -> None:
    assert opened({"v": 1}, {"old": {"v": 1}, "new": {"v": 2}}, None, REQUEST) == ()
    assert opened(None, {"old": {"decision": "A"}, "new": {"decision": "B"}}, None, REQUEST) == ()


def test_nobody_answered() -> None:
    assert opened(DENY, {}, SENSITIVE, REQUEST) == ()


def test_a_flag_that_is_plainly_not_sensitive_opens_nothing() -> None:
    assert opened(DENY, {"old": DENY, "new": ALLOW}, PLAIN, REQUEST) == ()
    silent = world({"flag_key": "ff.x"}, {"flag_key": "ff.y", "sensitive": True})
    assert opened(DENY, {"old": DENY, "new": ALLOW}, silent, REQUEST) == ()


@pytest.mark.parametrize(
    ("held", "request_"),
    [
        (None, REQUEST),
        ([], REQUEST),
        ({}, REQUEST),
        ({"flags": None}, REQUEST),
        ({"flags": {"ff.x": {"sensitive": False}}}, REQUEST),
        ({"state": PLAIN}, REQUEST),
        (world(), REQUEST),
        (world(None, 1), REQUEST),
        (world({"flag_key": "FF.X", "sensitive": False}), REQUEST),
        (world({"sensitive": False}), {}),
        (world({"flag_key": None, "sensitive": False}), {"flag_key": None}),
        (PLAIN, {}),
        (PLAIN, {"flag_key": ["ff.x"]}),
        (PLAIN, "ff.x"),
        (PLAIN, None),
        (world(*PLAIN["flags"], *PLAIN["flags"]), REQUEST),
        (world(*PLAIN["flags"], *SENSITIVE["flags"]), REQUEST),
        (world({"flag_key": "ff.x", "sensitive": 0}), REQUEST),
        (world({"flag_key": "ff.x", "sensitive": None}), REQUEST),
        (world({"flag_key": "ff.x", "sensitive": "false"}), REQUEST),
        (world(*PLAIN["flags"], writes=[{"flag_key": "ff.x"}]), REQUEST),
        (world(*PLAIN["flags"], corrupt=[{"table": "flag_registry"}]), REQUEST),
    ],
    ids=str,
)
def test_what_nobody_can_vouch_for_counts_as_sensitive(held: Any, request_: Any) -> None:
    assert opened(DENY, {"old": DENY, "new": ALLOW}, held, request_) == ("new",)


def test_a_decision_that_shows_the_guard_at_work_is_believed_above_the_world() -> None:
    guarded = {
        **DENY,
        "reason_chain": [{"rule": "sensitive_overlay", "outcome": "approval_missing"}],
    }
    assert opened(None, {"old": guarded, "new": ALLOW}, PLAIN, REQUEST) == ("new",)
    quiet = {**DENY, "reason_chain": [{"rule": "sensitive_overlay", "outcome": "not_sensitive"}]}
    assert opened(None, {"old": quiet, "new": ALLOW}, PLAIN, REQUEST) == ()


@pytest.mark.parametrize(
    "chain", ["sensitive_overlay", 1, None, [None, "x", []], {"rule": "x"}], ids=repr
)
def test_a_chain_of_any_shape_is_read_without_a_stumble(chain: Any) -> None:
    odd = {**DENY, "reason_chain": chain}
    assert opened(None, {"old": odd, "new": ALLOW}, PLAIN, REQUEST) == ()


def test_a_deny_with_another_value_opens_to_whoever_reads_the_value() -> None:
    safe, live = {**DENY, "value": False}, {**DENY, "value": True}
    assert opened(safe, {"old": safe, "new": live}, SENSITIVE, REQUEST) == ("new",)
    assert opened(None, {"old": safe, "new": {**DENY, "value": 0}}, SENSITIVE, REQUEST) == ("new",)
    assert opened(safe, {"old": safe, "new": DENY}, SENSITIVE, REQUEST) == ("new",)
    assert opened(safe, {"old": safe, "new": {**safe, "reason": "x"}}, SENSITIVE, REQUEST) == ()
    assert opened(safe, {"old": safe, "new": live}, PLAIN, REQUEST) == ()
