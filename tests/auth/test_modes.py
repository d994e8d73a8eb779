"""The rows M-01 to M-10 of the mode table, each against a real endpoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_ffparity.evaluator.model import Identity, Rejection
from pytest_ffparity.evaluator.names import AuthMode

Ask = Callable[..., tuple[Identity | Rejection, int]]
Bearer = Callable[..., tuple[tuple[str, str], ...]]

DEV = (("X-FF-Tenant", "T-pty-pilot-01"), ("X-FF-User", "U1001"))


def known(mode: AuthMode, *warnings: str) -> Identity:
    return Identity(mode, "T-pty-pilot-01", "U1001", warnings)


def test_m01_a_good_token_is_verified(ask: Ask, bearer: Bearer) -> None:
    assert ask(bearer()) == (known(AuthMode.VERIFIED), 1)


def test_m01_a_held_key_needs_no_fetch(ask: Ask, bearer: Bearer) -> None:
    assert ask(bearer(), held=["k1"], age=299, reachable=False) == (known(AuthMode.VERIFIED), 0)


@pytest.mark.parametrize("dev", [True, False])
def test_m01_a_stale_set_verifies_with_a_warning(ask: Ask, bearer: Bearer, *, dev: bool) -> None:
    answer, _ = ask(bearer(), held=["k1"], age=400, reachable=False, dev=dev)
    assert answer == known(AuthMode.VERIFIED, "jwks_stale")


def test_m01_a_set_over_its_time_is_renewed_without_a_warning(ask: Ask, bearer: Bearer) -> None:
    assert ask(bearer(), held=["k1"], age=400) == (known(AuthMode.VERIFIED), 1)


@pytest.mark.parametrize(("held", "age"), [(None, 0), (["k1"], 3600), (["k2"], 9999)])
def test_m02_without_a_usable_set_the_fallback_decodes_only(
    ask: Ask, bearer: Bearer, held: list[str] | None, age: float
) -> None:
    answer, _ = ask(bearer(), held=held, age=age, reachable=False, dev=True)
    assert answer == known(AuthMode.DECODE_ONLY, "auth_not_verified", "jwks_unreachable")


@pytest.mark.parametrize("age", [0, 10, 3599])
def test_m03_a_set_without_the_kid_that_cannot_be_renewed_decodes_only(
    ask: Ask, bearer: Bearer, age: float
) -> None:
    answer, _ = ask(bearer(), held=["k2"], age=age, reachable=False, dev=True)
    assert answer == known(AuthMode.DECODE_ONLY, "auth_not_verified", "kid_not_found")


@pytest.mark.parametrize("dev", [True, False])
@pytest.mark.parametrize("reachable", [True, False])
def test_m04_a_bad_signature_ends_it_whatever_the_environment(
    ask: Ask, bearer: Bearer, *, dev: bool, reachable: bool
) -> None:
    answer = ask(bearer("signature") + DEV, held=["k1"], reachable=reachable, dev=dev)
    assert answer == (Rejection("signature_invalid"), 0)


def test_m04_the_signature_comes_before_the_claims(ask: Ask, bearer: Bearer) -> None:
    assert ask(bearer("expired", "signature"))[0] == Rejection("signature_invalid")


@pytest.mark.parametrize("fault", ["alg_none", "hs256_public_key"])
@pytest.mark.parametrize("reachable", [True, False])
def test_m05_an_algorithm_off_the_list_is_refused_before_any_fetch(
    ask: Ask, bearer: Bearer, fault: str, *, reachable: bool
) -> None:
    answer = ask(bearer(fault), reachable=reachable, dev=True)
    assert answer == (Rejection("alg_not_allowed"), 0)


CLAIM_FAULTS = [
    ("wrong_audience", "audience_invalid"),
    ("wrong_issuer", "issuer_invalid"),
    ("expired", "token_expired"),
    ("not_yet_valid", "token_not_yet_valid"),
    ("no_subject", "claim_missing"),
    ("numeric_subject", "claim_invalid"),
]


@pytest.mark.parametrize(("fault", "code"), CLAIM_FAULTS)
@pytest.mark.parametrize("reachable", [True, False])
def test_m06_m07_m10_a_bad_claim_is_refused_verified_and_decoded_alike(
    ask: Ask, bearer: Bearer, fault: str, code: str, *, reachable: bool
) -> None:
    answer, _ = ask(bearer(fault), reachable=reachable, dev=not reachable)
    assert answer == Rejection(code)


def test_m08_dev_headers_count_when_no_token_came(ask: Ask) -> None:
    assert ask(DEV, dev=True) == (known(AuthMode.DEV_HEADERS, "auth_not_verified"), 0)
    without_user = Identity(AuthMode.DEV_HEADERS, "T", None, ("auth_not_verified",))
    assert ask((("x-ff-TENANT", "T"),), dev=True)[0] == without_user


@pytest.mark.parametrize(
    "headers",
    [
        (("X-FF-Tenant", ""),),
        (("X-FF-Tenant", "a"), ("x-ff-tenant", "a")),
        (*DEV, ("X-FF-User", "U1002")),
        (("X-FF-Tenant", "a"), ("X-FF-User", "")),
        (("X-FF-Tenant", "x" * 201),),
        (("X-FF-Tenant", "a\nb"),),
    ],
)
def test_m08_illegal_or_repeated_dev_headers_are_refused(ask: Ask, headers: Any) -> None:
    assert ask(headers, dev=True)[0] == Rejection("dev_headers_invalid")


@pytest.mark.parametrize("held", [None, ["k2"]])
def test_m09_without_the_fallback_an_unreachable_set_is_a_503(
    ask: Ask, bearer: Bearer, held: list[str] | None
) -> None:
    answer, _ = ask(bearer(), held=held, reachable=False)
    assert isinstance(answer, Rejection)
    assert (answer.code, answer.http_status) == ("jwks_unreachable", 503)
    assert answer.retry_after is not None
    assert 1 <= answer.retry_after <= 6


@pytest.mark.parametrize("dev", [True, False])
def test_m09_a_kid_that_a_renewed_set_lacks_is_terminal(
    ask: Ask, bearer: Bearer, *, dev: bool
) -> None:
    assert ask(bearer("unknown_kid"), held=["k1"], dev=dev) == (Rejection("kid_not_found"), 1)


@pytest.mark.parametrize("headers", [DEV, (), (("X-FF-User", "U1001"),)])
def test_m09_dev_headers_without_the_fallback_are_anonymous(ask: Ask, headers: Any) -> None:
    assert ask(headers) == (Identity(AuthMode.ANONYMOUS), 0)


@pytest.mark.parametrize("value", ["Basic eA==", "Token x", "", "bearertoken"])
def test_another_scheme_never_becomes_dev_headers(ask: Ask, value: str) -> None:
    answer = ask((*DEV, ("Authorization", value)), dev=True)
    assert answer == (Rejection("auth_scheme_unsupported"), 0)


@pytest.mark.parametrize("scheme", ["bearer", "BEARER"])
def test_the_scheme_is_read_in_any_case(ask: Ask, bearer: Bearer, scheme: str) -> None:
    ((name, value),) = bearer()
    answer, _ = ask(((name.lower(), value.replace("Bearer", scheme)),))
    assert answer == known(AuthMode.VERIFIED)


def test_m10_two_authorization_headers_are_malformed(ask: Ask, bearer: Bearer) -> None:
    assert ask(bearer() + bearer()) == (Rejection("token_malformed"), 0)


@pytest.mark.parametrize("dev", [True, False])
def test_m10_a_malformed_token_is_refused_before_any_fetch(
    ask: Ask, bearer: Bearer, *, dev: bool
) -> None:
    answer = ask(bearer("malformed") + DEV, reachable=False, dev=dev)
    assert answer == (Rejection("token_malformed"), 0)
