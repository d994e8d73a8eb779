"""The state of an approval, on the service's own clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from pytest_ffparity.evaluator.model import Approval, Failed
from pytest_ffparity.evaluator.names import FailSafe, TTLState

EXPIRING_SOON: Final = timedelta(minutes=15)


def ttl_state(
    approval: Approval, *, approval_ref: str, flag_key: str, tenant_id: str, now: datetime
) -> TTLState | Failed:
    """Tell which of the six states holds first; an approval is bound to its flag and tenant."""
    bound = (approval.approval_ref, approval.flag_key, approval.tenant_id)
    if approval.found is not True or bound != (approval_ref, flag_key, tenant_id):
        return TTLState.ABSENT
    if approval.valid_from is None or approval.expires_at is None:
        return Failed(FailSafe.ADMIN_INVALID)
    if approval.revoked_at is not None and approval.revoked_at <= now:
        return TTLState.REVOKED
    if now < approval.valid_from:
        return TTLState.NOT_YET_VALID
    if approval.expires_at <= now:
        return TTLState.EXPIRED
    if approval.expires_at - now <= EXPIRING_SOON:
        return TTLState.EXPIRING_SOON
    return TTLState.VALID
