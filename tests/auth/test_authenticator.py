from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ffparity.auth.authenticator import TokenAuthenticator
from pytest_ffparity.auth.codes import AuthCode
from pytest_ffparity.auth.jwks import Held
from pytest_ffparity.auth.keyset import KeySetError
from pytest_ffparity.auth.settings import AuthSettings
from pytest_ffparity.evaluator.model import Identity, Rejection
from pytest_ffparity.evaluator.names import AuthMode
from pytest_ffparity.paths.keys import ISSUER, KeyRing

NOW = datetime(2026, 4, 19, tzinfo=UTC)
RING = KeyRing()
SETTINGS = AuthSettings(
    # Nobody answers there: only what needs no fetch can pass.
    issuers={ISSUER: "http://127.0.0.1:9/keys"},
    allow_dev_headers=True,
)


def judged(headers: Any) -> Identity | Rejection:
    async def main() -> Identity | Rejection:
        authenticator = TokenAuthenticator(
            SETTINGS, clock=lambda: NOW, held=Held(RING.jwks(["k1"]))
        )
        try:
            return await authenticator.authenticate(headers)
        finally:
            await authenticator.aclose()

    return asyncio.run(main())


names = st.sampled_from(["Authorization", "X-FF-Tenant", "X-FF-User"]) | st.text(max_size=20)
anything = st.text(st.characters(exclude_categories=()), max_size=60)
values = anything | anything.map(lambda text: f"Bearer {text}")


@settings(deadline=None)
@given(st.lists(st.tuples(names, values), max_size=4).map(tuple))
def test_whatever_a_caller_sends_there_is_an_answer(headers: Any) -> None:
    answer = judged(headers)
    if isinstance(answer, Rejection):
        assert AuthCode(answer.code)
    else:
        assert answer.mode is not AuthMode.VERIFIED


@pytest.mark.parametrize("document", [{}, {"keys": []}])
def test_a_held_set_without_a_key_is_refused_at_the_start(document: Any) -> None:
    with pytest.raises(KeySetError):
        TokenAuthenticator(SETTINGS, clock=lambda: NOW, held=Held(document))
