"""Events about approvals, from whoever hears of them to whoever keeps answers.

In one process for now: a bus over the network takes its place with the same two methods.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import msgspec

APPROVAL_TTL_REFRESH: Final = "approval_ttl_refresh"


class ApprovalEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something about approvals has changed; None stands for any.

    Attributes:
        kind: `approval_ttl_refresh`.
        tenant_id: Whose approvals.
        flag_key: Of which flag.
        approval_ref: Which one.
    """

    kind: str = APPROVAL_TTL_REFRESH
    tenant_id: str | None = None
    flag_key: str | None = None
    approval_ref: str | None = None


Handler: TypeAlias = Callable[[ApprovalEvent], None]


class ApprovalBus:
    """Hands every event to every subscriber, before `publish` returns."""

    def __init__(self) -> None:
        self._handlers: list[Handler] = []

    def subscribe(self, handler: Handler) -> Callable[[], None]:
        """Have a handler called for each event; gives what ends that."""
        self._handlers.append(handler)
        return lambda: self._handlers.remove(handler)

    def publish(self, event: ApprovalEvent) -> None:
        """Tell all subscribers; one that raises keeps no other from hearing, and is raised last."""
        failed: list[Exception] = []
        for handler in list(self._handlers):
            try:
                handler(event)
            except Exception as error:  # noqa: BLE001 - the others must hear of it all the same
                failed.append(error)
        if failed:
            raise ExceptionGroup("subscribers failed", failed)
