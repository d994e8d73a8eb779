"""Tokens that were verified a moment ago: their signature is not computed again.

An entry is found by the hash of the whole token, never by a part that can be forged or respelled.
It spares the work and no check: the caller holds its key and its times against the present.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeAlias

import msgspec

from pytest_ffparity.auth.claims import Window
from pytest_ffparity.auth.jwks import JWKSCache
from pytest_ffparity.auth.keys import PublicKey
from pytest_ffparity.evaluator.model import Identity

Peek: TypeAlias = Callable[[JWKSCache, str, str | None], PublicKey | None]

MAX_TOKENS: Final = 2048
SECONDS_KEPT: Final = 60.0


class Verified(msgspec.Struct, frozen=True):
    """What a verified token came to, and by which key of which set."""

    identity: Identity
    window: Window
    keys: JWKSCache
    alg: str
    kid: str | None
    thumbprint: bytes
    kept_until: float


class VerifiedTokens:
    """At most 2,048 entries, the latest used ones, each for a minute.

    Args:
        peek: Gives the key that a fresh set holds for an algorithm and a kid.
        monotonic: The clock of that minute.
    """

    def __init__(self, peek: Peek, monotonic: Callable[[], float]) -> None:
        self._peek = peek
        self._monotonic = monotonic
        self._entries: OrderedDict[bytes, Verified] = OrderedDict()

    def __len__(self) -> int:
        """Give the number of entries."""
        return len(self._entries)

    def get(self, digest: bytes) -> Verified | None:
        """Give the entry of a token if its key is still trusted; else it is dropped."""
        entry = self._entries.get(digest)
        if entry is None:
            return None
        key = self._peek(entry.keys, entry.alg, entry.kid)
        if (
            key is None
            or key.thumbprint != entry.thumbprint
            or key.alg != entry.alg
            or self._monotonic() >= entry.kept_until
        ):
            self._entries.pop(digest, None)
            return None
        try:
            self._entries.move_to_end(digest)
        except KeyError:
            return None  # another thread gave it up in between
        return entry

    def add(self, digest: bytes, entry: Verified) -> None:
        """Keep an entry, and give up the one that was not used for longest."""
        self._entries[digest] = entry
        while len(self._entries) > MAX_TOKENS:
            with suppress(KeyError):
                self._entries.popitem(last=False)

    def until(self) -> float:
        """Give the instant of the monotonic clock until which an entry of now is kept."""
        return self._monotonic() + SECONDS_KEPT
