"""What an unproven caller may not do."""

from __future__ import annotations

from typing import Final

from pytest_ffparity.errors import FFParityError
from pytest_ffparity.evaluator.model import Identity
from pytest_ffparity.evaluator.names import Warn


class NotVerifiedError(FFParityError):
    """An administrative or writing operation by a caller who is not proven.

    Attributes:
        code: `auth_not_verified`.
        http_status: What a front answers: 403, since better credentials are what is missing.
    """

    code: Final = Warn.AUTH_NOT_VERIFIED
    http_status: Final = 403


def require_verified(identity: Identity) -> None:
    """Refuse an administrative or writing operation to everybody but a verified caller.

    Raises:
        NotVerifiedError: A token that was only decoded, dev headers, or nobody.
    """
    if not identity.verified:
        raise NotVerifiedError(f"this takes a verified token; the caller is {identity.mode}")
