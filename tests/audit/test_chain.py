"""A trail that somebody has been at: whatever was done to it is found, and said in a sentence."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ffparity.audit.chain import verify, verify_records
from pytest_ffparity.audit.envelope import (
    DELIVERED,
    Effect,
    Head,
    Target,
    document_of,
    envelope_of,
    hash_of,
    head_after,
)
from pytest_ffparity.evaluator.model import Identity
from pytest_ffparity.evaluator.names import AuthMode
from pytest_ffparity.formats import schema
from pytest_ffparity.formats.strict_json import same

NOW = datetime(2026, 4, 19, tzinfo=UTC)
ACTOR = Identity(AuthMode.VERIFIED, "T-ops", "U-ops")
X = Target("flag", ("ff.x",))
X_TENANT = Target("tenant_override", ("ff.x", "T"))
X_USER = Target("user_override", ("ff.x", "T", "U"))
Y = Target("flag", ("ff.y",))


def flag(key: str, version: int, value: Any) -> dict[str, Any]:
    values = dict.fromkeys(("default_value", "safe_value", "off_value"), value)
    rollout = {"percentage": 33.3, "value": value, "salt": ""}
    return {
        "flag_key": key,
        "value_type": "object",
        **values,
        "enabled": True,
        "sensitive": False,
        "rollout": rollout,
        "description": "",
        "version": version,
    }


def override(target: Target, version: int, value: Any) -> dict[str, Any]:
    ids = {name: text for name, text in target.named.items() if name != "kind"}
    return {**ids, "value": value, "expires_at": None, "version": version}


def trail_of(*effects: Effect) -> list[dict[str, Any]]:
    head, found = Head(), []
    for place, effect in enumerate(effects):
        at = NOW + timedelta(seconds=place)
        envelope = envelope_of(effect, actor=ACTOR, at=at, head=head)
        head = head_after(envelope)
        found.append(document_of(envelope, number=10 * place + 1))
    return found


F1, F2 = flag("ff.x", 1, {"a": 1}), flag("ff.x", 2, {"a": 1.0})
T3, U4 = override(X_TENANT, 3, {}), override(X_USER, 4, {"deep": [None, -0.0, 2**53 + 1]})
F5 = flag("ff.y", 5, {})
TRAIL = trail_of(
    Effect(X, None, F1),
    Effect(X, F1, F2),
    Effect(X_TENANT, None, T3),
    Effect(X_USER, None, U4),
    Effect(Y, None, F5),
    Effect(X, F2, None, (T3, U4)),
    Effect(Y, F5, flag("ff.y", 6, {"b": 1})),
)
RECORDS = {Y: flag("ff.y", 6, {"b": 1})}


def leaves(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the path of every value inside, those of objects and arrays too."""
    if path:
        yield path
    members: Any = node.items() if isinstance(node, dict) else ()
    if isinstance(node, list):
        members = enumerate(node)
    for key, member in members:
        yield from leaves(member, (*path, key))


