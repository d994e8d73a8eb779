"""Puts pseudonyms in the place of user ids that come from captured traffic."""

from __future__ import annotations

import hmac
from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final, TypeAlias

import msgspec

from pytest_ffparity.formats.pointer import split
from pytest_ffparity.parity.compare import Divergence, Seen
from pytest_ffparity.parity.explain import explained
from pytest_ffparity.parity.judgement import Example, Judgement
from pytest_ffparity.parity.mask import Mask
from pytest_ffparity.parity.stability import Unstable

# Where a request names its user, beside the subject of a token, wherever that stands. A segment
# matches whatever its case, `*` matches any.
DEFAULT_POINTERS: Final = (
    "/headers/X-FF-User",
    "/headers/X-User-Id",
    "/user_id",
    "/userId",
    "/context/user_id",
    "/context/userId",
    "/context/targetingKey",
)
_SHAPE: Final = "user-[0-9a-f]{12}"

User: TypeAlias = str | int


class Pseudonyms:
    """Keyed and stable: the same id under the same key has the same pseudonym."""

    def __init__(self, key: bytes, pointers: Iterable[str] = DEFAULT_POINTERS) -> None:
        self._key = key
        self._pointers = [split(pointer.lower()) for pointer in pointers]

    def of(self, user: str) -> str:
        """Give an id's pseudonym."""
        return f"user-{hmac.digest(self._key, user.encode(), 'sha256').hex()[:12]}"

    def users(self, request: Any) -> set[User]:
        """Find the user ids that a request names."""
        return {
            found
            for pointer in self._pointers
            for found in _found(request, pointer)
            if _is_id(found)
        } | {user for user in _subjects([request]) if _is_id(user)}

    def users_of_world(self, world: Any) -> set[User]:
        """Find the user ids of a world's records."""
        lists = ("user_overrides", "writes", "corrupt")
        return {user for name in lists for user in _found(world, (name, "user_id")) if _is_id(user)}

    def masking(self, users: Collection[User], words: Collection[str]) -> Masking:
        """Give what hides these users.

        Args:
            users: Their ids.
            words: What may stand in the pointer of a field, though some user is called so.
        """
        return Masking(Mask(self.of, _SHAPE, users), words)


class Masking:
    """Hides users in all that a judgement shows; what was judged stays as it is."""

    def __init__(self, mask: Mask, words: Collection[str]) -> None:
        self.json = mask.json
        self.text = mask.text
        self._pointer = mask.pointer
        self._words = words

    def field(self, pointer: str) -> str:
        """Hide the users in a field's pointer."""
        return self._pointer(pointer, self._words)

    def judgement(self, found: Judgement) -> Judgement:
        """Hide the users in a judgement; its examples are hidden one by one as they are made."""
        return msgspec.structs.replace(
            found,
            divergences=tuple(map(self.divergence, found.divergences)),
            unstable=tuple(map(self.unstable, found.unstable)),
            problems=tuple(map(self.text, found.problems)),
            paths={
                name: msgspec.structs.replace(path, error=self._told(path.error))
                for name, path in found.paths.items()
            },
        )

    def divergence(self, found: Divergence) -> Divergence:
        """Hide the users in a divergence."""
        hidden = msgspec.structs.replace(
            found,
            field=self.field(found.field),
            expected=None if found.expected is None else self._seen(found.expected),
            paths={name: self._seen(seen) for name, seen in found.paths.items()},
            explanation=(),
            case=self._told(found.case),
        )
        # An explanation quotes and cuts values: one of the hidden values has nothing to hide.
        return explained(hidden) if found.explanation else hidden

    def unstable(self, found: Unstable) -> Unstable:
        """Hide the users in a finding about one path."""
        return msgspec.structs.replace(
            found,
            field=self.field(found.field),
            first=self._seen(found.first),
            second=self._seen(found.second),
            error=self._told(found.error),
            case=self._told(found.case),
        )

    def example(self, found: Example) -> Example:
        """Hide the users in an example."""
        return msgspec.structs.replace(
            found,
            case=self.text(found.case),
            world=self.json(found.world),
            requests=self.json(found.requests),
            divergences=tuple(map(self.divergence, found.divergences)),
            raised={name: self.text(error) for name, error in found.raised.items()},
        )

    def _seen(self, seen: Seen) -> Seen:
        return msgspec.structs.replace(seen, value=self.json(seen.value))

    def _told(self, text: str | None) -> str | None:
        return None if text is None else self.text(text)


def _is_id(value: Any) -> bool:
    return (isinstance(value, str) and value != "") or type(value) is int


def _subjects(node: Any) -> Iterator[Any]:
    """Give the subjects of the tokens that a request describes."""
    if isinstance(node, dict):
        yield from _found(node, ("$bearer", "claims", "sub"))
    for member in node.values() if isinstance(node, dict) else node:
        if isinstance(member, dict | list):
            yield from _subjects(member)


def _found(node: Any, pointer: tuple[str, ...]) -> Iterator[Any]:
    if not pointer:
        yield from node if isinstance(node, list) else (node,)
    elif isinstance(node, dict):
        for key, member in node.items():
            if pointer[0] in ("*", key.lower()):
                yield from _found(member, pointer[1:])
    elif isinstance(node, list):
        for member in node:
            yield from _found(member, pointer)
