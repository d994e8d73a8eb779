"""The body of Admin's answer to an `Approval`; strict, because it opens sensitive flags."""

from __future__ import annotations

from datetime import datetime

from pytest_ffparity.evaluator.model import Approval
from pytest_ffparity.formats import instant, schema, strict_json


class AnswerRefusedError(ValueError):
    """A body that is not what the schema says; the text holds nothing of it."""


def read_answer(body: bytes) -> Approval:
    """Read the body of a 200.

    Raises:
        AnswerRefusedError: Not strict JSON, not as `admin_check_answer.v1` says, or no such date.
    """
    try:
        answer = strict_json.loads(body)
    except strict_json.JSONRefusedError:
        raise AnswerRefusedError("Admin's answer is not sound JSON") from None
    problems = schema.problems("admin_check_answer.v1", answer)
    if problems:
        where = ", ".join(sorted({problem.pointer[:64] or "(top level)" for problem in problems}))
        raise AnswerRefusedError(f"Admin's answer is not as admin_check_answer.v1 says, at {where}")
    instants = {key: _instant(answer[key]) for key in ("valid_from", "expires_at", "revoked_at")}
    return Approval(
        found=answer["found"],
        approval_ref=answer["approval_ref"],
        flag_key=answer["flag_key"],
        tenant_id=answer["tenant_id"],
        **instants,
    )


def _instant(text: str | None) -> datetime | None:
    try:
        return None if text is None else instant.parse(text)
    except ValueError:
        raise AnswerRefusedError("Admin's answer names a date that does not exist") from None
