from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import jsonschema_rs
import pytest

from pytest_ffparity.approvals.answer import AnswerRefusedError, read_answer
from pytest_ffparity.evaluator.model import Approval
from pytest_ffparity.formats import schema

FOUND: dict[str, Any] = {
    "found": True,
    "approval_ref": "APP-100001-abcd",
    "flag_key": "ff.x",
    "tenant_id": "T",
    "valid_from": "2026-04-01T07:00:00+07:00",
    "expires_at": "2026-05-01T00:00:00Z",
    "revoked_at": None,
}
NOT_FOUND: dict[str, Any] = {**dict.fromkeys(FOUND), "found": False}


def test_an_approval_that_was_found() -> None:
    assert read_answer(json.dumps(FOUND).encode()) == Approval(
        found=True,
        approval_ref="APP-100001-abcd",
        flag_key="ff.x",
        tenant_id="T",
        valid_from=datetime(2026, 4, 1, tzinfo=UTC),
        expires_at=datetime(2026, 5, 1, tzinfo=UTC),
    )


def test_an_approval_that_was_not_found() -> None:
    assert read_answer(json.dumps(NOT_FOUND).encode()) == Approval(found=False)


@pytest.mark.parametrize(
    "answer",
    [
        *([], "x", None, {}, {"found": True}, {"found": False}),
        *({**FOUND, name: None} for name in FOUND if name != "revoked_at"),
        *({**FOUND, "found": 1}, {**FOUND, "found": False}, {**NOT_FOUND, "found": True}),
        *({**FOUND, "expires_at": 1}, {**FOUND, "expires_at": "2026-05-01"}),
        *({**FOUND, "expires_at": "2026-05-01T00:00:00"}, {**FOUND, "revoked_at": ""}),
        *({**FOUND, "expires_at": "2026-05-01T00:00:00.1234567Z"},),
        *({**FOUND, "expires_at": "2026-02-30T00:00:00Z"}, {**FOUND, "approval_ref": ""}),
        *({**FOUND, "more": 1}, {**NOT_FOUND, "expires_at": FOUND["expires_at"]}),
    ],
)
def test_an_answer_that_is_not_as_the_schema_says_is_refused(answer: Any) -> None:
    with pytest.raises(AnswerRefusedError):
        read_answer(json.dumps(answer).encode())


@pytest.mark.parametrize(
    "body", [b"", b"x", b"\xff", b'{"found":false,"found":true}', b"[" * 100_000]
)
def test_a_body_that_is_no_strict_json_is_refused(body: bytes) -> None:
    with pytest.raises(AnswerRefusedError, match="JSON"):
        read_answer(body)


@pytest.mark.parametrize("name", ["admin_check_request.v1", "admin_check_answer.v1"])
def test_the_published_schemas_are_sound_and_hold_for_their_examples(name: str) -> None:
    published = json.loads(schema.text(name))
    jsonschema_rs.meta.validate(published)
    assert published["examples"]
    assert not [p for one in published["examples"] for p in schema.problems(name, one)]
