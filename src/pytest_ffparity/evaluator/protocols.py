"""What the evaluator asks of its surroundings; `auth`, `approvals` and `backing` implement it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol, runtime_checkable

from pytest_ffparity.evaluator.model import (
    Approval,
    BackingState,
    Failed,
    Identity,
    Records,
    Rejection,
)


class Authenticator(Protocol):
    """Says who is asking."""

    async def authenticate(self, headers: tuple[tuple[str, str], ...]) -> Identity | Rejection:
        """Judge the credentials among the raw headers; never raises for what a caller sent."""
        ...


class ApprovalSource(Protocol):
    """Asks Admin's `sensitive.check.2b`."""

    async def check(
        self, *, flag_key: str, tenant_id: str, user_id: str | None, approval_ref: str
    ) -> Approval | Failed:
        """Give Admin's answer, or the fail-safe reason why there is none."""
        ...


class Backing(Protocol):
    """Where the flags live."""

    state: BackingState

    async def read(
        self, flag_key: str, tenant_id: str | None, user_id: str | None
    ) -> Records | Failed:
        """Read the flag's record and the caller's overrides in one round trip."""
        ...


@runtime_checkable
class BackingChoice(Protocol):
    """Says which backing a request is answered from, where that may change at run time."""

    def in_force(self) -> Backing:
        """Give the backing in force; never raises."""
        ...


class Clock(Protocol):
    """The wall clock; injected, so that a test can stand still."""

    def __call__(self) -> datetime:
        """Give the present instant, aware, in UTC."""
        ...


def wall_clock() -> datetime:
    """Give the present instant in UTC: the clock of a service."""
    return datetime.now(UTC)
