from __future__ import annotations

import json

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from jwt.algorithms import ECAlgorithm, OKPAlgorithm

from pytest_ffparity.auth.keys import usable_key
from pytest_ffparity.auth.keyset import read_key_set
from pytest_ffparity.paths.keys import KeyRing


def test_each_kind_of_key_is_bound_to_one_algorithm(ring: KeyRing) -> None:
    (good,) = ring.jwks(["k1"])["keys"]
    bare = {name: good[name] for name in ("kty", "n", "e")}
    curve = json.loads(ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key()))
    edwards = json.loads(OKPAlgorithm.to_jwk(ed25519.Ed25519PrivateKey.generate().public_key()))
    keys = [good, bare, {**good, "alg": "PS256"}, curve, edwards]
    assert [usable_key(k).alg for k in keys] == ["RS256", "RS256", "PS256", "ES256", "EdDSA"]


def test_the_kids_of_refused_members_are_published_all_the_same(ring: KeyRing) -> None:
    first, second, third = ring.jwks(["k1", "k2", "k3"])["keys"]
    refused = [{"kty": "oct", "kid": "o"}, {**second, "use": "enc"}, {**second, "kid": "k3"}]
    keys = read_key_set({"keys": [first, *refused, third]})
    assert list(keys.by_kid) == ["k1"]
    assert keys.named == {"k1", "o", "k2", "k3"}
