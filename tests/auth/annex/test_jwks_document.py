"""J01, J02, J17 to J19: documents that are no key set, each published while a set is held."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

MAX_BODY = 64 * 1024

NO_JSON = "the answer is no sound JSON object"
NO_SET = "a JWKS is an object with a list `keys`"
TOO_MANY = "a JWKS holds at most 64 keys"
TOO_LARGE = f"the body is over {MAX_BODY} bytes"
NO_KEY = "the JWKS holds no key that can be used"


class Refused:
    """Publishes a document: it is refused for a reason, the old set is kept, the next is taken."""

    def __init__(self, start: Any, endpoint: Any, issuer: Any) -> None:
        self.start, self.endpoint, self.issuer = start, endpoint, issuer
        self.old, self.new = issuer.token(), issuer.token(key="k2")

    def publish(self, document: Any) -> None:
        raw = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.endpoint.raw = raw

    def __call__(self, document: Any, why: str) -> None:
        before = self.endpoint.requests
        # Without overlap only the held set itself has the old key; it is over its time, so that
        # the answer tells whether the refresh succeeded.
        service = self.start("k1", age=300, overlap=0)
        self.publish(document)
        assert service.at_once([self.old, self.new]) == ["verified jwks_stale", "jwks_unreachable"]
        assert self.endpoint.requests == before + 1
        (health,) = service.authenticator.health
        assert (health.up, health.why) == (False, why)
        # A good document is taken by the same means, once the first back-off is over.
        self.publish(self.issuer.jwks("k2"))
        service.now += 5.5
        assert service.at_once([self.new, self.old]) == ["verified", "kid_not_found"]

    def peak(self, document: Any) -> int:
        """Give the bytes that are held at a time, at most, while it is refused."""
        self.publish(document)
        service = self.start("k1", overlap=0)
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            assert service(self.new) == "jwks_unreachable"
            return tracemalloc.get_traced_memory()[1] - before
        finally:
            tracemalloc.stop()


@pytest.fixture
def refused(start: Any, endpoint: Any, issuer: Any) -> Refused:
    return Refused(start, endpoint, issuer)


@pytest.fixture
def new(issuer: Any) -> bytes:
    """A good document with `k2`."""
    return json.dumps(issuer.jwks("k2")).encode()


@pytest.mark.parametrize(
    "spoil",
    [
        *(lambda new: new[:-1], lambda new: new + b"]", lambda new: new + new, lambda _new: b""),
        *(lambda new: new.replace(b'"', b"'"), lambda new: b"jwks(" + new + b")"),
        lambda new: b"<html><body><pre>" + new + b"</pre></body></html>",
        *(lambda _new: b"   ", lambda _new: b"\x00", lambda new: new + b"\x00"),
    ],
)
def test_J01_what_is_no_json_keeps_the_old_set(
    refused: Refused, new: bytes, spoil: Callable[[bytes], bytes]
) -> None:
    refused(spoil(new), NO_JSON)


@pytest.mark.parametrize(
    "spoil",
    [
        *(lambda new: new.replace(b"k2", b"k2\xff"), lambda new: b"\xef\xbb\xbf" + new),
        *(lambda new: new.decode().encode("utf-16"), lambda new: new.decode().encode("utf-16-le")),
        # A surrogate as UTF-8 would spell it, beside the key.
        lambda new: new[:-1] + b',"x":"\xed\xa0\x80"}',
    ],
)
def test_J01_what_is_no_utf8_keeps_the_old_set(
    refused: Refused, new: bytes, spoil: Callable[[bytes], bytes]
) -> None:
    refused(spoil(new), NO_JSON)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _new: b"[" * 60_000,
        lambda _new: b'{"keys":' * 8000,
        lambda new: new[:-1] + b',"x":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
        lambda new: new[:-1] + b',"x":' + b"[" * 100 + b"]" * 100 + b"}",
    ],
)
def test_J01_what_is_nested_too_deep_keeps_the_old_set(
    refused: Refused, new: bytes, spoil: Callable[[bytes], bytes]
) -> None:
    refused(spoil(new), NO_JSON)


def test_J01_what_is_nested_and_too_long_keeps_the_old_set(refused: Refused) -> None:
    refused(b"[" * 200_000, TOO_LARGE)


@pytest.mark.parametrize("number", [b"NaN", b"-Infinity", b"1" * 5000])
def test_J01_a_number_that_is_none_keeps_the_old_set(
    refused: Refused, new: bytes, number: bytes
) -> None:
    refused(new[:-1] + b',"x":' + number + b"}", NO_JSON)


@pytest.mark.parametrize(
    "spoil",
    [
        *(lambda new: new["keys"], lambda new: [new], lambda _new: []),
        *(json.dumps, lambda _new: "k2", lambda _new: None, lambda _new: 7, lambda _new: True),
    ],
)
def test_J02_what_is_no_object_keeps_the_old_set(
    refused: Refused, issuer: Any, spoil: Callable[[Any], Any]
) -> None:
    refused(spoil(issuer.jwks("k2")), NO_JSON)


@pytest.mark.parametrize(
    "spoil",
    [
        *(lambda new: new["keys"][0], lambda _new: {}, lambda new: {"Keys": new["keys"]}),
        *(lambda _new: {"keys": None}, lambda new: {"keys": new["keys"][0]}),
        *(lambda new: {"keys": {"0": new["keys"][0]}}, lambda new: {"keys": json.dumps(new)}),
        *(lambda _new: {"keys": "k2"}, lambda _new: {"keys": 1}, lambda _new: {"keys": True}),
    ],
)
def test_J02_what_has_no_list_of_keys_keeps_the_old_set(
    refused: Refused, issuer: Any, spoil: Callable[[Any], Any]
) -> None:
    refused(spoil(issuer.jwks("k2")), NO_SET)


def test_J02_a_list_without_a_key_keeps_the_old_set(refused: Refused, issuer: Any) -> None:
    refused({"keys": []}, NO_KEY)
    refused({"keys": [issuer.jwks("k2")["keys"]]}, NO_KEY)


def many(issuer: Any, count: int) -> dict[str, Any]:
    """`k2`, and as many keys of other names as it takes."""
    others = [issuer.jwk("ed", kid=f"ed-{n}") for n in range(count - 1)]
    return {"keys": [issuer.jwk("k2"), *others]}


def test_J17_sixty_four_keys_and_sixty_four_kibibytes_are_taken(
    refused: Refused, issuer: Any, new: bytes
) -> None:
    for most in (many(issuer, 64), new.ljust(MAX_BODY)):
        service = refused.start("k1", overlap=0)
        refused.publish(most)
        assert [service(refused.new), service(refused.old)] == ["verified", "kid_not_found"]


def test_J17_one_key_more_keeps_the_old_set(refused: Refused, issuer: Any) -> None:
    refused(many(issuer, 65), TOO_MANY)
    refused({"keys": [issuer.jwk("k2")] + [0] * 64}, TOO_MANY)


def keys(member: bytes, count: int) -> bytes:
    return b'{"keys":[' + b",".join([member] * count) + b"]}"


@pytest.mark.parametrize(
    ("large", "why"),
    [
        (lambda new: new.ljust(MAX_BODY + 1), TOO_LARGE),
        (lambda new: new.ljust(50_000_000), TOO_LARGE),
        (lambda new: keys(new[10:-2], 10_000), TOO_LARGE),
        (lambda _new: keys(b"{}", 10_000), TOO_MANY),
        (lambda new: keys(new[10:-2], 130), TOO_MANY),
    ],
    ids=["one_byte_more", "50_mb", "10_000_keys", "10_000_of_nothing", "130_keys"],
)
def test_J17_what_is_too_large_keeps_the_old_set_and_takes_no_memory(
    refused: Refused, new: bytes, large: Callable[[bytes], bytes], why: str
) -> None:
    document = large(new)
    refused(document, why)
    # By now all is loaded that is loaded at its first use.
    assert refused.peak(document) < 1_000_000


@pytest.mark.parametrize(
    "spoilt",
    [
        [{"use": "enc"}],
        [{"alg": "RSA-OAEP"}],
        [{"n": "AQAB"}],
        [{"kty": "oct", "k": "c2VjcmV0"}],
        [{"d": "AQAB"}],
        [{"use": "enc"}, {"kty": "AKP"}, {"e": "Aw"}, {"key_ops": []}],
    ],
)
def test_J18_a_set_without_a_usable_key_keeps_the_old_one(
    refused: Refused, issuer: Any, spoilt: list[dict[str, Any]]
) -> None:
    refused({"keys": [issuer.jwk("k2", **change) for change in spoilt]}, NO_KEY)
    refused({"keys": [None, 7, {}, *(issuer.jwk("k2", **change) for change in spoilt)]}, NO_KEY)


def test_J18_a_set_of_nothing_but_an_ambiguous_kid_keeps_the_old_one(
    refused: Refused, issuer: Any
) -> None:
    refused({"keys": [issuer.jwk("k2"), issuer.jwk("k3", kid="k2")]}, NO_KEY)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda new: b'{"keys":[],' + new[1:],
        lambda new: new[:-1] + b',"keys":[]}',
        lambda new: new[:-1] + b',"\\u006beys":[]}',
        lambda new: new[:-1] + b',"x":1,"x":1}',
        lambda new: new[:-1] + b',"x":{"y":[{"z":1,"z":2}]}}',
        *(
            lambda new, twice=twice: new[:-3] + twice + b"}]}"
            for twice in (b',"kid":"k2"', b',"alg":"RS256"', b',"n":"AQAB"', b',"use":"enc"')
        ),
    ],
)
def test_J19_a_name_that_stands_twice_keeps_the_old_set(
    refused: Refused, new: bytes, spoil: Callable[[bytes], bytes]
) -> None:
    assert json.loads(new)
    refused(spoil(new), NO_JSON)
