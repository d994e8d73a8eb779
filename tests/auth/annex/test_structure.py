"""Rows S01 to S21: what is refused by its form alone, before any key and any network."""

from __future__ import annotations

import json
import tracemalloc
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest

Code = Callable[[str], str]

HEADER = {"alg": "RS256", "typ": "JWT", "kid": "k1"}
GOOD = {"iss": "https://issuer.example", "aud": "pty-feature-flags", "exp": 1_776_560_400}
GOOD |= {"sub": "U1001", "tenant_id": "T-pty-pilot-01"}
DEV = (("X-FF-Tenant", "T-pty-pilot-01"), ("X-FF-User", "U1001"))


@pytest.fixture(params=["verified", "decode-only"])
def code(request: Any, judge: Any, endpoint: Any) -> Code:
    """Ask in both modes: with the key held, and with the endpoint down and the fallback on."""

    def asked(token: str) -> str:
        if request.param == "verified":
            answer = judge(token)
            assert endpoint.requests == 0
        else:
            endpoint.status = 500
            answer = judge(token, held=None, dev=True, beside=DEV)
        return str(answer)

    return asked


def test_the_good_token_passes(request: Any, code: Code, issuer: Any) -> None:
    assert code(issuer.token()) == request.node.callspec.params["code"]


def refused_alike(code: Code, token: str) -> None:
    assert code(token) == "token_malformed"


def test_S01_an_empty_token_is_malformed(code: Code) -> None:
    refused_alike(code, "")


def test_S02_a_dot_is_malformed(code: Code) -> None:
    refused_alike(code, ".")


def test_S03_two_dots_are_malformed(code: Code) -> None:
    refused_alike(code, "..")


def test_S04_two_segments_are_malformed(code: Code, issuer: Any) -> None:
    refused_alike(code, issuer.token().rpartition(".")[0])


@pytest.mark.parametrize("more", [".c2ln", ".c2ln.dGFn"])
def test_S05_four_and_five_segments_are_malformed(code: Code, issuer: Any, more: str) -> None:
    refused_alike(code, issuer.token() + more)


@pytest.mark.parametrize("flat", [True, False])
def test_S06_the_json_serialisation_is_malformed(code: Code, issuer: Any, *, flat: bool) -> None:
    head, body, signature = issuer.token().split(".")
    one = {"protected": head, "signature": signature}
    document = {"payload": body, **(one if flat else {"signatures": [one]})}
    refused_alike(code, json.dumps(document))


@pytest.mark.parametrize("junk", [" ", "\n", "\t", "\r\n", "\x00", "\x0b", "\u00a0"])
@pytest.mark.parametrize("where", ["before", "after", "inside", "at a dot"])
def test_S07_blanks_and_nul_are_malformed(code: Code, issuer: Any, junk: str, where: str) -> None:
    good = issuer.token()
    at = {"before": 0, "after": len(good), "inside": 20, "at a dot": good.index(".")}[where]
    refused_alike(code, good[:at] + junk + good[at:])


@pytest.mark.parametrize("segment", [0, 1, 2])
@pytest.mark.parametrize("letter", ["=", "==", "+", "/"])
def test_S08_padding_and_the_other_alphabet_are_malformed(
    code: Code, issuer: Any, segment: int, letter: str
) -> None:
    parts = issuer.token().split(".")
    padded = parts[segment] + letter if "=" in letter else letter + parts[segment][1:]
    refused_alike(code, ".".join([*parts[:segment], padded, *parts[segment + 1 :]]))


@pytest.mark.parametrize("segment", [0, 1, 2])
def test_S09_unused_bits_give_no_second_spelling(code: Code, issuer: Any, segment: int) -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    # A member of varying length until the segment ends in a letter with unused bits.
    for pad in ("", "x", "xx"):
        token = issuer.token(header={"pad": pad}, claims={"pad": pad})
        parts = token.split(".")
        unused = {0: 0, 2: 16, 3: 4}[len(parts[segment]) % 4]
        for bits in range(1, unused):
            last = alphabet[alphabet.index(parts[segment][-1]) | bits]
            respelled = [*parts]
            respelled[segment] = parts[segment][:-1] + last
            refused_alike(code, ".".join(respelled))
        if unused:
            return
    pytest.fail("no segment had unused bits")


