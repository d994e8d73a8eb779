"""Asks Admin's `sensitive.check.2b`: bounded, cached briefly, one question once at a time."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Final

import msgspec

from pytest_ffparity.approvals.answer import AnswerRefusedError, read_answer
from pytest_ffparity.approvals.breaker import Breaker
from pytest_ffparity.approvals.bus import APPROVAL_TTL_REFRESH, ApprovalBus, ApprovalEvent
from pytest_ffparity.approvals.settings import ApprovalSettings
from pytest_ffparity.evaluator.health import Health, Pulse
from pytest_ffparity.evaluator.model import Approval, Failed
from pytest_ffparity.evaluator.names import FailSafe
from pytest_ffparity.evaluator.protocols import Clock, wall_clock
from pytest_ffparity.formats.strict_json import canonical
from pytest_ffparity.logs import logger
from pytest_ffparity.net.client import (
    BodyRefusedError,
    BoundedClient,
    Bounds,
    NoAnswerError,
    trust_for,
)

MAX_BODY: Final = 16 * 1024

_OK: Final = 200
# A 4xx is Admin's word on one question; only these two speak of its health.
_HEALTH_4XX: Final = frozenset({408, 429})
_UNREACHABLE: Final = Failed(FailSafe.ADMIN_UNREACHABLE)
_INVALID: Final = Failed(FailSafe.ADMIN_INVALID)

_log = logger(__name__)


class _Question(msgspec.Struct, frozen=True):
    flag_key: str
    tenant_id: str
    user_id: str | None
    approval_ref: str


class AdminClient:
    """The approvals of one path; it owns its cache, breaker and connections.

    It belongs to the event loop that uses it first.

    Args:
        settings: Checked settings.
        clock: The wall clock, for its health.
        monotonic: The clock of cache and breaker, in seconds.
        bus: Where it hears that approvals have changed.
    """

    def __init__(
        self,
        settings: ApprovalSettings,
        *,
        clock: Clock = wall_clock,
        monotonic: Callable[[], float] = time.monotonic,
        bus: ApprovalBus | None = None,
    ) -> None:
        self._url = f"{settings.admin_url}/v1/sensitive.check.2b"
        self._cache_seconds = settings.cache_seconds
        self._cache_size = settings.cache_size
        self._monotonic = monotonic
        self._breaker = Breaker(settings.failures_to_open, settings.open_seconds, monotonic)
        self._client = BoundedClient(
            trust_for(settings.admin_url, settings.ca_file),
            Bounds(
                connect=settings.timeout,
                read=settings.timeout,
                total=settings.timeout,
                max_body=MAX_BODY,
                in_flight=settings.in_flight,
            ),
        )
        self._answers: OrderedDict[_Question, tuple[Approval | Failed, float]] = OrderedDict()
        self._flights: dict[_Question, asyncio.Task[Approval | Failed]] = {}
        self._pulse = Pulse("admin", clock)
        self._unsubscribe = None if bus is None else bus.subscribe(self._heard)

    @property
    def health(self) -> Health:
        """How Admin is doing, as its last answer tells."""
        return self._pulse.health

    async def check(
        self, *, flag_key: str, tenant_id: str, user_id: str | None, approval_ref: str
    ) -> Approval | Failed:
        """Give Admin's answer, or the fail-safe reason why there is none."""
        question = _Question(flag_key, tenant_id, user_id, approval_ref)
        cached = self._answers.get(question)
        if cached is not None and self._monotonic() < cached[1]:
            return cached[0]
        flight = self._flights.get(question)
        if flight is None:
            if not self._breaker.lets_through():
                return _UNREACHABLE
            # A task of its own: a caller that is cancelled takes nobody else's answer along.
            flight = asyncio.create_task(self._ask(question))
            self._flights[question] = flight
            flight.add_done_callback(partial(self._landed, question))
        await asyncio.wait({flight})
        return _UNREACHABLE if flight.cancelled() else flight.result()

    async def aclose(self) -> None:
        """Give up what is under way, and close the connections."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)
        await self._client.aclose()

    async def _ask(self, question: _Question) -> Approval | Failed:
        healthy = False
        try:
            text = canonical(msgspec.structs.asdict(question))
            answer = await self._client.send("POST", self._url, text.encode())
            healthy = answer.status < 500 and answer.status not in _HEALTH_4XX  # noqa: PLR2004
            if answer.status != _OK:
                _log.warning("admin.refused", status=answer.status)
                self._pulse.down(f"status {answer.status}")
                return _UNREACHABLE
            approval: Approval | Failed = read_answer(answer.body)
            self._pulse.up()
        except NoAnswerError as error:
            _log.warning("admin.unreachable", why=str(error))
            self._pulse.down(str(error))
            return _UNREACHABLE
        except (BodyRefusedError, AnswerRefusedError) as error:
            # Admin is up: one bad record must not shut out the approvals of everybody else.
            healthy = True
            _log.warning("admin.answer_refused", why=str(error))
            self._pulse.down(f"its answer is refused: {error}")
            # A deny is safe to keep: a bad record is asked about once in a while, not by every caller.
            approval = _INVALID
        finally:
            if healthy:
                self._breaker.succeeded()
            else:
                self._breaker.failed()
        # What was asked before an event is an answer of yesterday to everybody who asks after it.
        if self._flights.get(question) is asyncio.current_task():
            self._keep(question, approval)
        return approval

    def _landed(self, question: _Question, flight: asyncio.Task[Approval | Failed]) -> None:
        if self._flights.get(question) is flight:
            del self._flights[question]

    def _heard(self, event: ApprovalEvent) -> None:
        if event.kind != APPROVAL_TTL_REFRESH:
            return
        for known in (self._answers, self._flights):
            for question in [q for q in known if _concerns(event, q)]:
                del known[question]

    def _keep(self, question: _Question, approval: Approval | Failed) -> None:
        if self._cache_seconds <= 0:
            return
        self._answers[question] = (approval, self._monotonic() + self._cache_seconds)
        self._answers.move_to_end(question)
        while len(self._answers) > self._cache_size:
            self._answers.popitem(last=False)


def _concerns(event: ApprovalEvent, question: _Question) -> bool:
    return all(
        said is None or said == asked
        for said, asked in (
            (event.tenant_id, question.tenant_id),
            (event.flag_key, question.flag_key),
            (event.approval_ref, question.approval_ref),
        )
    )
