"""Rows K01 to K10: which key a token names."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from jwt.algorithms import RSAAlgorithm

HOSTILE = [
    "../../dev/null",
    "|sleep 10",
    "k1' UNION SELECT 'x' --",
    "k1\r\nX-Forged: 1",
    "%s%n\x1b[31m",
    "\ud800",
]


def test_the_good_token_is_verified(judge: Any, issuer: Any, endpoint: Any) -> None:
    assert judge(issuer.token()) == "verified"
    assert endpoint.requests == 0


@pytest.mark.parametrize("kid", [1, None, [], {}, "", True, 1.5])
def test_K01_a_kid_that_is_no_text_is_malformed(
    judge: Any, issuer: Any, endpoint: Any, kid: Any
) -> None:
    token = issuer.token(header={"kid": kid})
    assert judge(token) == "token_malformed"
    assert judge(token, held=None, dev=True) == "token_malformed"
    assert endpoint.requests == 0


@pytest.mark.parametrize("length", [257, 1_000_000])
def test_K02_a_kid_that_is_too_long_is_malformed(
    judge: Any, issuer: Any, endpoint: Any, length: int
) -> None:
    token = issuer.token(header={"kid": "k" * length})
    assert judge(token) == "token_malformed"
    assert judge(token, max_token_bytes=1024 * 1024) == "token_malformed"
    assert endpoint.requests == 0


def test_K02_the_longest_kid(judge: Any, issuer: Any) -> None:
    kid = "k" * 256
    held = {"keys": [issuer.jwk(kid=kid)]}
    assert judge(issuer.token(header={"kid": kid}), held=held) == "verified"


@pytest.mark.parametrize("kid", HOSTILE)
def test_K03_a_hostile_kid_is_not_found_and_not_logged(
    judge: Any, issuer: Any, endpoint: Any, caplog: pytest.LogCaptureFixture, kid: str
) -> None:
    caplog.set_level(logging.DEBUG)
    assert judge(issuer.token(header={"kid": kid})) == "kid_not_found"
    assert endpoint.requests <= 1
    lines = [record.getMessage() for record in caplog.records if "ffparity" in record.name]
    assert any("kid_not_found" in line for line in lines)
    for line in lines:
        assert line.isprintable()
        assert "Forged" not in line
        assert "UNION" not in line


def without_kid(issuer: Any, key: str = "k1") -> str:
    header = {"alg": issuer.alg.get(key, "RS256"), "typ": "JWT"}
    return str(issuer.token(key=key, header=json.dumps(header).encode()))


@pytest.mark.parametrize("others", [[], ["es"], ["es", "ed", "ps"]])
def test_K04_a_token_without_kid_takes_the_only_fitting_key(
    judge: Any, issuer: Any, endpoint: Any, others: list[str]
) -> None:
    assert judge(without_kid(issuer), held=["k1", *others]) == "verified"
    jwk = issuer.jwk()
    del jwk["kid"]
    unnamed = [jwk, *issuer.jwks(*others)["keys"]]
    assert judge(without_kid(issuer), held={"keys": unnamed}) == "verified"
    assert endpoint.requests == 0


@pytest.mark.parametrize("dev", [True, False])
def test_K05_a_token_without_kid_tries_no_keys_out(
    judge: Any, issuer: Any, endpoint: Any, *, dev: bool
) -> None:
    assert judge(without_kid(issuer), held=["k1", "k2"], dev=dev) == "kid_not_found"
    assert endpoint.requests == 0


@pytest.mark.parametrize(
    ("named", "asked"),
    [("k1", "K1"), ("jos\u00e9", "jose\u0301"), ("k", "\u212a"), ("k1", "k1 "), ("k1", "\uff4b1")],
)
def test_K06_a_kid_is_compared_letter_by_letter(
    judge: Any, issuer: Any, endpoint: Any, named: str, asked: str
) -> None:
    document = {"keys": [issuer.jwk(kid=named)]}
    endpoint.document = document
    assert judge(issuer.token(header={"kid": named}), held=document) == "verified"
    assert judge(issuer.token(header={"kid": asked}), held=document) == "kid_not_found"


def test_K07_a_refresh_that_brings_the_kid(judge: Any, issuer: Any, endpoint: Any) -> None:
    endpoint.document = issuer.jwks("k1", "k2")
    assert judge(issuer.token(key="k2")) == "verified"
    assert endpoint.requests == 1


@pytest.mark.parametrize("dev", [True, False])
def test_K08_a_refresh_that_does_not_bring_it_is_final(
    judge: Any, issuer: Any, endpoint: Any, *, dev: bool
) -> None:
    beside = [("X-FF-Tenant", "T")]
    assert judge(issuer.token(key="k2"), dev=dev, beside=beside) == "kid_not_found"
    assert endpoint.requests == 1


def test_K09_within_the_cool_down_nothing_is_fetched(
    start: Any, issuer: Any, endpoint: Any
) -> None:
    service = start("k1")
    token = issuer.token(key="k2")
    assert service(token) == "kid_not_found"
    assert endpoint.requests == 1
    for seconds in (0.0, 29.0):
        service.now = 1000.0 + seconds
        assert service(token) == "kid_not_found"
    assert endpoint.requests == 1
    service.now = 1030.0
    assert service(token) == "kid_not_found"
    assert endpoint.requests == 2


REFUSED: dict[str, dict[str, Any]] = {
    "for encryption": {"use": "enc"},
    "private": {"d": "eA"},
    "for signing only": {"key_ops": ["sign"]},
    "of a small exponent": {"e": "Aw"},
    "of an unknown algorithm": {"alg": "RSA-OAEP"},
}


@pytest.mark.parametrize("why", REFUSED)
def test_K10_a_key_that_is_refused_is_not_there(
    judge: Any, issuer: Any, endpoint: Any, why: str
) -> None:
    document = {"keys": [issuer.jwk("k2"), issuer.jwk(**REFUSED[why])]}
    endpoint.document = document
    assert judge(issuer.token(), held=document) == "kid_not_found"
    assert judge(issuer.token(key="k2"), held=document) == "verified"


def test_K10_a_weak_key_is_not_there(judge: Any, issuer: Any, endpoint: Any) -> None:
    weak = generate_private_key(65537, 1024)  # noqa: S505 - weak is what it is for
    jwk = {**RSAAlgorithm.to_jwk(weak.public_key(), as_dict=True), "kid": "weak"}
    endpoint.document = {"keys": [issuer.jwk(), jwk]}
    token = issuer.token(
        header={"kid": "weak"}, sign=lambda signed: weak.sign(signed, PKCS1v15(), SHA256())
    )
    assert judge(token, held=endpoint.document) == "kid_not_found"
    assert judge(issuer.token(), held=endpoint.document) == "verified"
