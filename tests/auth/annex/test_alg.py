"""Rows A01 to A12: the algorithm is the caller's choice, and bound to the key."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt import get_algorithm_by_name

from pytest_ffparity.auth.settings import AuthSettings
from pytest_ffparity.net.environment import ConfigurationError


def decoded(judge: Any, endpoint: Any, token: str) -> str:
    endpoint.status = 500
    return str(judge(token, held=None, dev=True))


def test_the_good_tokens_are_verified(judge: Any, issuer: Any) -> None:
    for key in ("k1", "ps", "es", "ed"):
        assert judge(issuer.token(key=key), held=[key]) == "verified"


def none_is_refused(judge: Any, issuer: Any, endpoint: Any, alg: str) -> None:
    for signature in (b"", b"x"):
        token = issuer.token(header={"alg": alg}, sign=lambda _, s=signature: s)
        assert judge(token) == "alg_not_allowed"
        assert endpoint.requests == 0
        assert decoded(judge, endpoint, token) == "alg_not_allowed"
        assert endpoint.requests == 0


def test_A01_none_is_refused(judge: Any, issuer: Any, endpoint: Any) -> None:
    none_is_refused(judge, issuer, endpoint, "none")


def test_A02_none_with_a_capital_is_refused(judge: Any, issuer: Any, endpoint: Any) -> None:
    none_is_refused(judge, issuer, endpoint, "None")


def test_A03_none_in_capitals_is_refused(judge: Any, issuer: Any, endpoint: Any) -> None:
    none_is_refused(judge, issuer, endpoint, "NONE")


def test_A04_none_in_mixed_case_is_refused(judge: Any, issuer: Any, endpoint: Any) -> None:
    none_is_refused(judge, issuer, endpoint, "nOnE")


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE"])
def test_A05_none_with_a_signature_left_on_is_refused(
    judge: Any, issuer: Any, endpoint: Any, alg: str
) -> None:
    head, body, signature = issuer.token().split(".")
    header = json.loads(urlsafe_b64decode(head + "=="))
    forged = urlsafe_b64encode(json.dumps({**header, "alg": alg}).encode()).rstrip(b"=").decode()
    assert judge(f"{forged}.{body}.{signature}") == "alg_not_allowed"
    signed_anew = issuer.token(header={"alg": alg})
    assert judge(signed_anew) == "alg_not_allowed"
    assert decoded(judge, endpoint, signed_anew) == "alg_not_allowed"


@pytest.mark.parametrize("digest", ["256", "384", "512"])
@pytest.mark.parametrize("form", ["PEM", "DER", "JWK", "modulus", "empty"])
def test_A06_a_public_key_is_no_secret(
    judge: Any, issuer: Any, endpoint: Any, digest: str, form: str
) -> None:
    public = issuer.private["k1"].public_key()
    numbers = public.public_numbers()
    secret = {
        "PEM": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "DER": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "JWK": json.dumps(issuer.jwk()).encode(),
        "modulus": numbers.n.to_bytes(256, "big"),
        "empty": b"",
    }[form]
    token = issuer.token(
        header={"alg": f"HS{digest}"},
        sign=lambda signed: hmac.digest(secret, signed, f"sha{digest}"),
    )
    assert judge(token) == "alg_not_allowed"
    assert decoded(judge, endpoint, token) == "alg_not_allowed"
    assert endpoint.requests == 0


@pytest.mark.parametrize(
    "alg",
    ["missing", None, "", [], {}, "rs256", "RS256 ", " RS256", "RS256\x00", 1, True, "Ed25519"],
)
def test_A07_what_is_no_listed_name_is_refused(judge: Any, issuer: Any, alg: Any) -> None:
    header = {"typ": "JWT", "kid": "k1"} | ({} if alg == "missing" else {"alg": alg})
    assert judge(issuer.token(header=json.dumps(header).encode())) == "alg_not_allowed"


@pytest.mark.parametrize("alg", ["RS384", "RS512", "PS256"])
def test_A08_a_key_is_bound_to_its_algorithm(judge: Any, issuer: Any, alg: str) -> None:
    token = issuer.token(alg=alg)
    assert judge(token) == "alg_not_allowed"
    assert judge(token, held={"keys": [issuer.jwk(alg=alg)]}) == "verified"


def test_A09_another_kind_of_key_than_the_algorithms(judge: Any, issuer: Any) -> None:
    for alg, kid, held in (("ES256", "k1", "k1"), ("RS256", "es", "es"), ("EdDSA", "es", "es")):
        key = {"ES256": "es", "RS256": "k1", "EdDSA": "ed"}[alg]
        token = issuer.token(key=key, header={"kid": kid})
        assert judge(token, held=[held]) == "alg_not_allowed"


@pytest.mark.parametrize(("header", "signed"), [("PS256", "RS256"), ("RS256", "PS256")])
@pytest.mark.parametrize("bound", ["RS256", "PS256", None])
def test_A10_one_padding_is_not_taken_for_the_other(
    judge: Any, issuer: Any, header: str, signed: str, bound: str | None
) -> None:
    how = get_algorithm_by_name(signed)
    token = issuer.token(
        header={"alg": header}, sign=lambda text: how.sign(text, issuer.private["k1"])
    )
    jwk = issuer.jwk()
    jwk.pop("alg")
    held = {"keys": [jwk if bound is None else {**jwk, "alg": bound}]}
    assert judge(token, held=held) in ("alg_not_allowed", "signature_invalid")


@pytest.mark.parametrize(
    "listed", ["HS256", "none", "RS256,HS512", "None", "RS256 PS256", "Ed25519"]
)
def test_A11_a_list_with_a_secret_algorithm_refuses_to_start(listed: str) -> None:
    env = {"FF_JWT_ISSUER": "a", "FF_JWKS_URL": "https://a/k", "FF_JWT_ALGORITHMS": listed}
    with pytest.raises(ConfigurationError, match="FF_JWT_ALGORITHMS"):
        AuthSettings.from_env(env)


def test_A11_a_narrower_list_is_held_to(judge: Any, issuer: Any) -> None:
    narrow = frozenset({"ES256"})
    assert judge(issuer.token(), algorithms=narrow) == "alg_not_allowed"
    assert judge(issuer.token(key="es"), held=["es"], algorithms=narrow) == "verified"


def test_A12_the_algorithm_comes_before_the_key(judge: Any, issuer: Any, endpoint: Any) -> None:
    token = issuer.token(header={"alg": "none", "kid": "unknown"}, sign=lambda _: b"")
    assert judge(token) == "alg_not_allowed"
    assert judge(token, held=None, dev=True) == "alg_not_allowed"
    assert endpoint.requests == 0
