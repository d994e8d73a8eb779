from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ffparity.formats.strict_json import canonical
from pytest_ffparity.parity.reduce import MAX_TRIES, reduced


class Asked:
    """Holds by a predicate, and counts how often it is asked."""

    def __init__(self, predicate: Callable[[Any], bool]) -> None:
        self._predicate = predicate
        self.times = 0

    async def __call__(self, document: Any) -> bool:
        self.times += 1
        return self._predicate(document)


def run(document: Any, predicate: Callable[[Any], bool], **how: Any) -> tuple[Any, int]:
    asked = Asked(predicate)
    return asyncio.run(reduced(document, asked, **how)), asked.times


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON, st.integers(0, 2**32))
def test_what_comes_out_holds_and_the_tries_are_bounded(document: Any, seed: int) -> None:
    before = canonical(document)

    def predicate(candidate: Any) -> bool:
        return crc32(canonical(candidate).encode("utf-8", "surrogatepass"), seed) % 3 == 0

    found, times = run(document, predicate, tries=60)
    assert canonical(document) == before
    assert times <= 60
    assert canonical(found) == before or predicate(found)


@given(JSON)
def test_what_never_holds_smaller_stays_and_what_always_holds_ends(document: Any) -> None:
    assert canonical(run(document, lambda _: False)[0]) == canonical(document)
    assert run(document, lambda _: True)[1] <= MAX_TRIES


def test_without_tries_nothing_is_asked() -> None:
    assert run([1, 2], lambda _: True, tries=0) == ([1, 2], 0)


@pytest.mark.parametrize("document", [None, True, 0, "", [], {}, 1.5, "long text"], ids=repr)
def test_scalars_and_empty_documents(document: Any) -> None:
    assert run(document, lambda _: True)[1] < 10


def test_deep_nesting_comes_down() -> None:
    document: Any = {"x": 1}
    for _ in range(90):
        document = [document]
    assert run(document, lambda _: True)[0] == []


def test_a_text_that_has_to_be_long_is_cut_by_halves() -> None:
    found, _ = run(
        {"id": "é" * 200}, lambda d: len(d.get("id", "")) > 40 if isinstance(d, dict) else False
    )
    assert found == {"id": "é" * 50}


def test_no_text_is_cut_where_a_piece_would_tell_too_much() -> None:
    seen: list[str] = []

    def predicate(document: Any) -> bool:
        seen.append(document["id"] if isinstance(document, dict) and "id" in document else "")
        return seen[-1].startswith("josé")

    assert run({"id": "josé.garcía"}, predicate, whole_texts=True)[0] == {"id": "josé.garcía"}
    assert set(seen) == {"", "a"}


def _world(flags: int) -> dict[str, Any]:
    return {
        "world": {
            "now": "2026-04-19T00:00:00Z",
            "flags": [
                {"flag_key": f"ff.{n}", "value_type": "bool", "default_value": True, "version": n}
                for n in range(flags)
            ],
            "user_overrides": [
                {"flag_key": f"ff.{n}", "tenant_id": "T", "user_id": f"U{n}", "value": False}
                for n in range(flags)
            ],
            "approvals": [{"approval_ref": f"A{n}"} for n in range(flags)],
        },
        "requests": [{"flag_key": "ff.77", "headers": {"X-FF-User": "U77", "X-FF-Tenant": "T"}}],
    }


def test_one_flag_and_one_override_are_found_in_a_big_world_with_few_tries() -> None:
    def diverges(document: Any) -> bool:
        try:
            world, (request,) = document["world"], document["requests"]
            flags = [f for f in world["flags"] if f["flag_key"] == request["flag_key"]]
            return any(
                o["user_id"] == request["headers"]["X-FF-User"] and flags
                for o in world["user_overrides"]
                if o["flag_key"] == request["flag_key"]
            )
        except (KeyError, TypeError, ValueError):
            return False

    found, times = run(_world(300), diverges)
    assert found == {
        "world": {
            "flags": [{"flag_key": "ff.77"}],
            "user_overrides": [{"flag_key": "ff.77", "user_id": "U77"}],
        },
        "requests": [{"flag_key": "ff.77", "headers": {"X-FF-User": "U77"}}],
    }
    assert times < MAX_TRIES / 2


LONG = "ffparity.checkout." * 8 + "\u00e9"
NAMED = {"flags": [{"key": LONG, "note": "kept"}], "requests": [{"key": LONG}]}


def refers(candidate: Any) -> bool:
    flags, requests = candidate.get("flags"), candidate.get("requests")
    keys = [f["key"] for f in flags or () if isinstance(f, dict) and f.get("key")]
    asked = [r["key"] for r in requests or () if isinstance(r, dict) and r.get("key")]
    return bool(keys) and keys == asked


def test_an_id_is_shortened_where_it_stands_and_where_it_is_referred_to() -> None:
    found, _ = run(NAMED, refers)
    assert found == {"flags": [{"key": "a"}], "requests": [{"key": "a"}]}


def test_an_id_is_cut_down_around_the_character_that_matters() -> None:
    found, _ = run(NAMED, lambda c: refers(c) and "\u00e9" in c["flags"][0]["key"])
    key = found["flags"][0]["key"]
    assert found == {"flags": [{"key": key}], "requests": [{"key": key}]}
    assert key.endswith("\u00e9")
    assert len(key) <= 40


def test_whole_texts_are_replaced_in_all_places_and_never_cut() -> None:
    seen: list[str] = []

    def predicate(candidate: Any) -> bool:
        if not refers(candidate):
            return False
        seen.append(candidate["flags"][0]["key"])
        return True

    found, _ = run(NAMED, predicate, whole_texts=True)
    assert found == {"flags": [{"key": "a"}], "requests": [{"key": "a"}]}
    assert set(seen) == {"a", LONG}


def test_two_long_ids_stay_two_and_usual_ones_stay() -> None:
    def predicate(candidate: Any) -> bool:
        return len(candidate) == 2 and candidate[0] == candidate[1] and len(set(candidate[0])) == 3

    long = ["user-1" * 9, "user-2" * 9, "user-3"]
    found, _ = run([long, long], predicate)
    assert found == [["a", "b", "user-3"], ["a", "b", "user-3"]]
