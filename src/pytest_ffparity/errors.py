"""The root of the errors whose message is all that a user needs."""

from __future__ import annotations


class FFParityError(Exception):
    """Says what is wrong, where, and what to do; shown without a traceback."""
