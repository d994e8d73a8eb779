"""JWT-EX-01 to 10: each is what the definition says, in its token, its world and its answer."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_ffparity.vectors.model import Vector
from pytest_ffparity.vectors.reader import read_vector_file

DECODED = ("decode-only", "jwt-unverified")
VERIFIED = ("verified", "jwt")
KID_MISS = ["auth_not_verified", "kid_not_found"]
JWKS_DOWN = ["auth_not_verified", "jwks_unreachable"]

# The signing key and the faults; held and for how long, published, reachable; the fallback.
WORLDS: dict[str, tuple[Any, ...]] = {
    "JWT-EX-01": ("k1", [], None, None, ["k1"], True, None),
    "JWT-EX-02": ("k1", [], None, None, ["k1"], False, True),
    "JWT-EX-03": ("k1", ["expired"], None, None, ["k1"], True, None),
    "JWT-EX-04": ("k1", ["signature"], ["k1"], 10, ["k1"], False, True),
    "JWT-EX-05": ("k1", ["alg_none"], None, None, ["k1"], False, True),
    "JWT-EX-06": ("k1", ["wrong_audience"], None, None, ["k1"], True, None),
    "JWT-EX-07": ("k1", [], ["k2"], 10, ["k1", "k2"], False, True),
    "JWT-EX-08": ("old", [], ["old"], 301, ["k1"], True, None),
    "JWT-EX-09": ("old", [], ["old"], 3601, ["k1"], True, True),
    "JWT-EX-10": ("k1", [], None, None, ["k1"], False, False),
}
ANSWERS: dict[str, tuple[Any, ...]] = {
    "JWT-EX-01": (200, None, *VERIFIED, []),
    "JWT-EX-02": (200, None, *DECODED, JWKS_DOWN),
    "JWT-EX-03": (401, "token_expired", None, None, []),
    "JWT-EX-04": (401, "signature_invalid", None, None, []),
    "JWT-EX-05": (401, "alg_not_allowed", None, None, []),
    "JWT-EX-06": (401, "audience_invalid", None, None, []),
    "JWT-EX-07": (200, None, *DECODED, KID_MISS),
    "JWT-EX-08": (200, None, *VERIFIED, []),
    "JWT-EX-09": (401, "kid_not_found", None, None, []),
    "JWT-EX-10": (503, "jwks_unreachable", None, None, []),
}


@pytest.fixture(scope="module")
def examples(shipped_vectors: Any) -> dict[str, Vector]:
    found = read_vector_file(shipped_vectors / "jwt_claim_examples.json").vectors
    return {vector.id: vector for vector in found if isinstance(vector, Vector)}


def test_there_are_ten(examples: dict[str, Vector]) -> None:
    assert list(examples) == list(WORLDS)


@pytest.mark.parametrize("name", WORLDS)
def test_the_token_and_the_world_are_what_the_example_is_about(
    examples: dict[str, Vector], name: str
) -> None:
    key, faults, held, age, published, reachable, fallback = WORLDS[name]
    vector = examples[name]
    token = vector.request["headers"]["Authorization"]["$bearer"]
    jwks = vector.world["jwks"]
    assert (token["key"], token.get("faults", [])) == (key, faults)
    assert (jwks["held"], jwks["fetched_seconds_ago"]) == (held, age)
    assert (jwks["published"], jwks["reachable"]) == (published, reachable)
    switched = vector.world["environment"]["FF_ALLOW_DEV_HEADERS"]
    assert fallback is None or switched == str(fallback).lower()


@pytest.mark.parametrize("name", ANSWERS)
def test_the_answer_is_what_the_definition_says(examples: dict[str, Vector], name: str) -> None:
    expected = examples[name].expected
    meta = expected["meta"]
    assert ANSWERS[name] == (
        expected["http_status"],
        expected["code"],
        meta["auth_mode"],
        meta["auth_source"],
        expected["warnings"],
    )
    refused = expected["code"] is not None
    assert expected["decision"] == ("deny" if refused else "allow")
    assert (expected["value"] is None) == refused
