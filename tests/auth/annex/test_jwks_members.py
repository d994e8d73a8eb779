"""J03 to J09, J14 to J16: members of a set that are left out, and those beside them that are used."""

from __future__ import annotations

import json
import logging
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.hmac import HMAC
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

KEYSET = "pytest_ffparity.auth.keyset"
FAMILIES: dict[str, Any] = {"k2": RSAAlgorithm, "es": ECAlgorithm, "ed": OKPAlgorithm}


class Beside:
    """Publishes members beside the good `k3` while `k1` is held, before it and behind it.

    The set is taken as a whole, so a token of a member that it says nothing about is not found.
    """

    def __init__(self, start: Any, endpoint: Any, issuer: Any) -> None:
        self._start, self._endpoint, self._issuer = start, endpoint, issuer
        self._services: list[Any] = []

    def publish(self, *members: Any) -> None:
        good = self._issuer.jwk("k3")
        self._services = []
        for keys in ([*members, good], [good, *members]):
            self._endpoint.document = {"keys": keys}
            service = self._start("k1", overlap=0)
            before = self._endpoint.requests
            assert service(self._issuer.token(key="k3")) == "verified"
            assert service(self._issuer.token(key="k1")) == "kid_not_found"
            assert self._endpoint.requests == before + 1
            self._services.append(service)

    def skips(self, key: str, *members: dict[str, Any]) -> None:
        """Show that no member is used, each published under a kid of its own, all at once."""
        self.publish(*({**member, "kid": f"bad-{n}"} for n, member in enumerate(members)))
        for n, _ in enumerate(members):
            token = self._issuer.token(key=key, header={"kid": f"bad-{n}"})
            assert (n, self(token)) == (n, "kid_not_found")

    def __call__(self, token: str) -> str:
        """Give what a token comes to, wherever the members stand."""
        first, second = (service(token) for service in self._services)
        assert first == second
        return str(first)


@pytest.fixture
def beside(start: Any, endpoint: Any, issuer: Any) -> Beside:
    return Beside(start, endpoint, issuer)


