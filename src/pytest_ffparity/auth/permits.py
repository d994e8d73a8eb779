"""What an unproven caller may not do."""

from __future__ import annotations

from pytest_ffparity.auth.codes import AuthCode, AuthError
from pytest_ffparity.evaluator.model import Identity


def require_verified(identity: Identity) -> None:
    """Refuse an administrative or writing operation to everybody but a verified caller.

    Raises:
        AuthError: `auth_not_verified`: a token only decoded, dev headers, or nobody.
    """
    if not identity.verified:
        raise AuthError(AuthCode.AUTH_NOT_VERIFIED)
