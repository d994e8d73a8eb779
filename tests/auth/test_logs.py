"""What the logs say of a caller: where the trust comes from, a code, a hash of the kid, no more."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from pytest_ffparity.evaluator.model import Identity, Rejection
from pytest_ffparity.logs import logger, short_hash

Ask = Callable[..., tuple[Identity | Rejection, int]]
Bearer = Callable[..., tuple[tuple[str, str], ...]]
AUTH = "pytest_ffparity.auth.authenticator"


def facts(record: logging.LogRecord) -> dict[str, Any]:
    usual = {*vars(logging.makeLogRecord({})), "message", "asctime"}
    return {name: fact for name, fact in vars(record).items() if name not in usual}


def test_an_accepted_and_a_refused_token_leave_a_line_each(
    ask: Ask, bearer: Bearer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "pytest_ffparity")
    ask(bearer(), bearer("expired"), (("Authorization", "Basic x"),), ())
    records = [record for record in caplog.records if record.name == AUTH]
    kid = short_hash("k1")
    assert [facts(record) for record in records] == [
        {"auth_source": "jwt", "warnings": [], "kid": kid},
        {"code": "token_expired", "kid": kid},
        {"code": "auth_scheme_unsupported", "kid": None},
        {"auth_source": "none", "warnings": [], "kid": None},
    ]
    assert [record.levelname for record in records] == ["DEBUG", "INFO", "INFO", "DEBUG"]
    assert records[1].getMessage() == f"event=auth.refused code=token_expired kid={kid}"


def test_no_line_holds_a_token_or_a_claim(
    ask: Ask, bearer: Bearer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    hostile = "U1\r\nforged %s %d"
    requests = [bearer(sub=hostile, key="k1"), bearer("unknown_kid"), bearer("signature")]
    ask(*requests, published=["k1", "k2"])
    ask(*requests, reachable=False, dev=True)
    everything = "\n".join(f"{record.getMessage()} {facts(record)}" for record in caplog.records)
    assert "jwks.renewed" in everything
    assert "jwks.not_renewed" in everything
    for headers in requests:
        token = headers[0][1].removeprefix("Bearer ")
        for secret in (token, *token.split("."), hostile, "forged", "T-pty-pilot-01", "k1 unpub"):
            assert secret not in everything


def test_a_fact_cannot_break_its_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    logger("pytest_ffparity.test").info("it.happened", why='100 %s\nevent=forged "x"')
    (record,) = caplog.records
    assert record.getMessage() == 'event=it.happened why="100 %s\\nevent=forged \\"x\\""'


def test_a_user_who_asked_for_no_logs_sees_none() -> None:
    code = (
        "from pytest_ffparity.logs import logger\n"
        "logger('pytest_ffparity.auth.jwks').warning('jwks.not_renewed', why='x')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout + done.stderr == ""