def parent_of(trail: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        trail = trail[key]
    return trail


# The number and the status are the store's own notes.
PLACES = [path for path in leaves(TRAIL) if len(path) > 1 and path[1] not in {"id", "sink_status"}]


NEW_VALUES: list[Any] = ["changed", None, 7, {}]
ODD_KEY: dict[Any, Any] = {1: 1}
NO_ENVELOPES: list[Any] = [None, 1, "text", [], {}]
NO_SEQS: list[Any] = [None, True, "1", 1.0, 10**5000, [], 2**63]


def test_a_whole_trail_has_nothing_wrong_with_it() -> None:
    assert verify([]) == verify(TRAIL) == verify_records(TRAIL, RECORDS) == []
    done = [{**one, "sink_status": DELIVERED} for one in TRAIL[:3]]
    assert verify(done + TRAIL[3:]) == []


def test_what_the_sink_is_sent_is_valid_under_the_published_schema() -> None:
    for document in TRAIL:
        sent = {name: member for name, member in document.items() if name != "id"}
        assert schema.problems("audit_envelope.v1", sent) == []
        for name in document["envelope"]:
            less = {k: v for k, v in document["envelope"].items() if k != name}
            assert schema.problems("audit_envelope.v1", {**sent, "envelope": less})


def test_every_changed_field_is_found() -> None:
    for path in PLACES:
        for value in NEW_VALUES:
            trail = copy.deepcopy(TRAIL)
            parent = parent_of(trail, path)
            if not same(parent[path[-1]], value):
                parent[path[-1]] = value
                assert verify(trail), path


def test_every_field_that_is_taken_away_is_found() -> None:
    for path in PLACES:
        trail = copy.deepcopy(TRAIL)
        del parent_of(trail, path)[path[-1]]
        assert verify(trail), path


@pytest.mark.parametrize("place", range(len(TRAIL) - 1))
def test_an_envelope_that_is_taken_away_is_found(place: int) -> None:
    (found,) = verify(TRAIL[:place] + TRAIL[place + 1 :])
    assert found == f"after envelope {place} comes {place + 2}: 1 missing"


@pytest.mark.parametrize("count", [1, 2])
def test_a_trail_that_is_cut_at_its_end_is_found_from_the_records(count: int) -> None:
    assert verify(TRAIL[:-count]) == []
    assert "flag ff.y is not what the trail left it as" in verify_records(TRAIL[:-count], RECORDS)


@pytest.mark.parametrize("place", range(len(TRAIL) - 1))
def test_a_moved_doubled_or_foreign_envelope_is_found(place: int) -> None:
    swapped = TRAIL.copy()
    swapped[place : place + 2] = reversed(swapped[place : place + 2])
    assert any("wrong place, or twice" in one for one in verify(swapped))
    doubled = [*TRAIL[: place + 1], TRAIL[place], *TRAIL[place + 1 :]]
    assert any("wrong place, or twice" in one for one in verify(doubled))
    assert verify([*TRAIL, TRAIL[place]])
    other = copy.deepcopy(TRAIL[place])
    other["envelope"]["actor"]["user_id"] = "U-other"
    other["envelope"]["hash"] = hash_of(other["envelope"])
    assert verify([*TRAIL[:place], other, *TRAIL[place + 1 :]]) == [
        f"envelope {place + 2} does not follow from envelope {place + 1}"
    ]


def test_a_forged_last_envelope_is_found_from_the_records() -> None:
    forged = copy.deepcopy(TRAIL)
    forged[-1]["envelope"]["after"]["enabled"] = False
    forged[-1]["envelope"]["hash"] = hash_of(forged[-1]["envelope"])
    assert verify(forged) == []
    assert verify_records(forged, RECORDS) == ["flag ff.y is not what the trail left it as"]


def test_an_untrailed_change_is_found_after_it_was_written_over() -> None:
    trail = trail_of(
        Effect(X, None, F1), Effect(X, flag("ff.x", 1, {"by": "hand"}), F2), Effect(X, F2, None)
    )
    assert verify(trail) == []
    assert verify_records(trail, {}) == [
        "flag ff.x was not what the trail left it as when envelope 2 was written"
    ]
    trail = trail_of(Effect(X, None, F1), Effect(X_TENANT, None, T3), Effect(X, F1, None))
    assert verify_records(trail, {}) == ["tenant_override ff.x T is not what the trail left it as"]


def test_an_envelope_marked_as_delivered_before_its_turn_is_found() -> None:
    trail = copy.deepcopy(TRAIL)
    trail[3]["sink_status"] = DELIVERED
    assert verify(trail) == ["envelope 4 is marked as delivered, while 3 before it is not"]


def endless() -> Any:
    nested: Any = []
    for _ in range(5000):
        nested = [nested]
    return nested


@pytest.mark.parametrize(
    "given_document",
    [
        *(None, 0, "", [], {}, (), object(), endless()),
        *({"envelope": value} for value in (*NO_ENVELOPES, endless())),
        *({"envelope": {"seq": value}} for value in NO_SEQS),
        {"envelope": {"seq": 1}},
        {**TRAIL[0], "envelope": {**TRAIL[0]["envelope"], "hash": None}},
        {**TRAIL[0], "envelope": {**TRAIL[0]["envelope"], "after": endless()}},
        {**TRAIL[0], "envelope": {**TRAIL[0]["envelope"], "after": float("nan")}},
        {**TRAIL[0], "envelope": {**TRAIL[0]["envelope"], "after": "\ud800"}},
        {**TRAIL[0], "envelope": {**ODD_KEY, **TRAIL[0]["envelope"]}},
        {**ODD_KEY, **TRAIL[0]},
    ],
    ids=lambda given: type(given).__name__,
)
def test_hostile_input_ends_in_a_sentence(given_document: Any) -> None:
    assert verify([given_document])
    found = verify([TRAIL[0], given_document, TRAIL[1]])
    assert found
    assert all(len(one) < 300 for one in found)


anything: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), anything), min_size=1, max_size=3))
def test_any_edit_is_found(edits: list[Any]) -> None:
    trail = copy.deepcopy(TRAIL)
    for path, value in edits:
        # An edit before may have taken the place away.
        with suppress(KeyError, IndexError, TypeError):
            parent_of(trail, path)[path[-1]] = value
    assert bool(verify(trail)) == (not same(trail, TRAIL))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(TRAIL), max_size=len(TRAIL) + 1))
def test_any_other_order_is_found(documents: list[dict[str, Any]]) -> None:
    whole = documents == TRAIL[: len(documents)]
    assert bool(verify(documents)) == (not whole)


@settings(max_examples=100, deadline=None)
@given(st.lists(anything | st.fixed_dictionaries({"envelope": anything}), min_size=1, max_size=3))
def test_anything_at_all_ends_in_sentences(documents: list[Any]) -> None:
    assert len(verify(documents)) >= len(documents)