@pytest.mark.parametrize("letter", ["é", "\u0430", "٣", "\u212a", "\ud800", "\U0001f600"])
def test_S10_letters_beyond_ascii_are_malformed(
    code: Code, judge: Any, issuer: Any, letter: str
) -> None:
    good = issuer.token()
    for at in (0, 20, len(good)):
        refused_alike(code, good[:at] + letter + good[at:])
    raw = good.encode() + letter.encode("utf-8", "surrogatepass")
    assert judge.raw(raw) == "token_malformed"


@pytest.mark.parametrize("length", [8193, 10_000_000])
def test_S11_a_token_that_is_too_long_is_refused_unread(judge: Any, length: int) -> None:
    parts = length - 10
    token = f"{'a' * 4}.{'a' * parts}.aaaa"[:length]
    tracemalloc.start()
    try:
        assert judge.raw(token) == "token_malformed"
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Nothing as long as the token was made of it: no copy, no base64.
    assert peak < 1_000_000


def test_S11_the_longest_that_is_read(judge: Any, issuer: Any) -> None:
    def of_length(pad: int) -> str:
        return str(issuer.token(claims={"pad": "x" * pad}))

    pad = next(n for n in range(5000, 7000) if len(of_length(n)) >= 8190)
    longest = next(of_length(n) for n in range(pad + 3, 0, -1) if len(of_length(n)) <= 8192)
    assert judge(longest) == "verified"
    assert judge(of_length(pad + 4)) == "token_malformed"
    assert judge(of_length(pad + 4), max_token_bytes=9000) == "verified"


def test_S12_a_million_dots_are_malformed(code: Code) -> None:
    refused_alike(code, "." * 1_000_000)
    refused_alike(code, "." * 8000)


def test_S12_a_million_dots_are_malformed_where_such_lengths_are_read(judge: Any) -> None:
    assert judge("." * 1_000_000, max_token_bytes=1024 * 1024) == "token_malformed"


@pytest.mark.parametrize(
    "header",
    [
        *(b"", b"x", b"[]", b'"text"', b"1", b"null", b'{"alg":"RS256","kid":"k1"} x'),
        *(b'{"alg":"RS256","kid":"k1"}{}', b'{"alg":"RS256","kid":"k1",}', b"{alg:1}"),
    ],
)
def test_S13_a_header_that_is_no_json_object_is_malformed(
    code: Code, issuer: Any, header: bytes
) -> None:
    refused_alike(code, issuer.token(header=header))


@pytest.mark.parametrize("name", ["alg", "kid", "typ"])
def test_S14_a_name_that_stands_twice_in_the_header_is_malformed(
    code: Code, issuer: Any, name: str
) -> None:
    good = json.dumps(HEADER)[:-1]
    header = f'{good},"{name}":{json.dumps(HEADER[name])}}}'.encode()
    refused_alike(code, issuer.token(header=header))


@pytest.mark.parametrize(
    "header",
    [
        *(
            f'{json.dumps(HEADER)[:-1]},"x":{c}}}'.encode()
            for c in ("NaN", "Infinity", "-Infinity")
        ),
        b"\xef\xbb\xbf" + json.dumps(HEADER).encode(),
        *(json.dumps(HEADER).encode(name) for name in ("utf-16", "utf-16-le", "utf-32")),
        json.dumps(HEADER).encode()[:-1] + b',"x":"\xff"}',
    ],
)
def test_S15_a_header_in_another_encoding_or_with_no_number_is_malformed(
    code: Code, issuer: Any, header: bytes
) -> None:
    refused_alike(code, issuer.token(header=header))


@pytest.mark.parametrize(
    "payload",
    [
        *(b"", b"[]", b'"text"', b"1", b"null", b"x", b"\xff\xfe", b"\xef\xbb\xbf{}"),
        *(json.dumps(GOOD).encode(name) for name in ("utf-16", "utf-16-le", "utf-32")),
        b"\xef\xbb\xbf" + json.dumps(GOOD).encode(),
        json.dumps(GOOD).encode()[:-1] + b',"x":"\xff"}',
        json.dumps(GOOD).encode() + b" x",
    ],
)
def test_S16_a_payload_that_is_no_json_object_is_malformed(
    code: Code, issuer: Any, payload: bytes
) -> None:
    refused_alike(code, issuer.token(claims=payload))


@pytest.mark.parametrize(
    "member",
    [
        *(b"[" * depth + b"]" * depth for depth in (101, 500, 2900)),
        *(b'{"a":' * depth + b"1" + b"}" * depth for depth in (101, 900)),
        b"[" * 5000,
        b"9" * 5000,
        b"-" + b"9" * 4301,
    ],
    ids=lambda member: f"{member[:5]!r} {len(member)}",
)
def test_S17_what_is_nested_deep_or_thousands_of_digits_long_is_malformed(
    code: Code, issuer: Any, member: bytes
) -> None:
    payload = json.dumps(GOOD).encode()[:-1] + b',"x":' + member + b"}"
    refused_alike(code, issuer.token(claims=payload))


