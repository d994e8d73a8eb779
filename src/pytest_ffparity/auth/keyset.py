"""A JWKS document to the keys that may be used. Pure."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from pytest_ffparity.auth.keys import JWKRefusedError, PublicKey, usable_key
from pytest_ffparity.auth.tokens import MAX_KID
from pytest_ffparity.logs import logger, short_hash

MAX_KEYS: Final = 64

_log = logger(__name__)


class KeySetError(ValueError):
    """A document that is no key set, or holds no usable key."""


class KeySet(msgspec.Struct, frozen=True):
    """Usable keys of one document.

    `named` are the kids that stand in the document, those of refused and ambiguous members too:
    a kid that is still published, in whatever form, has not been retired.
    """

    by_kid: dict[str, PublicKey]
    unnamed: tuple[PublicKey, ...]
    named: frozenset[str]

    def only_key(self, alg: str) -> tuple[PublicKey | None, bool]:
        """Serve a token without a kid.

        Returns:
            The one key of this algorithm if there is just one, and whether there are several.
        """
        # One key may stand there twice, with a name and without.
        keys = (*self.by_kid.values(), *self.unnamed)
        fitting = list({key.thumbprint: key for key in keys if key.alg == alg}.values())
        return (fitting[0] if len(fitting) == 1 else None), len(fitting) > 1


def read_key_set(document: Any) -> KeySet:
    """Read a JWKS document; members that can't be used are left out, each with a log line.

    Raises:
        KeySetError: No `keys` list, too many keys, or not one that can be used.
    """
    members = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(members, list):
        raise KeySetError("a JWKS is an object with a list `keys`")
    if len(members) > MAX_KEYS:
        raise KeySetError(f"a JWKS holds at most {MAX_KEYS} keys")
    by_kid: dict[str, PublicKey] = {}
    unnamed: list[PublicKey] = []
    named: set[str] = set()
    ambiguous: set[str] = set()
    for index, member in enumerate(members):
        kid = _kid(member)
        if kid is not None:
            named.add(kid)
        try:
            key = usable_key(member)
        except JWKRefusedError as error:
            _log.warning("jwks.key_left_out", member=index, kid=short_hash(kid), why=str(error))
            continue
        if kid is None:
            unnamed.append(key)
        elif by_kid.setdefault(kid, key) != key:
            why = "its kid names another key"
            _log.warning("jwks.key_left_out", member=index, kid=short_hash(kid), why=why)
            ambiguous.add(kid)
    for kid in ambiguous:
        # Which of the two is meant can't be known, so neither is.
        del by_kid[kid]
    if not by_kid and not unnamed:
        raise KeySetError("the JWKS holds no key that can be used")
    return KeySet(by_kid, tuple(unnamed), frozenset(named))


def _kid(member: object) -> str | None:
    kid = member.get("kid") if isinstance(member, dict) else None
    return kid if isinstance(kid, str) and 0 < len(kid) <= MAX_KID else None
