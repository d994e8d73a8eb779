"""Puts the parts together: asks for the facts, lets the rules decide, never raises."""

from __future__ import annotations

import time
from collections.abc import Callable

from pytest_ffparity.evaluator.decide import decide
from pytest_ffparity.evaluator.ids import legal_id
from pytest_ffparity.evaluator.model import (
    Approval,
    Decision,
    Failed,
    Identity,
    Records,
    Rejection,
    Request,
)
from pytest_ffparity.evaluator.names import FailSafe
from pytest_ffparity.evaluator.protocols import (
    ApprovalSource,
    Authenticator,
    Backing,
    BackingChoice,
    Clock,
    wall_clock,
)
from pytest_ffparity.evaluator.rules import Facts, asks_admin

_BROKEN = Failed(FailSafe.INTERNAL_ERROR)


class Evaluator:
    """Answers requests over one backing.

    Args:
        backing: Where the flags live, or what chooses that for each request.
        authenticator: Says who is asking.
        approvals: Asks Admin about approvals of sensitive flags.
        clock: The one wall clock of every rule.
    """

    def __init__(
        self,
        backing: Backing | BackingChoice,
        authenticator: Authenticator,
        approvals: ApprovalSource,
        clock: Clock = wall_clock,
    ) -> None:
        self._choose: Callable[[], Backing] = (
            backing.in_force if isinstance(backing, BackingChoice) else lambda: backing
        )
        self._authenticator = authenticator
        self._approvals = approvals
        self._clock = clock

    async def evaluate(self, request: Request) -> Decision:
        """Decide one request; whatever breaks, the answer is a deny with a reason."""
        started = time.perf_counter_ns()
        # Once for the whole request: a flip in its midst changes the next one.
        backing = self._choose()
        try:
            facts = await self._facts(request, backing)
            return decide(facts, backing.state, _ms_since(started))
        except Exception:  # noqa: BLE001 - whatever breaks denies
            facts = Facts(request, wall_clock(), _BROKEN)
            return decide(facts, backing.state, _ms_since(started))

    async def _facts(self, request: Request, backing: Backing) -> Facts:
        now = self._clock()
        caller = await self._caller(request)
        if not isinstance(caller, Identity):
            return Facts(request, now, caller)
        records = await self._records(request, caller, backing)
        facts = Facts(request, now, caller, records)
        if not asks_admin(facts):
            return facts
        return Facts(request, now, caller, records, await self._approval(request, caller))

    async def _caller(self, request: Request) -> Identity | Rejection | Failed:
        try:
            return await self._authenticator.authenticate(request.headers)
        except Exception:  # noqa: BLE001 - whatever breaks denies
            return _BROKEN

    async def _records(
        self, request: Request, caller: Identity, backing: Backing
    ) -> Records | Failed | None:
        if not legal_id(request.flag_key):
            return None
        try:
            return await backing.read(request.flag_key, caller.tenant_id, caller.user_id)
        except Exception:  # noqa: BLE001 - whatever breaks denies
            return _BROKEN

    async def _approval(self, request: Request, caller: Identity) -> Approval | Failed:
        try:
            return await self._approvals.check(
                flag_key=request.flag_key,
                tenant_id=str(caller.tenant_id),
                user_id=caller.user_id,
                approval_ref=str(request.approval_ref),
            )
        except Exception:  # noqa: BLE001 - whatever breaks denies
            return _BROKEN


def _ms_since(started_ns: int) -> float:
    return (time.perf_counter_ns() - started_ns) / 1e6
