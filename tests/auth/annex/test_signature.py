"""Rows G01 to G10: a signature that is not the key's is the end, whatever else is so."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256 as sha256_of
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from pytest_ffparity.auth.keys import PublicKey

KEYS = ["k1", "ps", "es", "ed"]
DEV = (("X-FF-Tenant", "T-pty-pilot-01"),)
P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def decoded(segment: str) -> bytes:
    return urlsafe_b64decode(segment + "==")


def encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def with_signature(issuer: Any, key: str, change: Callable[[bytes], bytes]) -> str:
    return str(issuer.token(key=key, sign=lambda signed: change(issuer.sign(signed, key=key))))


@pytest.mark.parametrize("key", KEYS)
def test_the_good_token_is_verified(judge: Any, issuer: Any, key: str) -> None:
    assert judge(issuer.token(key=key), held=[key]) == "verified"
    assert judge(with_signature(issuer, key, bytes), held=[key]) == "verified"


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("segment", [0, 1, 2])
def test_G01_one_flipped_bit(judge: Any, issuer: Any, key: str, segment: int) -> None:
    good = issuer.token(key=key)
    parts = good.split(".")
    raw = decoded(parts[segment])
    seen = set()
    for at in (0, 1, len(raw) // 2, len(raw) - 2, len(raw) - 1):
        for bit in (1, 0x20):
            changed = bytes(byte ^ (bit if place == at else 0) for place, byte in enumerate(raw))
            forged = ".".join([*parts[:segment], encoded(changed), *parts[segment + 1 :]])
            # Once fresh, and once where the good token has just been verified.
            seen |= {judge(forged, held=[key]), judge(good, forged, held=[key])}
    if segment:
        assert seen == {"signature_invalid"}
    else:
        assert seen <= {"signature_invalid", "token_malformed", "alg_not_allowed", "kid_not_found"}


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("dev", [True, False])
def test_G02_an_empty_signature(judge: Any, issuer: Any, key: str, *, dev: bool) -> None:
    token = with_signature(issuer, key, lambda _: b"")
    assert token.endswith(".")
    assert judge(token, held=[key], dev=dev) == "token_malformed"


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "a byte less": lambda s: s[:-1],
    "a byte less in front": lambda s: s[1:],
    "a zero more": lambda s: s + b"\0",
    "zeros more": lambda s: s + bytes(16),
    "zeros in front": lambda s: bytes(2) + s,
    "all zero": lambda s: bytes(len(s)),
    "all ones": lambda s: b"\xff" * len(s),
    "one byte": lambda s: s[:1],
}


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("change", CHANGES)
def test_G03_a_signature_of_another_shape(judge: Any, issuer: Any, key: str, change: str) -> None:
    token = with_signature(issuer, key, CHANGES[change])
    assert judge(token, held=[key]) == "signature_invalid"


@pytest.mark.parametrize("dev", [True, False])
def test_G04_another_key_under_the_same_kid(
    judge: Any, issuer: Any, endpoint: Any, *, dev: bool
) -> None:
    token = issuer.token(sign=lambda signed: issuer.sign(signed, key="k2"))
    assert judge(token, dev=dev, beside=DEV) == "signature_invalid"
    assert endpoint.requests == 0


@pytest.mark.parametrize("key", KEYS)
def test_G05_the_payload_of_one_token_with_the_signature_of_another(
    judge: Any, issuer: Any, key: str
) -> None:
    first = issuer.token(key=key)
    second = issuer.token(key=key, claims={"sub": "U2"})
    mixed = f"{first.rpartition('.')[0]}.{second.rpartition('.')[2]}"
    assert judge(mixed, held=[key]) == "signature_invalid"
    assert judge(first, second, mixed, held=[key]) == "signature_invalid"


def pair(r: int, s: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def test_G06_elliptic_signatures_in_another_form(judge: Any, issuer: Any) -> None:
    def ask(form: Callable[[bytes], bytes]) -> str:
        sign = issuer.private["es"].sign
        token = issuer.token(key="es", sign=lambda text: form(sign(text, ECDSA(hashes.SHA256()))))
        return str(judge(token, held=["es"]))

    assert ask(lambda der: pair(*decode_dss_signature(der))) == "verified"
    from_der: list[Callable[[bytes], bytes]] = [
        lambda der: der,
        lambda der: pair(0, decode_dss_signature(der)[1]),
        lambda der: pair(decode_dss_signature(der)[0], 0),
        lambda der: pair(P256, decode_dss_signature(der)[1]),
        lambda der: pair(decode_dss_signature(der)[0], P256),
        lambda der: pair(2**256 - 1, decode_dss_signature(der)[1]),
        lambda der: pair(decode_dss_signature(der)[0], P256 + 1),
        lambda der: pair(*decode_dss_signature(der)) + b"\0",
        lambda der: b"\0" + pair(*decode_dss_signature(der)),
        lambda _: pair(0, 0),
    ]
    for form in from_der:
        assert ask(form) == "signature_invalid"


def test_G07_rsa_signatures_in_another_form(judge: Any, issuer: Any) -> None:
    private = issuer.private["k1"]
    numbers = private.private_numbers()
    modulus, exponent = numbers.public_numbers.n, numbers.d

    def raised(padded: bytes) -> bytes:
        number = pow(int.from_bytes(padded, "big"), exponent, modulus)
        return int(number).to_bytes(256, "big")

    def digest(signed: bytes) -> bytes:
        return sha256_of(signed).digest()

    def digest_info(signed: bytes, prefix: bytes, pad: bytes = b"\xff") -> bytes:
        tail = b"\0" + prefix + digest(signed)
        return raised(b"\0\x01" + pad * (256 - 2 - len(tail)) + tail)

    sha256 = bytes.fromhex("3031300d060960864801650304020105000420")
    sound = issuer.token(sign=lambda signed: digest_info(signed, sha256))
    assert judge(sound) == "verified"
    without_null = bytes.fromhex("302f300b0609608648016503040201" + "0420")
    sha512 = bytes.fromhex("3051300d060960864801650304020305000440")
    forms: list[Callable[[bytes], bytes]] = [
        lambda signed: (int.from_bytes(issuer.sign(signed), "big") + modulus).to_bytes(257, "big"),
        lambda _: modulus.to_bytes(256, "big"),
        lambda signed: digest_info(signed, without_null),
        lambda signed: digest_info(signed, sha512),
        lambda signed: digest_info(signed, b""),
        lambda signed: digest_info(signed, sha256, b"\xfe"),
        # Bleichenbacher's: short padding, and what is left of the block filled up at will.
        lambda signed: raised(
            (b"\0\x01" + b"\xff" * 8 + b"\0" + sha256 + digest(signed)).ljust(256, b"\x5a")
        ),
    ]
    for form in forms:
        assert judge(issuer.token(sign=form)) == "signature_invalid"


def test_G07_an_rsa_signature_over_the_modulus_of_the_same_length(judge: Any, issuer: Any) -> None:
    def modulus(key: str) -> int:
        return int(issuer.private[key].public_key().public_numbers().n)

    key = min("k1", "k2", "k3", key=modulus)
    # The same signature once more, if it has a second number of 2,048 bits: some have.
    for number in range(3000):
        head, body, signature = issuer.token(key=key, claims={"jti": str(number)}).split(".")
        second = int.from_bytes(decoded(signature), "big") + modulus(key)
        if second < 2**2048:
            break
    respelled = encoded(second.to_bytes(256, "big"))
    assert judge(f"{head}.{body}.{signature}", held=[key]) == "verified"
    assert judge(f"{head}.{body}.{respelled}", held=[key]) == "signature_invalid"


@pytest.mark.parametrize("salt", [0, 20, 31, 33, 64, padding.PSS.MAX_LENGTH])
def test_G07_a_salt_of_another_length(judge: Any, issuer: Any, salt: Any) -> None:
    how = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=salt)
    private = issuer.private["ps"]
    token = issuer.token(key="ps", sign=lambda text: private.sign(text, how, hashes.SHA256()))
    assert judge(token, held=["ps"]) == "signature_invalid"


@pytest.mark.parametrize("claims", [{"exp": 1}, {"aud": "other"}, {"sub": 1}, {"iss": None}])
def test_G08_the_signature_comes_before_the_claims(
    judge: Any, issuer: Any, claims: dict[str, Any]
) -> None:
    token = issuer.token(claims=claims, sign=lambda signed: issuer.sign(signed, key="k2"))
    assert judge(token) == "signature_invalid"


@pytest.mark.parametrize("age", [0, 400])
def test_G09_nothing_makes_up_for_a_bad_signature(
    judge: Any, issuer: Any, endpoint: Any, age: float
) -> None:
    endpoint.status = 500
    token = issuer.token(sign=lambda signed: issuer.sign(signed, key="k2"))
    answer = judge(token, held=["k1"], age=age, dev=True, beside=DEV)
    assert answer == "signature_invalid"


def test_G10_ten_thousand_bad_tokens_harm_no_good_one(
    start: Any, issuer: Any, endpoint: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = start("k1")
    good = issuer.token()
    assert service(good) == "verified"
    head, body, signature = good.split(".")
    raw = decoded(signature)

    async def storm() -> set[str]:
        seen = set()
        for number in range(10_000):
            forged = number.to_bytes(2, "big") + raw[2:]
            if forged != raw:
                seen.add(await service.ask(f"{head}.{body}.{encoded(forged)}"))
        return seen

    assert service.runner.run(storm()) == {"signature_invalid"}
    # No bad one took the good one's place among the verified tokens: nothing is computed anew.
    with monkeypatch.context() as patch:
        patch.setattr(PublicKey, "verifies", None)
        assert service(good) == "verified"
    assert service(issuer.token(claims={"sub": "U2"})) == "verified"
    assert endpoint.requests == 0
