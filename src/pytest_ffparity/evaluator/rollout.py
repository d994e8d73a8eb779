"""Percentage rollouts: which bucket of 100,000 a unit falls into."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from typing import Final

BUCKETS: Final = 100_000
_DECIMALS: Final = 3


@lru_cache(maxsize=4096)
def thousandths(percentage: int | float) -> int:  # noqa: PYI041 - 33 and 33.0 are both legal literals
    """Turn a percentage into thousandths of a percent, from its decimal digits.

    Raises:
        ValueError: Outside 0..100, or more than three decimals.
    """
    # repr gives the shortest literal of a double: int(p * 1000) is wrong for hundreds of values.
    exact = Decimal(repr(percentage)).normalize()
    exponent = exact.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -_DECIMALS:
        raise ValueError("a percentage has at most three decimals")
    if not 0 <= exact <= 100:  # noqa: PLR2004
        raise ValueError("a percentage is from 0 to 100")
    return int(exact * 1000)


def bucket(salt: str, flag_key: str, tenant_id: str, user_id: str | None) -> int:
    """Give the bucket, 0 to 99,999, of the user, or of the tenant where there is no user."""
    digest = blake2b(_prefix(salt, flag_key, tenant_id), digest_size=8)
    if user_id is None:
        digest.update(b"t" + _sized(tenant_id))
    else:
        digest.update(b"u" + _sized(user_id))
    return int.from_bytes(digest.digest(), "big") * BUCKETS >> 64


def _prefix(salt: str, flag_key: str, tenant_id: str) -> bytes:
    return _sized(salt) + _sized(flag_key) + _sized(tenant_id)


def _sized(text: str) -> bytes:
    # The length keeps ("ab", "c") and ("a", "bc") apart.
    raw = text.encode("utf-8")
    return len(raw).to_bytes(4, "big") + raw
