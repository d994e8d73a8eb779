"""An event ends what is kept about approvals, against a real Admin."""

from __future__ import annotations

import asyncio
from threading import Event
from typing import Any

import pytest

from pytest_ffparity.approvals.bus import ApprovalBus, ApprovalEvent
from pytest_ffparity.approvals.client import AdminClient
from pytest_ffparity.approvals.settings import ApprovalSettings
from pytest_ffparity.evaluator.model import Approval
from pytest_ffparity.paths.http_server import JSONServer

RECORD = {
    "found": True,
    "approval_ref": "APP-1",
    "flag_key": "ff.x",
    "tenant_id": "T",
    "valid_from": "2026-04-01T00:00:00Z",
    "expires_at": "2026-05-01T00:00:00Z",
    "revoked_at": None,
}
REVOKED = {**RECORD, "revoked_at": "2026-04-02T00:00:00Z"}
ASKED: dict[str, Any] = {
    "flag_key": "ff.x",
    "tenant_id": "T",
    "user_id": "U",
    "approval_ref": "APP-1",
}


class Admin(JSONServer):
    def __init__(self) -> None:
        self.record = RECORD
        self.came, self.lets = Event(), Event()
        self.lets.set()
        super().__init__()

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        del method, path, body
        record = self.record
        self.came.set()
        self.lets.wait(30)
        return 200, record


def revoked(answer: object) -> bool:
    assert isinstance(answer, Approval)
    return answer.revoked_at is not None


@pytest.mark.parametrize(
    ("event", "concerns"),
    [
        (ApprovalEvent(), True),
        (ApprovalEvent(tenant_id="T"), True),
        (ApprovalEvent(tenant_id="T", flag_key="ff.x", approval_ref="APP-1"), True),
        (ApprovalEvent(tenant_id="t"), False),
        (ApprovalEvent(tenant_id="T", flag_key="ff.y"), False),
        (ApprovalEvent(approval_ref="APP-2"), False),
        (ApprovalEvent(kind="something_else"), False),
    ],
)
def test_an_event_drops_the_answers_that_it_concerns(
    event: ApprovalEvent, *, concerns: bool
) -> None:
    admin, bus = Admin(), ApprovalBus()

    async def main() -> None:
        client = AdminClient(ApprovalSettings(admin_url=admin.url), monotonic=lambda: 0.0, bus=bus)
        assert not revoked(await client.check(**ASKED))
        admin.record = REVOKED
        assert not revoked(await client.check(**ASKED))
        bus.publish(event)
        assert revoked(await client.check(**ASKED)) == concerns
        await client.aclose()

    try:
        asyncio.run(main())
    finally:
        admin.close()


def test_an_answer_under_way_is_not_kept_past_an_event() -> None:
    admin, bus = Admin(), ApprovalBus()
    admin.lets.clear()

    async def main() -> None:
        client = AdminClient(
            ApprovalSettings(admin_url=admin.url, timeout=30), monotonic=lambda: 0.0, bus=bus
        )
        early = asyncio.create_task(client.check(**ASKED))
        await asyncio.to_thread(admin.came.wait, 30)
        admin.record = REVOKED
        bus.publish(ApprovalEvent(approval_ref="APP-1"))
        late = asyncio.create_task(client.check(**ASKED))
        await asyncio.sleep(0)
        admin.lets.set()
        assert not revoked(await early)
        assert revoked(await late)
        assert revoked(await client.check(**ASKED))
        await client.aclose()

    try:
        asyncio.run(main())
    finally:
        admin.lets.set()
        admin.close()


def test_a_subscriber_that_raises_keeps_no_other_from_hearing() -> None:
    bus = ApprovalBus()
    heard: list[ApprovalEvent] = []

    def broken(_: ApprovalEvent) -> None:
        raise RuntimeError("broken")

    bus.subscribe(broken)
    end = bus.subscribe(heard.append)
    with pytest.raises(ExceptionGroup):
        bus.publish(ApprovalEvent())
    end()
    with pytest.raises(ExceptionGroup):
        bus.publish(ApprovalEvent())
    assert heard == [ApprovalEvent()]


def test_a_client_that_is_closed_hears_nothing_any_more() -> None:
    bus = ApprovalBus()

    async def main() -> None:
        client = AdminClient(ApprovalSettings(admin_url="http://127.0.0.1:1"), bus=bus)
        await client.aclose()
        await client.aclose()

    asyncio.run(main())
    assert bus._handlers == []
