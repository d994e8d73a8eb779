from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pytest_ffparity.auth.claims import check_claims
from pytest_ffparity.auth.codes import AuthError
from pytest_ffparity.auth.settings import AuthSettings
from pytest_ffparity.auth.tokens import read_claims

NOW = datetime(2026, 4, 19, tzinfo=UTC)
AT = int(NOW.timestamp())
SETTINGS = AuthSettings(issuers=dict.fromkeys(["https://a", "b"], "https://idp.test/keys"))
GOOD: dict[str, Any] = {
    "exp": AT + 600,
    "iat": AT,
    "iss": "https://a",
    "aud": "pty-feature-flags",
    "sub": "U1001",
    "tenant_id": "T",
}


def code(changes: dict[str, Any], *, without: str = "", settings: AuthSettings = SETTINGS) -> str:
    claims = {**GOOD, **changes}
    claims.pop(without, None)
    try:
        check_claims(claims, settings, AT)
    except AuthError as error:
        return error.code
    return "verified"


def test_good_claims_name_the_caller() -> None:
    caller = check_claims(GOOD, SETTINGS, AT)
    assert (caller.tenant_id, caller.user_id) == ("T", "U1001")


@pytest.mark.parametrize(
    ("exp", "outcome"),
    [
        (AT - 31, "token_expired"),
        (AT - 30, "token_expired"),
        (AT - 29, "verified"),
        (AT + 600.5, "verified"),
        (0, "token_expired"),
        (-1, "token_expired"),
        (-(10**30), "token_expired"),
        (None, "claim_missing"),
        ("1893456000", "claim_invalid"),
        (True, "claim_invalid"),
        ([], "claim_invalid"),
        ({}, "claim_invalid"),
        (AT * 1000, "claim_invalid"),
        (10**400, "claim_invalid"),
    ],
)
def test_exp(exp: Any, outcome: str) -> None:
    assert code({"exp": exp}) == outcome


@pytest.mark.parametrize("literal", [b"NaN", b"1e400", b"-1e400", b"Infinity", b"1" + b"0" * 30])
def test_a_number_out_of_range_is_an_invalid_claim_and_no_malformed_token(literal: bytes) -> None:
    with pytest.raises(AuthError, match="claim_invalid"):
        check_claims(read_claims(b'{"exp":' + literal + b"}"), SETTINGS, AT)


def test_without_leeway_a_token_is_over_at_its_instant() -> None:
    strict = AuthSettings(issuers=dict.fromkeys(["https://a"], "https://x"), leeway=0)
    assert code({"exp": AT}, settings=strict) == "token_expired"
    assert code({"exp": AT + 1}, settings=strict) == "verified"


@pytest.mark.parametrize("name", ["nbf", "iat"])
def test_nbf_and_iat(name: str) -> None:
    assert code({name: AT + 31}) == "token_not_yet_valid"
    assert code({name: AT + 30}) == "verified"
    assert code({}, without=name) == "verified"
    ill_typed: list[Any] = ["1", True, None, [], AT * 1000]
    for bad in ill_typed:
        assert code({name: bad}) == "claim_invalid"


@pytest.mark.parametrize(
    ("iss", "outcome"),
    [
        ("b", "verified"),
        ("https://a/", "issuer_invalid"),
        ("https://A", "issuer_invalid"),
        ("a", "issuer_invalid"),
        ("", "issuer_invalid"),
        (["https://a"], "claim_invalid"),
        (1, "claim_invalid"),
        (None, "claim_missing"),
    ],
)
def test_iss(iss: Any, outcome: str) -> None:
    assert code({"iss": iss}) == outcome


@pytest.mark.parametrize(
    ("aud", "outcome"),
    [
        (["pty-feature-flags"], "verified"),
        (["x", "pty-feature-flags"], "verified"),
        ("", "claim_missing"),
        ([], "claim_missing"),
        (None, "claim_missing"),
        (1, "claim_invalid"),
        ({}, "claim_invalid"),
        (["pty-feature-flags", 1], "claim_invalid"),
        ("pty", "audience_invalid"),
        ("pty-feature-flags/", "audience_invalid"),
        ("PTY-feature-flags", "audience_invalid"),
        (["pty-feature-flag", ""], "audience_invalid"),
    ],
)
def test_aud(aud: Any, outcome: str) -> None:
    assert code({"aud": aud}) == outcome


@pytest.mark.parametrize("name", ["sub", "tenant_id"])
def test_the_ids_of_the_caller(name: str) -> None:
    assert code({}, without=name) == "claim_missing"
    assert code({name: None}) == "claim_missing"
    illegal: list[Any] = ["", 7, [], "x" * 201, "é" * 101, "\ud800", "a\x00", "a\n", "\x85"]
    for bad in illegal:
        assert code({name: bad}) == "claim_invalid"
    for good in (" U1 ", "李雷", "é" * 100):
        assert code({name: good}) == "verified"


def test_jti_is_text_if_it_is_there() -> None:
    assert code({"jti": "x"}) == "verified"
    assert code({"jti": 1}) == "claim_invalid"


def test_the_first_claim_that_fails_gives_the_code() -> None:
    order = ["exp", "nbf", "iat", "iss", "aud", "sub", "tenant_id", "jti"]
    bad: dict[str, Any] = {
        "exp": AT - 100,
        "nbf": AT + 100,
        "iat": AT + 100,
        "iss": "x",
        "aud": "x",
        "sub": 1,
        "tenant_id": None,
        "jti": 1,
    }
    codes = [code({name: bad[name] for name in order[first:]}) for first in range(len(order))]
    assert codes == [
        "token_expired",
        "token_not_yet_valid",
        "token_not_yet_valid",
        "issuer_invalid",
        "audience_invalid",
        "claim_invalid",
        "claim_missing",
        "claim_invalid",
    ]
