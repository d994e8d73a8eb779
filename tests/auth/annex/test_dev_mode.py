"""Rows D01 to D03: what the dev fallback is for, and what it never gives."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pytest_ffparity.auth.settings import AuthSettings
from pytest_ffparity.backing.documents import OVERRIDES, REGISTRY, write_documents
from pytest_ffparity.backing.file import FileBacking
from pytest_ffparity.evaluator.evaluator import Evaluator
from pytest_ffparity.evaluator.model import Identity, Request
from pytest_ffparity.evaluator.names import AuthMode
from pytest_ffparity.evaluator.permits import NotVerifiedError, require_verified

DEV = (("X-FF-Tenant", "T-pty-pilot-01"), ("X-FF-User", "U1001"))
ENV = {"FF_JWT_ISSUER": "https://a", "FF_JWKS_URL": "https://a/keys"}
FLAG = {"flag_key": "ff.s", "value_type": "bool", "sensitive": True, "version": 1}
FLAG |= {"default_value": True, "safe_value": False}


def test_D01_without_the_fallback_dev_headers_are_ignored(judge: Any) -> None:
    assert judge.headers(DEV) == Identity(AuthMode.ANONYMOUS)
    assert judge.headers(DEV, dev=True).mode is AuthMode.DEV_HEADERS
    # Not even looked at: what would be refused with the fallback on says nothing.
    assert judge.headers([*DEV, *DEV]) == Identity(AuthMode.ANONYMOUS)


@pytest.mark.parametrize(
    "word", ["1", "TRUE", "True", " true ", "true ", "yes", "on", "t", "", "true\n", "false"]
)
def test_D02_only_the_exact_word_switches_it_on(word: str) -> None:
    assert not AuthSettings.from_env({**ENV, "FF_ALLOW_DEV_HEADERS": word}).allow_dev_headers
    assert not AuthSettings.from_env(ENV).allow_dev_headers
    assert AuthSettings.from_env({**ENV, "FF_ALLOW_DEV_HEADERS": "true"}).allow_dev_headers


def unverified(judge: Any, issuer: Any, endpoint: Any) -> list[Identity]:
    endpoint.status = 500
    token = (("Authorization", f"Bearer {issuer.token()}"),)
    decoded = judge.headers(token, held=None, dev=True)
    assert decoded.mode is AuthMode.DECODE_ONLY
    return [decoded, judge.headers(DEV, dev=True), judge.headers(())]


def test_D03_an_unverified_caller_neither_writes_nor_administers(
    judge: Any, issuer: Any, endpoint: Any
) -> None:
    good = judge.headers((("Authorization", f"Bearer {issuer.token()}"),))
    assert good.verified
    require_verified(good)
    for identity in unverified(judge, issuer, endpoint):
        assert not identity.verified
        with pytest.raises(NotVerifiedError) as caught:
            require_verified(identity)
        assert (caught.value.code, caught.value.http_status) == ("auth_not_verified", 403)


def test_D03_an_unverified_caller_passes_no_sensitive_overlay(
    judge: Any, issuer: Any, endpoint: Any, tmp_path: Path
) -> None:
    write_documents(tmp_path, [FLAG], [], [])

    class Never:
        async def check(self, **_: Any) -> Any:
            raise AssertionError("Admin is asked for verified callers only")

    for identity in unverified(judge, issuer, endpoint):

        class Known:
            async def authenticate(self, _: Any, identity: Identity = identity) -> Identity:
                return identity

        backing = FileBacking(tmp_path / REGISTRY, tmp_path / OVERRIDES)
        evaluator = Evaluator(backing, Known(), Never())
        decision = asyncio.run(evaluator.evaluate(Request("ff.s", approval_ref="APP-1")))
        assert (decision.decision, decision.value) == ("deny", False)
        assert decision.reason == "auth_not_verified"
