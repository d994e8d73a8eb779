"""Rows D01 to D03: what the dev fallback is for, and what it never gives."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pytest_ffparity.auth.settings import AuthSettings
from pytest_ffparity.backing.documents import OVERRIDES, REGISTRY, write_documents
from pytest_ffparity.backing.file import FileBacking
from pytest_ffparity.evaluator.evaluator import Evaluator
from pytest_ffparity.evaluator.model import Approval, Identity, Request
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


class Approving:
    """Admin would approve everything; counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def check(self, *, flag_key: str, tenant_id: str, approval_ref: str, **_: Any) -> Any:
        self.asked += 1
        return Approval(
            found=True,
            approval_ref=approval_ref,
            flag_key=flag_key,
            tenant_id=tenant_id,
            valid_from=datetime.now(UTC) - timedelta(days=1),
            expires_at=datetime.now(UTC) + timedelta(days=30),
        )


class Known:
    """Gives an identity that an authenticator gave before."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity

    async def authenticate(self, _: Any) -> Identity:
        return self._identity


def test_D03_an_unverified_caller_passes_no_sensitive_overlay(
    judge: Any, issuer: Any, endpoint: Any, tmp_path: Path
) -> None:
    write_documents(tmp_path, [FLAG], [], [])
    backing = FileBacking(tmp_path / REGISTRY, tmp_path / OVERRIDES)
    admin = Approving()

    def decided(identity: Identity) -> tuple[str, Any, str]:
        evaluator = Evaluator(backing, Known(identity), admin)
        decision = asyncio.run(evaluator.evaluate(Request("ff.s", approval_ref="APP-1")))
        return decision.decision, decision.value, decision.reason

    good = judge.headers((("Authorization", f"Bearer {issuer.token()}"),))
    assert decided(good) == ("allow", True, "registry_default")
    assert admin.asked == 1
    for identity in unverified(judge, issuer, endpoint):
        assert decided(identity) == ("deny", False, "auth_not_verified")
    assert admin.asked == 1