class Refusals:
    """Why members were left out, as the log tells it."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog

    def __call__(self) -> set[Any]:
        records = [record for record in self._caplog.records if record.name == KEYSET]
        assert {record.levelno for record in records} <= {logging.WARNING}
        return {vars(record)["why"] for record in records}

    def tell_nothing_of(self, *secrets: str) -> None:
        everything = "\n".join(
            f"{record.getMessage()} {vars(record)}" for record in self._caplog.records
        )
        assert not any(secret in everything for secret in secrets)


@pytest.fixture
def refusals(caplog: pytest.LogCaptureFixture) -> Refusals:
    return Refusals(caplog)


def without(jwk: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in jwk.items() if name not in names}


def b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.mark.parametrize("key", ["k2", "ps", "es", "ed"])
def test_a_good_member_is_used(beside: Beside, refusals: Refusals, issuer: Any, key: str) -> None:
    for good in (
        issuer.jwk(key),
        without(issuer.jwk(key), "use"),
        issuer.jwk(key, key_ops=["verify"]),
        issuer.jwk(key, key_ops=["sign", "verify"]),
        issuer.jwk(key, x5c=["unread"], more={"of": "anything"}),
    ):
        beside.publish(good)
        assert beside(issuer.token(key=key)) == "verified"
    assert refusals() == set()


JUNK: list[Any] = [None, "k2", "", 7, 1.5, True, [], [{}]]


def test_J03_members_that_are_no_objects_are_skipped(
    beside: Beside, refusals: Refusals, issuer: Any
) -> None:
    for junk in JUNK:
        beside.publish(junk)
    beside.publish(*JUNK, [issuer.jwk("k2")])
    assert beside(issuer.token(key="k2")) == "kid_not_found"
    assert refusals() == {"no object"}


@pytest.mark.parametrize("key", FAMILIES)
def test_J04_a_member_with_alg_none_or_no_text_is_skipped(
    beside: Beside, refusals: Refusals, issuer: Any, key: str
) -> None:
    algs: list[Any] = ["none", "None", "NONE", "nOnE", ["RS256"], ["none"], [], {}, 256, None, ""]
    for alg in algs:
        beside.publish(issuer.jwk(key, alg=alg))
    beside.skips(key, *(issuer.jwk(key, alg=alg) for alg in algs))
    none = issuer.token(key=key, alg="none", header={"kid": "bad-0"})
    assert beside(none) == "alg_not_allowed"
    assert refusals() == {"alg is not one of this key's type"}


def test_J05_a_member_of_no_kty_or_another_is_skipped(beside: Beside, issuer: Any) -> None:
    ktys: list[Any] = ["rsa", "Rsa", "RSA ", "AKP", "EC", "OKP", "", None, [], {}, 1]
    good = issuer.jwk("k2")
    beside.skips("k2", without(good, "kty"), *({**good, "kty": kty} for kty in ktys))
    beside.skips("es", {**issuer.jwk("es"), "kty": "ec"}, {**issuer.jwk("es"), "kty": "RSA"})
    beside.skips("ed", {**issuer.jwk("ed"), "kty": "okp"}, {**issuer.jwk("ed"), "kty": "AKP"})


@pytest.mark.parametrize("name", ["n", "e"])
def test_J05_a_member_with_a_spoilt_number_is_skipped(
    beside: Beside, issuer: Any, name: str
) -> None:
    jwk = issuer.jwk("k2")
    good = jwk[name]
    number = int.from_bytes(urlsafe_b64decode(f"{good}=="))
    spoilt: list[Any] = [
        *(65537, number, 1.5, None, True, "", [good], {}),
        *(f"{good}=", f"{good}==", f" {good}", f"{good}\n", f"{good}\x00", "AAAAA", str(number)),
        *(f"{good[:-1]}{letter}" for letter in "*+/=é "),
    ]
    beside.skips("k2", without(jwk, name), *({**jwk, name: value} for value in spoilt))


def test_J06_a_member_for_another_purpose_is_skipped(
    beside: Beside, refusals: Refusals, issuer: Any
) -> None:
    uses: list[Any] = ["enc", "SIG", "", None, 1, ["sig"], "sig enc"]
    beside.skips("k2", *(issuer.jwk("k2", use=use) for use in uses))
    assert refusals() == {"use is not sig"}


def test_J06_a_member_for_other_operations_is_skipped(
    beside: Beside, refusals: Refusals, issuer: Any
) -> None:
    all_ops: list[Any] = [
        *(["sign"], [], ["encrypt"], ["Verify"], ["wrapKey"], ["sign", "encrypt"]),
        *("verify", None, {"verify": 1}, 1, True),
        *(["verify", "verify"], ["verify", "sign", "sign"], ["verify", 1], ["verify", None]),
        # What contradicts itself, or `use`.
        *(["verify", "encrypt"], ["verify", "deriveKey"], ["verify", "unwrapKey"]),
    ]
    jwk = issuer.jwk("k2")
    beside.skips("k2", *({**jwk, "key_ops": ops} for ops in all_ops))
    beside.skips("k2", *({**without(jwk, "use"), "key_ops": ops} for ops in all_ops))
    assert refusals() == {"key_ops are not those of a key for verifying"}
    beside.skips("k2", {**jwk, "use": "enc", "key_ops": ["verify"]})


@pytest.mark.parametrize(
    ("key", "algs"),
    [
        ("k2", ["RSA-OAEP", "RSA1_5", "HS256", "ES256", "EdDSA", "rs256", "RS256 "]),
        ("es", ["ES512", "ES384", "ES256K", "RS256", "ECDH-ES", "HS256", "es256"]),
        ("ed", ["ES256", "RS256", "Ed448", "ECDH-ES", "HS256"]),
    ],
)
def test_J07_a_member_whose_alg_is_not_its_own_is_skipped(
    beside: Beside, refusals: Refusals, issuer: Any, key: str, algs: list[str]
) -> None:
    beside.skips(key, *(issuer.jwk(key, alg=alg) for alg in algs))
    assert refusals() == {"alg is not one of this key's type"}


SECRET = b"a secret of thirty-two bytes, ok"
OCT = {"kty": "oct", "kid": "o", "k": b64(SECRET), "alg": "HS256", "use": "sig"}
HASHES: dict[str, Any] = {"HS256": SHA256, "HS384": SHA384, "HS512": SHA512}


def by_secret(issuer: Any, alg: str) -> str:
    def signed(raw: bytes) -> bytes:
        mac = HMAC(SECRET, HASHES[alg]())
        mac.update(raw)
        return mac.finalize()

    return str(issuer.token(header={"alg": alg, "kid": "o"}, sign=signed))


@pytest.mark.parametrize("alg", HASHES)
def test_J08_a_secret_among_the_keys_is_skipped_and_told(
    beside: Beside, refusals: Refusals, issuer: Any, alg: str
) -> None:
    for secret in ({**OCT, "alg": alg}, without(OCT, "alg"), without(OCT, "k"), {**OCT, "k": 1}):
        beside.publish(secret)
        assert beside(by_secret(issuer, alg)) == "alg_not_allowed"
        assert beside(issuer.token(header={"kid": "o"})) == "kid_not_found"
    assert refusals() == {"a secret (kty oct) is published"}
    refusals.tell_nothing_of(OCT["k"], SECRET.decode())


def test_J08_a_secret_alone_is_no_set(
    start: Any, endpoint: Any, issuer: Any, refusals: Refusals
) -> None:
    endpoint.document = {"keys": [OCT]}
    service = start("k1", age=300, overlap=0)
    assert service(issuer.token()) == "verified jwks_stale"
    assert [service(by_secret(issuer, alg)) for alg in HASHES] == ["alg_not_allowed"] * 3
    assert refusals() == {"a secret (kty oct) is published"}


def private(issuer: Any, key: str) -> dict[str, Any]:
    jwk: dict[str, Any] = json.loads(FAMILIES[key].to_jwk(issuer.private[key]))
    return {**without(jwk, "key_ops"), **issuer.jwk(key)}


@pytest.mark.parametrize("key", FAMILIES)
def test_J09_a_private_key_among_them_is_skipped_and_told(
    beside: Beside, refusals: Refusals, issuer: Any, key: str
) -> None:
    whole, public = private(issuer, key), issuer.jwk(key)
    secrets = {name: whole[name] for name in whole.keys() - public.keys()}
    assert "d" in secrets
    beside.skips(key, whole, *({**public, name: value} for name, value in secrets.items()))
    assert refusals() == {"private members are published: the key is no secret any more"}
    refusals.tell_nothing_of(*secrets.values())


def test_J09_whatever_a_private_member_holds_it_is_skipped(beside: Beside, issuer: Any) -> None:
    values: list[Any] = ["AQAB", "", None, 7, []]
    names = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
    beside.skips("k2", *(issuer.jwk("k2", **{name: v}) for name in names for v in values))


AMBIGUOUS = {"its kid names another key"}


@pytest.mark.parametrize(
    "keys", [("k1", "k2"), ("k2", "es"), ("k1", "k2", "k1"), ("es", "ed", "k2")]
)
def test_J14_a_kid_of_several_keys_names_none_of_them(
    beside: Beside, refusals: Refusals, issuer: Any, keys: tuple[str, ...]
) -> None:
    beside.publish(*(issuer.jwk(key, kid="twice") for key in keys), issuer.jwk("ps"))
    for key in keys:
        assert beside(issuer.token(key=key, header={"kid": "twice"})) == "kid_not_found"
    assert beside(issuer.token(key="ps")) == "verified"
    assert refusals() == AMBIGUOUS


def test_J14_one_key_for_two_algorithms_is_two_keys(
    beside: Beside, refusals: Refusals, issuer: Any
) -> None:
    beside.publish(issuer.jwk("k2"), issuer.jwk("k2", alg="PS256"))
    for alg in ("RS256", "PS256"):
        assert beside(issuer.token(key="k2", alg=alg)) == "kid_not_found"
    assert refusals() == AMBIGUOUS


@pytest.mark.parametrize("key", ["k2", "es", "ed"])
def test_J15_a_key_that_stands_twice_is_one_key(
    beside: Beside, refusals: Refusals, issuer: Any, key: str
) -> None:
    good = issuer.jwk(key)
    beside.publish(good, good, without(good, "use"), {**good, "key_ops": ["verify"]})
    assert beside(issuer.token(key=key)) == "verified"
    assert refusals() == set()


def test_J15_it_is_the_only_key_for_a_token_without_a_kid(beside: Beside, issuer: Any) -> None:
    beside.publish(issuer.jwk("es"), issuer.jwk("es", x5t="unread"))
    assert beside(issuer.token(key="es", header=b'{"alg":"ES256"}')) == "verified"


@pytest.mark.parametrize("kid", [5, 0, True, None, ["es"], {}, "", "x" * 257, "x" * 10_240])
def test_J16_a_member_without_a_sound_kid_has_none(beside: Beside, issuer: Any, kid: Any) -> None:
    beside.publish(issuer.jwk("es", kid=kid))
    for said in ("es", str(kid)[:256] or "-", "5", "null"):
        assert beside(issuer.token(key="es", header={"kid": said})) == "kid_not_found"
    assert beside(issuer.token(key="es", header={"kid": kid})) == "token_malformed"
    # It is a good key for all that.
    assert beside(issuer.token(key="es", header=b'{"alg":"ES256"}')) == "verified"


def test_J16_a_member_with_no_kid_at_all_has_none(beside: Beside, issuer: Any) -> None:
    beside.publish(without(issuer.jwk("es"), "kid"))
    assert beside(issuer.token(key="es")) == "kid_not_found"
    assert beside(issuer.token(key="es", header=b'{"alg":"ES256"}')) == "verified"


@pytest.mark.parametrize("kid", [5, "", "x" * 257, "x" * 10_240])
def test_J16_members_without_a_sound_kid_are_no_namesakes(
    beside: Beside, refusals: Refusals, issuer: Any, kid: Any
) -> None:
    beside.publish(issuer.jwk("es", kid=kid), issuer.jwk("ed", kid=kid))
    assert beside(issuer.token(key="es", header=b'{"alg":"ES256"}')) == "verified"
    assert beside(issuer.token(key="ed", header=b'{"alg":"EdDSA"}')) == "verified"
    assert refusals() == set()
