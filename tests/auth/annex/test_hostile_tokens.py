"""Good tokens changed in every way that costs nothing: none is verified unless it is untouched."""

from __future__ import annotations

import asyncio
import json
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from random import Random
from string import ascii_letters, digits
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_ffparity.auth.authenticator import TokenAuthenticator
from pytest_ffparity.auth.codes import AuthError
from pytest_ffparity.auth.jwks import Held
from pytest_ffparity.auth.settings import AuthSettings

NOW = datetime(2026, 4, 19, tzinfo=UTC)
KEYS = {"RS256": "k1", "ES256": "es", "EdDSA": "ed"}
LETTERS = f"{ascii_letters}{digits}-_+/= .\n\x00é\ud800"
MUTATED = settings(
    max_examples=10_000,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)

Check = Callable[[str | bytes], str]


@pytest.fixture(scope="module")
def check(issuer: Any) -> Iterator[Check]:
    """Ask one authenticator, which has seen the good tokens, what a token comes to."""
    authenticator = TokenAuthenticator(
        AuthSettings(
            # Nobody answers there: a kid that is not held is decoded only, which is the most
            # that a changed token can come to.
            issuers={"https://issuer.example": "http://127.0.0.1:9/keys"},
            allow_dev_headers=True,
        ),
        clock=lambda: NOW,
        held=Held(issuer.jwks(*KEYS.values())),
    )
    with asyncio.Runner() as runner:

        def checked(token: str | bytes) -> str:
            try:
                return str(runner.run(authenticator.check(token)).mode)
            except AuthError as error:
                return str(error)

        for key in KEYS.values():
            assert checked(issuer.token(key=key)) == "verified"
        yield checked
        runner.run(authenticator.aclose())


def mutated(token: str, seed: int) -> str:
    """Change a token's text one to three times."""
    chance = Random(seed)  # noqa: S311 - no secret, a replay
    for _ in range(chance.randint(1, 3)):
        letter = chance.choice(LETTERS)
        token = _changed(token, chance.randrange(7), chance.randrange(5000), letter)
    return token


def _changed(token: str, how: int, where: int, letter: str) -> str:
    if not token:
        return letter
    at = where % len(token)
    segments = token.split(".")
    if how == 0:  # another letter
        return token[:at] + letter + token[at + 1 :]
    if how == 1:  # a flipped bit
        return token[:at] + chr(ord(token[at]) ^ (1 << where % 7)) + token[at + 1 :]
    if how == 2:  # a letter more
        return token[:at] + letter + token[at:]
    if how == 3:  # a letter less
        return token[:at] + token[at + 1 :]
    if how == 4:  # segments in another order
        turn = where % len(segments)
        return ".".join(segments[turn:] + segments[:turn])
    if how == 5:  # the other alphabet
        return token.replace("-", "+").replace("_", "/") + "=" * (where % 3)
    # one segment's letters in another order
    which = where % len(segments)
    return ".".join(s[::-1] if n == which else s for n, s in enumerate(segments))


@pytest.mark.parametrize("alg", KEYS)
def test_a_mutated_token_is_never_verified(issuer: Any, check: Check, alg: str) -> None:
    good = issuer.token(key=KEYS[alg])
    seen = set()

    # One number an example: what is drawn costs more than what is checked.
    @MUTATED
    @given(st.integers(0, 2**64))
    def mutate(seed: int) -> None:
        token = mutated(good, seed)
        came_to = check(token)
        seen.add(came_to)
        assert (came_to == "verified") == (token == good)

    mutate()
    assert {"token_malformed", "signature_invalid"} <= seen
    assert check(good) == "verified"


@pytest.mark.parametrize("alg", KEYS)
def test_segments_of_two_good_tokens_do_not_mix(issuer: Any, check: Check, alg: str) -> None:
    tokens = [issuer.token(key=KEYS[alg], claims={"sub": name}).split(".") for name in ("U1", "U2")]
    for mix in range(8):
        parts = [tokens[mix >> place & 1][place] for place in range(3)]
        same = parts[1:] in (tokens[0][1:], tokens[1][1:])
        verified = check(".".join(parts)) == "verified"
        # An EC signature is new each time; the headers of the two are equal.
        assert verified == same


ODD: list[Any] = [None, True, 0, "", [], {}, 10**400, -1, 1e308, [[]], {"a": None}, "\ud800"]


@pytest.mark.parametrize("key", KEYS.values())
@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_any_member_may_be_anything(issuer: Any, check: Check, key: str, odd: Any) -> None:
    codes = set()
    for name in ("alg", "typ", "kid", "crit", "b64", "zip", "cty", "jku", "jwk", "x5c", "x5u", "?"):
        codes.add(check(issuer.token(key=key, header={name: odd})))
    for name in ("iss", "aud", "sub", "tenant_id", "exp", "nbf", "iat", "jti", "?"):
        codes.add(check(issuer.token(key=key, claims={name: odd})))
    assert {"alg_not_allowed", "token_malformed", "verified"} <= codes
    assert codes & {"claim_invalid", "claim_missing"}


@settings(max_examples=1000, deadline=None, database=None)
@given(st.binary(max_size=400) | st.text(st.characters(exclude_categories=()), max_size=400))
def test_any_text_and_any_bytes_are_refused(token: str | bytes) -> None:
    authenticator = TokenAuthenticator(
        AuthSettings(issuers={"https://issuer.example": "http://127.0.0.1:9/keys"}),
        clock=lambda: NOW,
    )
    with pytest.raises(AuthError):
        asyncio.run(authenticator.check(token))


def reencoded(segment: str) -> Any:
    return json.loads(urlsafe_b64decode(segment + "=="))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@settings(max_examples=1000, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(
    names=st.lists(
        st.sampled_from(["iss", "aud", "sub", "tenant_id", "exp", "nbf", "iat", "jti", "more"]),
        min_size=1,
        max_size=3,
        unique=True,
    ),
    values=st.lists(json_values, min_size=3, max_size=3),
)
def test_claims_of_any_shape_are_verified_or_refused(
    issuer: Any, check: Check, names: list[str], values: list[Any]
) -> None:
    claims = dict(zip(names, values, strict=False))
    token = issuer.token(key="ed", claims=claims)
    came_to = check(token)
    said = {**reencoded(token.split(".")[1])}
    if came_to == "verified":
        assert said["iss"] == "https://issuer.example"
        assert said["aud"] == "pty-feature-flags" or "pty-feature-flags" in said["aud"]
        assert said["exp"] > NOW.timestamp() - 30
        assert isinstance(said["sub"], str)
        assert isinstance(said["tenant_id"], str)
    else:
        assert came_to not in ("decode-only", "anonymous", "signature_invalid")
