from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ffparity.auth.codes import AuthCode, AuthError
from pytest_ffparity.auth.settings import AuthSettings
from pytest_ffparity.auth.tokens import Token, parse, read_claims, text_of


def b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def with_header(raw: bytes | dict[str, Any]) -> str:
    text = json.dumps(raw).encode() if isinstance(raw, dict) else raw
    return f"{b64(text)}.{b64(b'{}')}.{b64(b'signatures')}"


SETTINGS = AuthSettings(issuers={"https://a": "https://idp.test/keys"})


def taken_apart(token: str) -> Token:
    return parse(text_of(token, SETTINGS), SETTINGS)


def refused(token: str) -> str:
    with pytest.raises(AuthError) as caught:
        taken_apart(token)
    return caught.value.code


SOUND = {"alg": "RS256", "kid": "k1"}


def test_a_sound_token_comes_apart() -> None:
    token = with_header(SOUND)
    parsed = taken_apart(token)
    assert (parsed.alg, parsed.kid, parsed.payload) == ("RS256", "k1", b"{}")
    assert parsed.signed.decode() == token.rpartition(".")[0]


@pytest.mark.parametrize(
    "token",
    [
        *("", ".", "..", "a.b", "a.b.c.d", "a.b.c.d.e", '{"payload": ""}'),
        *(" " + with_header(SOUND), with_header(SOUND) + "\n", with_header(SOUND) + "\x00"),
        *(with_header(SOUND) + "=", with_header(SOUND) + "+", with_header(SOUND) + "/"),
        *(with_header(SOUND) + "é", with_header(SOUND) + "\ud800"),
        with_header(SOUND)[:-1] + chr(ord(with_header(SOUND)[-1]) + 1),
        *("a" * 8193, "." * 1_000_000),
        with_header({**SOUND, "pad": "x" * 2048}),
        f"{with_header(SOUND)}{'A' * 1400}",
    ],
)
def test_a_bad_structure_is_malformed(token: str) -> None:
    assert refused(token) == AuthCode.TOKEN_MALFORMED


@pytest.mark.parametrize(
    "header",
    [
        *(b"", b"x", b"[]", b'"text"', b'{"alg":"RS256"} x'),
        *(b'{"alg":"RS256","alg":"RS256"}', b'{"alg":"RS256","kid":"a","kid":"a"}'),
        *(b'{"alg":"RS256","x":NaN}', b'\xef\xbb\xbf{"alg":"RS256"}'),
        '{"alg":"RS256"}'.encode("utf-16"),
        b'{"alg":"RS256","x":' + b"[" * 1000 + b"]" * 1000 + b"}",
    ],
)
def test_a_header_that_is_no_strict_json_object_is_malformed(header: bytes) -> None:
    assert refused(with_header(header)) == AuthCode.TOKEN_MALFORMED


@pytest.mark.parametrize(
    "member",
    [
        *({"crit": []}, {"crit": "x"}, {"crit": ["exp"]}, {"b64": True}, {"b64": 0}),
        *({"zip": "DEF"}, {"enc": "A128GCM"}, {"cty": "JWT"}),
        *({"typ": "secevent+jwt"}, {"typ": "dpop+jwt"}, {"typ": 1}, {"typ": None}),
        *({"kid": 1}, {"kid": None}, {"kid": []}, {"kid": {}}, {"kid": ""}, {"kid": "k" * 257}),
    ],
)
def test_a_parameter_that_changes_the_meaning_is_malformed(member: dict[str, Any]) -> None:
    assert refused(with_header({**SOUND, **member})) == AuthCode.TOKEN_MALFORMED


@pytest.mark.parametrize("kind", ["JWT", "jwt", "at+jwt", "application/at+jwt"])
def test_the_known_kinds_of_token_pass(kind: str) -> None:
    assert taken_apart(with_header({**SOUND, "typ": kind})).kid == "k1"


@pytest.mark.parametrize(
    "alg",
    [
        *("none", "None", "NONE", "nOnE", "HS256", "HS384", "HS512", "rs256", "RS256 "),
        *("", None, [], {}, 1, "Ed25519"),
    ],
)
def test_only_the_listed_algorithms_pass(alg: Any) -> None:
    assert refused(with_header({**SOUND, "alg": alg})) == AuthCode.ALG_NOT_ALLOWED


def test_a_token_without_alg_is_refused_before_its_kid_is_looked_at() -> None:
    assert refused(with_header({"kid": 1})) == AuthCode.ALG_NOT_ALLOWED


@pytest.mark.parametrize(
    "payload",
    [
        *(b"", b"[]", b'"x"', b"x", b"\xff", b"\xef\xbb\xbf{}", "{}".encode("utf-16")),
        *(b'{"sub":1,"sub":1}', b'{"x":{"exp":1,"exp":1}}'),
        *(b"[" * 6000, b'{"x":' + b"9" * 5000 + b"}"),
    ],
)
def test_claims_that_are_no_json_object_are_malformed(payload: bytes) -> None:
    with pytest.raises(AuthError) as caught:
        read_claims(payload)
    assert caught.value.code == AuthCode.TOKEN_MALFORMED


def code_of(call: Callable[[], object]) -> AuthCode | None:
    try:
        call()
    except AuthError as error:
        return error.code
    return None


@given(st.text(max_size=200) | st.from_regex(r"[\w-]{0,40}\.[\w-]{0,40}\.[\w-]{0,40}"))
def test_any_text_is_parsed_or_refused(token: str) -> None:
    outcomes = {None, AuthCode.TOKEN_MALFORMED, AuthCode.ALG_NOT_ALLOWED}
    assert code_of(lambda: taken_apart(token)) in outcomes


@given(st.binary(max_size=200))
def test_any_payload_is_read_or_refused(payload: bytes) -> None:
    assert code_of(lambda: read_claims(payload)) in {
        None,
        AuthCode.TOKEN_MALFORMED,
        AuthCode.CLAIM_INVALID,
    }