def test_S17_a_hundred_thousand_brackets_are_malformed(judge: Any, issuer: Any) -> None:
    for member in (b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000):
        payload = json.dumps(GOOD).encode()[:-1] + b',"x":' + member + b"}"
        token = issuer.token(claims=payload)
        assert judge(token) == "token_malformed"
        assert judge(token, max_token_bytes=1024 * 1024) == "token_malformed"


def test_S17_a_header_nested_deep_is_malformed(code: Code, issuer: Any) -> None:
    for depth in (101, 700):
        member = b"[" * depth + b"]" * depth
        header = json.dumps(HEADER).encode()[:-1] + b',"x":' + member + b"}"
        refused_alike(code, issuer.token(header=header))


@pytest.mark.parametrize("name", ["sub", "exp", "iss", "aud", "tenant_id", "more"])
def test_S18_a_claim_that_stands_twice_is_malformed(code: Code, issuer: Any, name: str) -> None:
    same = json.dumps(GOOD.get(name, 1))
    first = "" if name in GOOD else f',"{name}":1'
    payload = f'{json.dumps(GOOD)[:-1]}{first},"{name}":{same}}}'.encode()
    refused_alike(code, issuer.token(claims=payload))


def test_S18_a_name_that_stands_twice_further_in_is_malformed(code: Code, issuer: Any) -> None:
    payload = f'{json.dumps(GOOD)[:-1]},"more":{{"exp":1,"exp":1}}}}'.encode()
    refused_alike(code, issuer.token(claims=payload))


@pytest.mark.parametrize("dev", [True, False])
def test_S19_no_token_two_tokens_and_two_headers_are_malformed(
    judge: Any, issuer: Any, endpoint: Any, *, dev: bool
) -> None:
    good, other = issuer.token(), issuer.token(claims={"sub": "U2"})
    for value in ("Bearer", "Bearer ", f"Bearer {good} {other}", f"Bearer {good},{other}"):
        answer = judge.headers([("Authorization", value), *DEV], dev=dev)
        assert answer.code == "token_malformed"
    for second in (other, good):
        pair = [("Authorization", f"Bearer {good}"), ("authorization", f"Bearer {second}")]
        assert judge.headers([*pair, *DEV], dev=dev).code == "token_malformed"
    assert endpoint.requests == 0


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "bEaReR"])
def test_S20_the_scheme_is_read_in_any_case(judge: Any, issuer: Any, scheme: str) -> None:
    answer = judge.headers([("authorization", f"{scheme} {issuer.token()}")])
    assert answer.verified


@pytest.mark.parametrize("scheme", ["Basic", "Token", "DPoP", "Bearer2", "bearertoken", ""])
def test_S21_another_scheme_never_becomes_dev_headers(
    judge: Any, issuer: Any, endpoint: Any, scheme: str
) -> None:
    for value in (f"{scheme} {issuer.token()}", scheme):
        answer = judge.headers([*DEV, ("Authorization", value)], dev=True)
        assert (answer.code, answer.http_status) == ("auth_scheme_unsupported", 401)
    assert endpoint.requests == 0


def test_the_longest_header_and_the_longest_signature(judge: Any, issuer: Any) -> None:
    def with_header(size: int) -> str:
        blank = json.dumps({**HEADER, "pad": ""})
        header = {"pad": "x" * (size - len(blank))}
        return str(issuer.token(header=header))

    # 2,048 letters of base64url are 1,536 bytes.
    assert judge(with_header(1536)) == "verified"
    assert judge(with_header(1537)) == "token_malformed"
    assert judge(issuer.token(sign=lambda _: bytes(1024))) == "signature_invalid"
    assert judge(issuer.token(sign=lambda _: bytes(1025))) == "token_malformed"


def test_every_401_challenges_and_no_refusal_echoes(judge: Any, issuer: Any) -> None:
    token = issuer.token(header={"kid": "secret-kid"}, claims={"sub": "secret-sub"})
    answer = judge.headers([("Authorization", f"Bearer {token}")])
    assert answer.headers == {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    assert "secret" not in repr(answer)
    assert urlsafe_b64encode(b"secret").decode()[:6] not in repr(answer)
