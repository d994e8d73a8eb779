"""Rows H01 to H10: header members that change what a token means, or name a key of their own."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from jwt import get_algorithm_by_name
from jwt.algorithms import RSAAlgorithm

URLS = [
    "https://attacker.example/keys",
    "http://169.254.169.254/latest/meta-data/",
    "file:///etc/passwd",
]


class Attacker:
    """A key that nobody trusts, and what it signs."""

    def __init__(self) -> None:
        self.key = generate_private_key(65537, 2048)

    def sign(self, signed: bytes) -> bytes:
        return bytes(get_algorithm_by_name("RS256").sign(signed, self.key))

    @property
    def jwk(self) -> dict[str, Any]:
        jwk: dict[str, Any] = json.loads(RSAAlgorithm.to_jwk(self.key.public_key()))
        return {**jwk, "kid": "k1"}

    @property
    def chain(self) -> list[str]:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "issuer.example")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .sign(self.key, hashes.SHA256())
        )
        return [b64encode(certificate.public_bytes(Encoding.DER)).decode()]


@pytest.fixture(scope="module")
def attacker() -> Attacker:
    return Attacker()


def test_the_good_token_is_verified(judge: Any, issuer: Any) -> None:
    assert judge(issuer.token()) == "verified"


@pytest.mark.parametrize(
    "member",
    [
        *({"crit": []}, {"crit": "exp"}, {"crit": ["exp"]}, {"crit": ["unknown"]}, {"crit": None}),
        *({"crit": ["b64"], "b64": True}, {"crit": ["unknown"], "unknown": 1}),
    ],
)
def test_H01_any_crit_is_malformed(judge: Any, issuer: Any, member: dict[str, Any]) -> None:
    assert judge(issuer.token(header=member)) == "token_malformed"


@pytest.mark.parametrize("b64", [False, "false", 0, True, None])
def test_H02_any_b64_is_malformed(judge: Any, issuer: Any, b64: Any) -> None:
    assert judge(issuer.token(header={"b64": b64})) == "token_malformed"


@pytest.mark.parametrize("member", [{"zip": "DEF"}, {"enc": "A128GCM"}, {"zip": None}, {"enc": ""}])
def test_H03_zip_and_enc_are_malformed(judge: Any, issuer: Any, member: dict[str, Any]) -> None:
    assert judge(issuer.token(header=member)) == "token_malformed"


def test_H04_an_embedded_key_is_not_used(
    judge: Any, issuer: Any, endpoint: Any, attacker: Attacker
) -> None:
    token = issuer.token(header={"jwk": attacker.jwk}, sign=attacker.sign)
    assert judge(token) == "signature_invalid"
    assert endpoint.requests == 0


@pytest.mark.parametrize("name", ["jku", "x5u"])
def test_H05_a_url_in_the_header_is_never_asked(
    judge: Any, issuer: Any, endpoint: Any, attacker: Attacker, name: str
) -> None:
    endpoint.document = {"keys": [attacker.jwk]}
    for url in [*URLS, f"{endpoint.url}/attacker"]:
        token = issuer.token(header={name: url}, sign=attacker.sign)
        assert judge(token) == "signature_invalid"
    assert endpoint.requests == 0


def test_H06_a_chain_in_the_header_is_not_used(
    judge: Any, issuer: Any, endpoint: Any, attacker: Attacker
) -> None:
    token = issuer.token(header={"x5c": attacker.chain}, sign=attacker.sign)
    assert judge(token) == "signature_invalid"
    assert endpoint.requests == 0


def test_H07_a_good_token_is_verified_whatever_keys_its_header_names(
    judge: Any, issuer: Any, endpoint: Any, attacker: Attacker
) -> None:
    for member in ({"jwk": attacker.jwk}, {"jku": URLS[0]}, {"x5u": f"{endpoint.url}/attacker"}):
        assert judge(issuer.token(header=member)) == "verified"
    assert endpoint.requests == 0


def test_H08_the_known_kinds_of_token_pass(judge: Any, issuer: Any) -> None:
    bare = issuer.token(header=json.dumps({"alg": "RS256", "kid": "k1"}).encode())
    assert judge(bare) == "verified"
    for kind in ("JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt"):
        assert judge(issuer.token(header={"typ": kind})) == "verified"


def test_H08_in_strict_mode_only_access_tokens_pass(judge: Any, issuer: Any) -> None:
    bare = issuer.token(header=json.dumps({"alg": "RS256", "kid": "k1"}).encode())
    assert judge(bare, only_access_tokens=True) == "token_malformed"
    for kind, code in (("JWT", "token_malformed"), ("at+jwt", "verified")):
        assert judge(issuer.token(header={"typ": kind}), only_access_tokens=True) == code


@pytest.mark.parametrize(
    "kind", ["secevent+jwt", "dpop+jwt", "logout+jwt", 1, True, None, [], {}, "", "JWT "]
)
def test_H09_another_kind_of_token_is_malformed(judge: Any, issuer: Any, kind: Any) -> None:
    assert judge(issuer.token(header={"typ": kind})) == "token_malformed"


@pytest.mark.parametrize("content", ["JWT", "jwt", "application/json", None])
def test_H10_a_nested_token_is_malformed(judge: Any, issuer: Any, content: Any) -> None:
    assert judge(issuer.token(header={"cty": content})) == "token_malformed"
