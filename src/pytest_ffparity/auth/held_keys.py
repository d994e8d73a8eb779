"""A key set as it is held: how old it is, and which keys of earlier sets still count. Pure."""

from __future__ import annotations

import math

import msgspec

from pytest_ffparity.auth.keys import PublicKey
from pytest_ffparity.auth.keyset import KeySet

TTL = 300.0
MIN_TTL = 30.0
STALE_LIMIT = 3600.0


class HeldKeys(msgspec.Struct, frozen=True):
    """One state of a cache, replaced whole by the next; times are of the monotonic clock.

    `retired` has keys that left the published set, by kid, and until when they are still taken.
    """

    keys: KeySet | None = None
    fetched_at: float = -math.inf
    ttl: float = TTL
    retired: dict[str, tuple[PublicKey, float]] = {}

    def fresh(self, now: float) -> bool:
        """Tell whether the set needs no refresh yet."""
        return now - self.fetched_at < self.ttl

    def usable(self, now: float) -> bool:
        """Tell whether a key may still be taken from it, with a warning if it is not fresh."""
        return now - self.fetched_at < STALE_LIMIT

    def look_up(self, alg: str, kid: str | None, now: float) -> tuple[PublicKey | None, bool]:
        """Give a token's key, and whether a refresh is of no use: it names no key, and several fit."""
        if self.keys is None:
            return None, False
        if kid is None:
            return self.keys.only_key(alg)
        key = self.keys.by_kid.get(kid)
        if key is None and kid in self.retired:
            retired, until = self.retired[kid]
            key = retired if now < until else None
        return key, False

    def names(self, kid: str | None) -> bool:
        """Tell whether the set names this kid, if only for a key that is refused."""
        return self.keys is not None and kid is not None and kid in self.keys.named

    def renewed(self, keys: KeySet, *, max_age: int | None, overlap: float, now: float) -> HeldKeys:
        """Take a set that was just fetched in place of this one."""
        # Nobody knows when a key left the set while a path was idle: past the limit none comes back.
        gone = self.keys.by_kid if self.keys is not None and self.usable(now) else {}
        retired = {kid: (key, now + overlap) for kid, key in gone.items()}
        # What was retired before keeps its own end.
        retired.update(self.retired)
        return HeldKeys(
            keys,
            fetched_at=now,
            ttl=TTL if max_age is None else min(TTL, max(MIN_TTL, max_age)),
            retired={
                kid: (key, until)
                for kid, (key, until) in retired.items()
                if kid not in keys.named and now < until
            },
        )
