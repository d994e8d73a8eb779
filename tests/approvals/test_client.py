"""The Admin client against a real server whose answers the test sets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from threading import Event
from typing import Any

import pytest

from pytest_ffparity.approvals.client import AdminClient
from pytest_ffparity.approvals.settings import ApprovalSettings
from pytest_ffparity.evaluator.model import Approval, Failed
from pytest_ffparity.evaluator.names import FailSafe
from pytest_ffparity.formats import schema
from pytest_ffparity.net.environment import ConfigurationError
from pytest_ffparity.paths.http_server import JSONServer
from pytest_ffparity.paths.servers import WorldServers

UNREACHABLE = Failed(FailSafe.ADMIN_UNREACHABLE)
INVALID = Failed(FailSafe.ADMIN_INVALID)
QUESTION: dict[str, Any] = {
    "flag_key": "ff.x",
    "tenant_id": "T",
    "user_id": None,
    "approval_ref": "APP-100001-abcd",
}
RECORD = {
    "approval_ref": "APP-100001-abcd",
    "flag_key": "ff.x",
    "tenant_id": "T",
    "valid_from": "2026-04-01T00:00:00Z",
    "expires_at": "2026-05-01T00:00:00Z",
    "revoked_at": None,
}


class Admin(JSONServer):
    """Answers as it is told, and only while it is let."""

    def __init__(self) -> None:
        self.status = 200
        self.document: Any = {"found": True, **RECORD}
        self.asked: list[Any] = []
        self.came = Event()
        self.lets = Event()
        self.lets.set()
        super().__init__()

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        self.asked.append((method, path, json.loads(body)))
        self.came.set()
        self.lets.wait(30)
        return self.status, self.document


class Seconds:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def admin() -> Iterator[Admin]:
    server = Admin()
    yield server
    server.lets.set()
    server.close()


@pytest.fixture
def clock() -> Seconds:
    return Seconds()


def run(
    url: str, clock: Seconds, steps: Callable[[AdminClient], Awaitable[None]], **settings: Any
) -> None:
    async def main() -> None:
        client = AdminClient(ApprovalSettings(admin_url=url, **settings), monotonic=clock)
        try:
            await steps(client)
        finally:
            await client.aclose()

    asyncio.run(main())


def answers(
    url: str, *questions: dict[str, Any], clock: Seconds | None = None, **settings: Any
) -> list[Approval | Failed]:
    found: list[Approval | Failed] = []

    async def steps(client: AdminClient) -> None:
        found.extend([await client.check(**question) for question in questions])

    run(url, clock or Seconds(), steps, **settings)
    return found


def test_the_question_is_as_its_schema_says(admin: Admin) -> None:
    (found,) = answers(admin.url, QUESTION)
    assert isinstance(found, Approval)
    assert found.found
    ((method, path, body),) = admin.asked
    assert (method, path) == ("POST", "/v1/sensitive.check.2b")
    assert body == QUESTION
    assert not schema.problems("admin_check_request.v1", body)


def test_the_worlds_admin_answers_from_its_records() -> None:
    unsound = {**RECORD, "approval_ref": "bad", "expires_at": None}
    servers = WorldServers(jwks=None, approvals=[RECORD, unsound])
    unknown, bad = ({**QUESTION, "approval_ref": ref} for ref in ("unknown", "bad"))
    found = answers(servers.admin_url, QUESTION, unknown, bad)
    assert isinstance(found[0], Approval)
    assert found[1:] == [Approval(found=False), INVALID]
    assert servers.admin_requests == 3
    servers.close()


def test_an_admin_that_is_not_there_is_unreachable() -> None:
    servers = WorldServers(jwks=None, approvals=None)
    assert answers(servers.admin_url, QUESTION) == [UNREACHABLE]
    servers.close()


@pytest.mark.parametrize("status", [201, 204, 302, 400, 404, 429, 500, 503])
def test_another_status_is_unreachable(admin: Admin, status: int) -> None:
    admin.status = status
    assert answers(admin.url, QUESTION) == [UNREACHABLE]


def test_an_admin_that_is_too_slow_is_unreachable(admin: Admin) -> None:
    admin.lets.clear()
    assert answers(admin.url, QUESTION, timeout=0.2) == [UNREACHABLE]


@pytest.mark.parametrize("document", [[], {"found": True}, {"found": True, "x": "x" * 20_000}])
def test_a_body_that_is_not_as_it_should_be_is_invalid(admin: Admin, document: Any) -> None:
    admin.document = document
    assert answers(admin.url, QUESTION) == [INVALID]


def test_an_answer_is_taken_again_for_a_while(admin: Admin, clock: Seconds) -> None:
    async def steps(client: AdminClient) -> None:
        for _ in range(3):
            await client.check(**QUESTION)
        clock.now += 1.9
        await client.check(**QUESTION)
        assert admin.requests == 1
        clock.now += 0.1
        await client.check(**QUESTION)
        assert admin.requests == 2
        for name in ("flag_key", "tenant_id", "user_id", "approval_ref"):
            await client.check(**{**QUESTION, name: "other"})
        assert admin.requests == 6

    run(admin.url, clock, steps)


def test_without_a_cache_every_question_is_asked(admin: Admin) -> None:
    answers(admin.url, QUESTION, QUESTION, QUESTION, cache_seconds=0)
    assert admin.requests == 3


def test_the_cache_is_bounded(admin: Admin) -> None:
    other = {**QUESTION, "user_id": "other"}
    answers(admin.url, QUESTION, other, other, QUESTION, cache_size=1)
    assert admin.requests == 3


def test_failures_are_not_kept(admin: Admin, clock: Seconds) -> None:
    async def steps(client: AdminClient) -> None:
        admin.status = 500
        assert await client.check(**QUESTION) == UNREACHABLE
        admin.status = 200
        assert isinstance(await client.check(**QUESTION), Approval)

    run(admin.url, clock, steps)


def test_one_question_is_asked_once_at_a_time(admin: Admin, clock: Seconds) -> None:
    async def steps(client: AdminClient) -> None:
        found = await asyncio.gather(*(client.check(**QUESTION) for _ in range(500)))
        assert all(isinstance(one, Approval) for one in found)

    run(admin.url, clock, steps, cache_seconds=0)
    assert admin.requests == 1


def test_waiters_share_a_failure_and_the_next_one_asks_again(admin: Admin, clock: Seconds) -> None:
    admin.status = 500

    async def steps(client: AdminClient) -> None:
        found = await asyncio.gather(*(client.check(**QUESTION) for _ in range(50)))
        assert set(map(str, found)) == {str(UNREACHABLE)}
        assert admin.requests == 1
        await client.check(**QUESTION)
        assert admin.requests == 2

    run(admin.url, clock, steps)


def test_a_cancelled_caller_strands_nobody(admin: Admin, clock: Seconds) -> None:
    async def steps(client: AdminClient) -> None:
        first = asyncio.create_task(client.check(**QUESTION))
        second = asyncio.create_task(client.check(**QUESTION))
        await asyncio.sleep(0)
        first.cancel()
        assert isinstance(await second, Approval)
        assert isinstance(await client.check(**QUESTION), Approval)

    run(admin.url, clock, steps)
    assert admin.requests == 1


def test_closing_answers_those_who_wait(admin: Admin, clock: Seconds) -> None:
    admin.lets.clear()

    async def main() -> None:
        client = AdminClient(ApprovalSettings(admin_url=admin.url, timeout=30), monotonic=clock)
        waiting = asyncio.create_task(client.check(**QUESTION))
        await asyncio.to_thread(admin.came.wait, 30)
        await client.aclose()
        assert await waiting == UNREACHABLE

    asyncio.run(main())


def test_the_breaker_spares_an_admin_that_is_down(admin: Admin, clock: Seconds) -> None:
    admin.status = 500

    async def steps(client: AdminClient) -> None:
        for _ in range(20):
            assert await client.check(**QUESTION) == UNREACHABLE
        assert admin.requests == 5
        admin.status = 200
        assert await client.check(**QUESTION) == UNREACHABLE
        clock.now += 5
        assert isinstance(await client.check(**QUESTION), Approval)
        assert admin.requests == 6

    run(admin.url, clock, steps)


@pytest.mark.parametrize("status", [200, 400, 404])
def test_one_bad_question_does_not_open_the_breaker_for_all(
    admin: Admin, clock: Seconds, status: int
) -> None:
    admin.status, admin.document = status, []

    async def steps(client: AdminClient) -> None:
        for _ in range(20):
            assert isinstance(await client.check(**QUESTION), Failed)
        admin.status, admin.document = 200, {"found": True, **RECORD}
        clock.now += 2
        assert isinstance(await client.check(**QUESTION), Approval)

    run(admin.url, clock, steps)


def test_a_bad_answer_is_asked_about_once_while_it_is_kept(admin: Admin, clock: Seconds) -> None:
    admin.document = []

    async def steps(client: AdminClient) -> None:
        for _ in range(20):
            assert await client.check(**QUESTION) == INVALID
        assert admin.requests == 1
        clock.now += 2
        assert await client.check(**QUESTION) == INVALID
        assert admin.requests == 2

    run(admin.url, clock, steps)


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"FF_ADMIN_URL": "http://admin.test"},
        {"FF_ADMIN_URL": "https://u:secret@admin.test"},
        {"FF_ADMIN_URL": "http://127.0.0.1:80", "FF_ENV": "production"},
    ],
)
def test_an_unsafe_admin_url_is_refused(env: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="FF_ADMIN_URL") as caught:
        ApprovalSettings.from_env(env)
    assert "secret" not in str(caught.value)


def test_a_trailing_slash_of_the_url_does_no_harm() -> None:
    settings = ApprovalSettings.from_env({"FF_ADMIN_URL": "https://admin.test/", "FF_ENV": "x"})
    assert settings.admin_url == "https://admin.test"
