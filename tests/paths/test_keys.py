from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest

from pytest_ffparity.paths.keys import ISSUER, KeyRing, TokenSpecError
from pytest_ffparity.paths.mint import minted
from pytest_ffparity.paths.token_faults import TOKEN_FAULTS

NOW = datetime(2026, 4, 19, tzinfo=UTC)
CLAIMS = {"sub": "U1001", "tenant_id": "T"}


@pytest.fixture(scope="module")
def ring() -> KeyRing:
    return KeyRing()


def claims_of(token: str) -> dict[str, Any]:
    body = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=="))
    return claims


def test_the_public_set_holds_no_private_member(ring: KeyRing) -> None:
    published = ring.jwks(["k1", "k2"])["keys"]
    assert [jwk["kid"] for jwk in published] == ["k1", "k2"]
    assert all(set(jwk) == {"kty", "n", "e", "kid", "alg", "use"} for jwk in published)
    assert published[0]["n"] != published[1]["n"]
    assert ring.jwks([]) == {"keys": []}


def test_a_minted_token_is_one_that_others_verify(ring: KeyRing) -> None:
    token = ring.mint({"claims": CLAIMS}, NOW)
    key = jwt.PyJWK(ring.jwks(["k1"])["keys"][0])
    claims = jwt.decode(
        token,
        key,
        algorithms=["RS256"],
        audience="pty-feature-flags",
        issuer=ISSUER,
        options={"verify_exp": False, "verify_iat": False},
    )
    at = int(NOW.timestamp())
    assert (claims["iat"], claims["exp"]) == (at - 60, at + 3600)
    assert claims["sub"] == "U1001"


def test_the_words_claims_come_over_the_standing_ones(ring: KeyRing) -> None:
    said = {"aud": ["x"], "exp": 1, "extra": {"deep": [1.0]}}
    assert claims_of(ring.mint({"claims": said}, NOW)).items() >= said.items()


def test_the_same_words_give_the_same_text(ring: KeyRing) -> None:
    first = ring.mint({"key": "k1", "claims": {"sub": "a", "tenant_id": "b"}}, NOW)
    assert ring.mint({"claims": {"tenant_id": "b", "sub": "a"}, "key": "k1"}, NOW) is first
    assert ring.mint({"claims": {"sub": "a"}}, NOW.replace(year=2027)) != first


def test_each_fault_gives_a_token_of_its_own(ring: KeyRing) -> None:
    tokens = {ring.mint({"claims": CLAIMS, "faults": [fault]}, NOW) for fault in TOKEN_FAULTS}
    assert len(tokens) == len(TOKEN_FAULTS)
    assert ring.mint({"claims": CLAIMS}, NOW) not in tokens


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        ([], "key, claims, faults"),
        ({"kid": "k1"}, "key, claims, faults"),
        ({"claims": []}, "claims"),
        ({"faults": {}}, "faults"),
        ({"faults": ["expird"]}, "expired"),
        ({"faults": [1]}, "alg_none"),
        ({"key": ""}, "name of a key"),
        ({"key": "k1 unpublished"}, "name of a key"),
        ({"key": 1}, "key of a token"),
    ],
)
def test_words_that_cannot_be_followed_name_what_is_known(
    ring: KeyRing, spec: Any, named: str
) -> None:
    with pytest.raises(TokenSpecError, match=named):
        ring.mint(spec, NOW)


@pytest.mark.parametrize("fault", TOKEN_FAULTS)
def test_any_fault_goes_with_any_other(ring: KeyRing, fault: str) -> None:
    for other in TOKEN_FAULTS:
        assert ring.mint({"faults": [fault, other]}, NOW).count(".") <= 2


def test_tokens_stand_where_the_request_describes_them(ring: KeyRing) -> None:
    request = {
        "flag_key": "ff.x",
        "headers": {"Authorization": {"$bearer": {"claims": CLAIMS}}, "X": ["a", 1, None]},
        "beside": {"$bearer": {}, "other": 1},
    }
    before = json.dumps(request)
    made = minted(request, ring, NOW)
    token = ring.mint({"claims": CLAIMS}, NOW)
    assert made["headers"] == {"Authorization": f"Bearer {token}", "X": ["a", 1, None]}
    assert made["beside"] == {"$bearer": {}, "other": 1}
    made["headers"]["X"].append("mine")
    assert json.dumps(request) == before
