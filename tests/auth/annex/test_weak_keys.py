"""J10 to J13: keys that are weak, or no keys at all, each published beside a good one.

Where a key can sign at all, its token is one that it would verify if it were used.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable
from functools import cached_property
from hashlib import sha256
from math import gcd, prod
from random import Random
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt import get_algorithm_by_name

KEYSET = "pytest_ffparity.auth.keyset"
DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
BITS = "n is not odd, of 2048 to 8192 bits"
LENGTH = "n is missing or of no sensible length"
EXPONENT = "e is not odd, from 65537 up"
COORDINATE = "a coordinate on P-256 has 32 bytes"
CURVE = "crv is missing or not one of P-256, P-384, P-521"


def b64(number: int, size: int | None = None) -> str:
    size = size or -(-number.bit_length() // 8)
    return urlsafe_b64encode(number.to_bytes(size)).rstrip(b"=").decode()


class Textbook:
    """RSA with any primes and any exponent, which no library would make any more."""

    def __init__(self, *primes: int, e: int = 65537) -> None:
        self.primes, self.e, self.n = primes, e, prod(primes)

    @property
    def jwk(self) -> dict[str, Any]:
        return {"kty": "RSA", "kid": "weak", "alg": "RS256", "n": b64(self.n), "e": b64(self.e)}

    @cached_property
    def can_sign(self) -> bool:
        """Whether the exponent can be undone."""
        return all(gcd(self.e, prime - 1) == 1 for prime in self.primes)

    def sign(self, signed: bytes) -> bytes:
        """Sign by RS256, prime by prime."""
        size = -(-self.n.bit_length() // 8)
        info = DIGEST_INFO + sha256(signed).digest()
        padded = int.from_bytes(b"\x00\x01" + b"\xff" * (size - 3 - len(info)) + b"\x00" + info)
        found = 0
        for prime in self.primes:
            rest = self.n // prime
            exponent = pow(self.e, -1, prime - 1) if prime > 2 else 1
            found += pow(padded, exponent, prime) * rest * pow(rest, -1, prime)
        return (found % self.n).to_bytes(size)


def primes(key: Any) -> tuple[int, int]:
    numbers = key.private_numbers()
    return numbers.p, numbers.q


class Published:
    """Publishes a key as `weak`, beside the good `k3`, while `k1` is held."""

    def __init__(
        self, start: Any, endpoint: Any, issuer: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        self.issuer = issuer
        self._start, self._endpoint, self._caplog = start, endpoint, caplog

    def __call__(
        self, jwk: dict[str, Any], sign: Callable[[bytes], bytes], alg: str = "RS256"
    ) -> str:
        """Give V for a token of it that is verified, else why it was left out."""
        self._caplog.clear()
        self._endpoint.document = {"keys": [{**jwk, "kid": "weak"}, self.issuer.jwk("k3")]}
        before = self._endpoint.requests
        service = self._start("k1", overlap=0)
        # The set is taken: the good key is used, and the old one is gone.
        assert service(self.issuer.token(key="k3")) == "verified"
        assert service(self.issuer.token(key="k1")) == "kid_not_found"
        answer = service(self.issuer.token(header={"alg": alg, "kid": "weak"}, sign=sign))
        assert self._endpoint.requests == before + 1
        if answer == "verified":
            return "V"
        assert answer == "kid_not_found"
        (record,) = (record for record in self._caplog.records if record.name == KEYSET)
        return str(vars(record)["why"])

    def good(self, key: str) -> tuple[dict[str, Any], Callable[[bytes], bytes]]:
        """Give a key of the issuer, and how it signs."""
        return self.issuer.jwk(key), lambda signed: self.issuer.sign(signed, key=key)

    def rsa(self, *primes: int, e: int = 65537) -> str:
        key = Textbook(*primes, e=e)
        # What can't sign has something of a signature's length.
        signs = key.can_sign and key.n.bit_length() <= 8192
        return self(key.jwk, key.sign if signs else lambda _signed: b"\x01" * 256)


@pytest.fixture
def published(
    start: Any, endpoint: Any, issuer: Any, caplog: pytest.LogCaptureFixture
) -> Published:
    return Published(start, endpoint, issuer, caplog)


@pytest.fixture
def eight(issuer: Any) -> list[int]:
    """Primes of 1024 bits."""
    return [prime for key in ("k1", "k2", "k3", "ps") for prime in primes(issuer.private[key])]


def test_good_rsa_keys_are_used_from_2048_bits_to_8192(
    published: Published, eight: list[int]
) -> None:
    assert published.rsa(*eight[:2]) == "V"
    assert published.rsa(*eight[:4]) == "V"
    assert published.rsa(*eight) == "V"


@pytest.mark.parametrize("bits", [512, 1024, 2047])
def test_J10_a_short_rsa_key_is_skipped(published: Published, bits: int) -> None:
    # A prime alone does for the 512 bits that nobody makes any more.
    made = rsa.generate_private_key(65537, max(bits, 1024))
    mine = primes(made) if bits > 512 else primes(made)[:1]
    assert prod(mine).bit_length() == bits
    assert published.rsa(*mine) == BITS


def test_J11_a_long_rsa_key_is_skipped(published: Published, eight: list[int]) -> None:
    assert published.rsa(*eight, 257) == BITS
    assert published.rsa(*eight, *eight) == LENGTH
    jwk = Textbook(*eight[:2]).jwk
    assert published({**jwk, "n": "_" * 60_000}, lambda _signed: b"\x01" * 256) == LENGTH


def test_J11_a_modulus_of_a_megabyte_is_skipped_where_it_comes_so_far(
    judge: Any, issuer: Any
) -> None:
    # Over HTTP the document is too large (J17); the reader of a set has to stand it all the same.
    held = {"keys": [issuer.jwk("k2", n="_" * 1_398_101), issuer.jwk("k3")]}
    assert judge(issuer.token(key="k3"), held=held) == "verified"
    assert judge(issuer.token(key="k2"), held=held) == "kid_not_found"


def test_J11_an_even_modulus_is_skipped(published: Published, eight: list[int]) -> None:
    assert published.rsa(2, *eight[:2]) == BITS
    assert published.rsa(2, *eight[:2], eight[2]) == BITS


@pytest.mark.parametrize("e", [1, 2, 3, 17, 65535, 65536, 65538])
def test_J11_a_small_or_even_exponent_is_skipped(
    published: Published, eight: list[int], e: int
) -> None:
    # With 3 a key signs if it was made for it.
    mine = primes(rsa.generate_private_key(3, 2048)) if e == 3 else tuple(eight[:2])
    assert Textbook(*mine, e=e).can_sign or e != 3
    assert published.rsa(*mine, e=e) == EXPONENT


def test_J11_an_exponent_above_the_usual_one_is_taken(
    published: Published, eight: list[int]
) -> None:
    e = next(e for e in range(65539, 70_000, 2) if Textbook(*eight[:2], e=e).can_sign)
    assert published.rsa(*eight[:2], e=e) == "V"


def test_J12_a_modulus_with_the_roca_fingerprint_is_skipped(published: Published) -> None:
    chance = Random(2017)  # noqa: S311 - a key of a test
    small = prod(n for n in range(2, 168) if all(n % divisor for divisor in range(2, n)))

    def flawed() -> int:
        while True:
            start = chance.getrandbits(1024) | 3 << 1022
            prime = start // small * small + pow(65537, chance.randrange(1000), small)
            if pow(2, prime - 1, prime) == 1:
                return prime

    mine = flawed(), flawed()
    assert prod(mine).bit_length() == 2048
    assert published.rsa(*mine) == "n has the ROCA fingerprint: it can be factored"


@pytest.fixture
def point(issuer: Any) -> tuple[int, int]:
    numbers = issuer.private["es"].public_key().public_numbers()
    return numbers.x, numbers.y


def test_J13_a_point_that_is_not_on_the_curve_is_skipped(
    published: Published, point: tuple[int, int]
) -> None:
    x, y = point
    good, sign = published.good("es")
    assert published(good, sign, "ES256") == "V"
    for off in ((x, y ^ 1), (x ^ 1, y), (y, x), (0, 0), (x, 0), (0, y), (x, x), (2**256 - 1, y)):
        jwk = {**good, "x": b64(off[0], 32), "y": b64(off[1], 32)}
        assert published(jwk, sign, "ES256").startswith("no sound key")


def test_J13_a_coordinate_of_another_length_is_skipped(
    published: Published, point: tuple[int, int]
) -> None:
    good, sign = published.good("es")
    # The same point, spelt longer; and shorter, without a zero that belongs to it.
    for name, number in zip("xy", point, strict=True):
        assert published({**good, name: b64(number, 33)}, sign, "ES256") == COORDINATE
        assert published({**good, name: b64(number >> 8, 31)}, sign, "ES256") == COORDINATE
    longer = {**good, "x": b64(point[0], 64)}
    assert published(longer, sign, "ES256") == "x is missing or of no sensible length"
    key, x = next(short_keys())
    mine = {**good, "x": b64(x, 32), "y": b64(key.public_key().public_numbers().y, 32)}
    assert published(mine, by(key), "ES256") == "V"
    assert published({**mine, "x": b64(x, 31)}, by(key), "ES256") == COORDINATE


def short_keys() -> Any:
    """Keys whose x has a zero in front."""
    while True:
        key = ec.generate_private_key(ec.SECP256R1())
        x = key.public_key().public_numbers().x
        if x >> 248 == 0:
            yield key, x


def by(key: Any) -> Callable[[bytes], bytes]:
    return lambda raw: bytes(get_algorithm_by_name("ES256").sign(raw, key))


NO_CURVES: list[Any] = [None, "", "p-256", "secp256k1", "Ed25519", 256, []]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        *(({"crv": crv}, CURVE) for crv in NO_CURVES),
        ({"alg": "ES384"}, "alg is not one of this key's type"),
        ({"alg": "ES512"}, "alg is not one of this key's type"),
        ({"crv": "P-384"}, "a coordinate on P-384 has 48 bytes"),
        ({"crv": "P-521", "alg": "ES512"}, "a coordinate on P-521 has 66 bytes"),
    ],
    ids=repr,
)
def test_J13_a_curve_that_does_not_fit_is_skipped(
    published: Published, change: dict[str, Any], why: str
) -> None:
    good, sign = published.good("es")
    assert published({**good, **change}, sign, "ES256") == why


def test_J13_a_curve_or_a_coordinate_that_is_missing_is_skipped(published: Published) -> None:
    good, sign = published.good("es")
    for name in ("crv", "x", "y"):
        assert "missing" in published({n: v for n, v in good.items() if n != name}, sign, "ES256")


def test_J13_an_edwards_key_of_another_curve_or_length_is_skipped(published: Published) -> None:
    good, sign = published.good("ed")
    assert published(good, sign, "EdDSA") == "V"
    curves: list[Any] = ["X25519", "Ed448", "P-256", None, []]
    for crv in curves:
        assert published({**good, "crv": crv}, sign, "EdDSA") == "crv is not Ed25519"
    for x in (good["x"][:-2], f"{good['x']}AA", "AA"):
        assert published({**good, "x": x}, sign, "EdDSA") != "V"


SMALL_ORDER = [
    "01" + "00" * 31,
    "ec" + "ff" * 30 + "7f",
    "00" * 32,
    "00" * 31 + "80",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
]


@pytest.mark.parametrize(
    "raw", [*SMALL_ORDER, "ed" + "ff" * 30 + "7f", "ee" + "ff" * 30 + "7f", "02" + "00" * 31]
)
def test_J13_an_edwards_point_of_small_order_or_none_is_skipped(
    published: Published, raw: str
) -> None:
    good, sign = published.good("ed")
    x = urlsafe_b64encode(bytes.fromhex(raw)).rstrip(b"=").decode()
    assert "small order" in published({**good, "x": x}, sign, "EdDSA")
