from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from pytest_ffparity.auth.keys import JWKRefusedError, usable_key
from pytest_ffparity.auth.keyset import KeySetError, read_key_set
from pytest_ffparity.auth.roca import has_roca_fingerprint
from pytest_ffparity.paths.keys import KeyRing


def b64(number: int, size: int) -> str:
    return urlsafe_b64encode(number.to_bytes(size)).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def good(ring: KeyRing) -> dict[str, Any]:
    jwk: dict[str, Any] = ring.jwks(["k1"])["keys"][0]
    return jwk


@pytest.fixture(scope="module")
def curve() -> dict[str, Any]:
    key = ec.generate_private_key(ec.SECP256R1())
    jwk: dict[str, Any] = json.loads(ECAlgorithm.to_jwk(key.public_key()))
    return jwk


def test_each_kind_of_key_is_bound_to_one_algorithm(
    good: dict[str, Any], curve: dict[str, Any]
) -> None:
    edwards = json.loads(OKPAlgorithm.to_jwk(ed25519.Ed25519PrivateKey.generate().public_key()))
    bare = {name: good[name] for name in ("kty", "n", "e")}
    keys = [good, bare, {**good, "alg": "PS256"}, curve, edwards]
    assert [usable_key(k).alg for k in keys] == ["RS256", "RS256", "PS256", "ES256", "EdDSA"]


@pytest.mark.parametrize(
    "change",
    [
        *({"kty": None}, {"kty": "rsa"}, {"kty": "AKP"}, {"kty": []}, {"kty": "oct", "k": "eA"}),
        *({"n": None}, {"n": 5}, {"n": "*"}, {"n": ""}, {"n": "A" * 1_000_000}, {"e": "é"}),
        *({"e": "AQ"}, {"e": "Ag"}, {"e": "Aw"}, {"e": b64(65538, 3)}, {"n": b64(2**2047, 256)}),
        *({"use": "enc"}, {"use": None}, {"key_ops": ["sign"]}, {"key_ops": "verify"}),
        *({"key_ops": ["verify", "verify"]}, {"key_ops": ["verify", "encrypt"]}, {"key_ops": [1]}),
        *({"alg": "RSA-OAEP"}, {"alg": "HS256"}, {"alg": "ES256"}, {"alg": "none"}, {"alg": []}),
        *({"d": "eA"}, {"p": "eA"}),
    ],
)
def test_a_member_that_is_weak_or_not_for_signatures_is_refused(
    good: dict[str, Any], change: dict[str, Any]
) -> None:
    with pytest.raises(JWKRefusedError):
        usable_key({**good, **change})


@pytest.mark.parametrize(
    "change",
    [
        *({"x": b64(0, 32), "y": b64(0, 32)}, {"x": b64(5, 32)}, {"y": b64(1, 33)}),
        *({"crv": "P-384"}, {"crv": None}, {"crv": "secp256k1"}, {"alg": "ES512"}),
    ],
)
def test_a_point_off_its_curve_is_refused(curve: dict[str, Any], change: dict[str, Any]) -> None:
    with pytest.raises(JWKRefusedError):
        usable_key({**curve, **change})


def test_short_rsa_keys_are_refused() -> None:
    key = rsa.generate_private_key(65537, 1024).public_key()  # noqa: S505 - that is the case
    with pytest.raises(JWKRefusedError, match="2048"):
        usable_key(json.loads(RSAAlgorithm.to_jwk(key)))


def test_the_roca_fingerprint_is_seen() -> None:
    assert has_roca_fingerprint(pow(65537, 101))
    sound = rsa.generate_private_key(65537, 2048).public_key().public_numbers()
    assert not has_roca_fingerprint(sound.n)


def test_one_bad_member_does_not_spoil_the_others(good: dict[str, Any]) -> None:
    junk: list[Any] = [None, "x", 1, [], {}, {**good, "alg": []}, {"kty": "oct", "kid": "o"}]
    keys = read_key_set({"keys": [*junk, {**good, "kid": "last"}]})
    assert list(keys.by_kid) == ["last"]
    assert "o" in keys.named


def test_a_kid_of_two_keys_names_neither(ring: KeyRing) -> None:
    first, second, other = ring.jwks(["k1", "k2", "k3"])["keys"]
    keys = read_key_set({"keys": [first, {**second, "kid": "k1"}, other]})
    assert list(keys.by_kid) == ["k3"]


def test_one_key_listed_twice_is_one_key(good: dict[str, Any]) -> None:
    assert list(read_key_set({"keys": [good, dict(good)]}).by_kid) == ["k1"]


@pytest.mark.parametrize(
    "document",
    [[], "x", None, {}, {"keys": None}, {"keys": {}}, {"keys": "x"}, {"keys": []}, {"keys": [{}]}],
)
def test_a_document_without_a_usable_key_is_no_key_set(document: Any) -> None:
    with pytest.raises(KeySetError):
        read_key_set(document)


def test_too_many_keys_are_refused(good: dict[str, Any]) -> None:
    with pytest.raises(KeySetError, match="64"):
        read_key_set({"keys": [good] * 65})


def test_a_token_without_a_kid_needs_an_only_fitting_key(ring: KeyRing) -> None:
    first, second = ring.jwks(["k1", "k2"])["keys"]
    bare = {name: first[name] for name in ("kty", "n", "e")}
    only, several = read_key_set({"keys": [bare, {**second, "alg": "PS256"}]}).only_key("RS256")
    assert only is not None
    assert not several
    assert read_key_set({"keys": [first, second]}).only_key("RS256") == (None, True)
