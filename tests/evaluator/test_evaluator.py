from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest

from pytest_ffparity import Approval, Evaluator, Failed, Identity, Records, Rejection, Request
from pytest_ffparity.evaluator.names import AuthMode
from pytest_ffparity.evaluator.records import read_flag

NOW = datetime(2026, 4, 19, tzinfo=UTC)
FLAG = read_flag(
    {
        "flag_key": "f",
        "value_type": "bool",
        "default_value": True,
        "safe_value": False,
        "sensitive": True,
        "version": 1,
    }
)


class Part:
    """Stands in for one surrounding part: counts the questions, and gives or raises its answer."""

    state = "file"

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked = 0

    async def _give(self, *_args: Any, **_more: Any) -> Any:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    authenticate = read = check = _give


def evaluated(
    auth: Any, backing: Any, admin: Any, request: Request
) -> tuple[dict[str, Any], list[int]]:
    parts = [Part(auth), Part(backing), Part(admin)]
    evaluator = Evaluator(parts[1], parts[0], parts[2], clock=lambda: NOW)  # type: ignore[arg-type]
    decision = asyncio.run(evaluator.evaluate(request))
    return decision.to_dict(), [part.asked for part in parts]


VERIFIED = Identity(AuthMode.VERIFIED, "T", "U")
RECORDS = Records(FLAG)
ABSENT = Approval(found=False)


@pytest.mark.parametrize(
    ("auth", "request_", "asked"),
    [
        (Rejection("token_expired"), Request("f", (), "A"), [1, 0, 0]),
        (VERIFIED, Request("", (), "A"), [1, 0, 0]),
        (VERIFIED, Request("f"), [1, 1, 0]),
        (VERIFIED, Request("f", (), "A"), [1, 1, 1]),
        (Identity(AuthMode.ANONYMOUS), Request("f", (), "A"), [1, 1, 0]),
    ],
)
def test_nobody_is_asked_what_no_rule_needs(auth: Any, request_: Request, asked: list[int]) -> None:
    assert evaluated(auth, RECORDS, ABSENT, request_)[1] == asked


@pytest.mark.parametrize("broken", [0, 1, 2])
def test_whatever_breaks_is_a_deny_and_never_an_exception(broken: int) -> None:
    answers: list[Any] = [VERIFIED, RECORDS, ABSENT]
    answers[broken] = ValueError("a defect")
    auth, backing, admin = answers
    decision, _ = evaluated(auth, backing, admin, Request("f", (), "A"))
    assert (decision["decision"], decision["reason"]) == ("deny", "internal_error")
    assert decision["reason_chain"][-1] == {"rule": "fail_safe", "outcome": "internal_error"}
    assert decision["warnings"] == ["internal_error"]
    assert decision["value"] is (False if broken == 2 else None)


def test_an_answer_of_the_wrong_kind_is_a_deny() -> None:
    wrong: list[tuple[Any, Any, Any]] = [
        (None, RECORDS, ABSENT),
        (VERIFIED, "x", ABSENT),
        (VERIFIED, RECORDS, "x"),
    ]
    for auth, backing, admin in wrong:
        decision, _ = evaluated(auth, backing, admin, Request("f", (), "A"))
        assert (decision["decision"], decision["reason"]) == ("deny", "internal_error")


def test_failed_is_passed_on() -> None:
    decision, _ = evaluated(VERIFIED, Failed("backing_unavailable"), None, Request("f"))  # type: ignore[arg-type]
    assert decision["reason"] == "backing_unavailable"


def test_the_library_works_without_pytest() -> None:
    code = (
        "import sys; import pytest_ffparity as p; p.Evaluator; p.Decision; p.bucket; "
        "assert not {'pytest', 'asyncpg', 'httpx'} & set(sys.modules), sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
