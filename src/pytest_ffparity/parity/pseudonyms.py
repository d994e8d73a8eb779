"""Puts pseudonyms in the place of user ids that come from captured traffic."""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final

import msgspec

from pytest_ffparity.formats.pointer import split
from pytest_ffparity.parity.compare import Divergence, Seen
from pytest_ffparity.parity.judgement import Example, Judgement
from pytest_ffparity.parity.stability import Unstable

# Where a request names its user; a segment matches whatever its case, `*` matches any.
DEFAULT_POINTERS: Final = ("/headers/*/$bearer/claims/sub", "/headers/X-FF-User")
# Shorter ids are replaced where they are the whole text: inside others they would be anything.
_MIN_INSIDE: Final = 4


class Pseudonyms:
    """Keyed and stable: the same id under the same key has the same pseudonym."""

    def __init__(self, key: bytes, pointers: Iterable[str] = DEFAULT_POINTERS) -> None:
        self._key = key
        self._pointers = [split(pointer.lower()) for pointer in pointers]

    def of(self, user: str) -> str:
        """Give an id's pseudonym."""
        return f"user-{hmac.digest(self._key, user.encode(), 'sha256').hex()[:12]}"

    def users(self, request: Any) -> set[str]:
        """Find the user ids that a request names."""
        return {
            found
            for pointer in self._pointers
            for found in _found(request, pointer)
            if isinstance(found, str) and found
        }

    def users_of_world(self, world: Any) -> set[str]:
        """Find the user ids of a world's overrides."""
        found = _found(world, ("user_overrides", "user_id"))
        return {user for user in found if isinstance(user, str) and user}

    def example(self, example: Example, users: Collection[str]) -> Example:
        """Replace the ids in an example."""
        return _Mask(self, users).example(example)

    def hidden(self, value: Any, users: Collection[str]) -> Any:
        """Replace the ids wherever they stand in JSON, keys included."""
        return _Mask(self, users).json(value)

    def applied(self, judgement: Judgement, users: Collection[str]) -> Judgement:
        """Replace the ids in all that a judgement shows."""
        mask = _Mask(self, users)
        return msgspec.structs.replace(
            judgement,
            divergences=tuple(map(mask.divergence, judgement.divergences)),
            unstable=tuple(map(mask.unstable, judgement.unstable)),
            examples=tuple(map(mask.example, judgement.examples)),
            paths={
                name: msgspec.structs.replace(path, error=mask.text(path.error))
                for name, path in judgement.paths.items()
            },
        )


class _Mask:
    def __init__(self, pseudonyms: Pseudonyms, users: Collection[str]) -> None:
        self._of = {user: pseudonyms.of(user) for user in users}
        inside = sorted((u for u in users if len(u) >= _MIN_INSIDE), key=len, reverse=True)
        joined = "|".join(map(re.escape, inside))
        self._inside = re.compile(rf"(?<!\w)(?:{joined})(?!\w)") if inside else None

    def text(self, text: str | None) -> Any:
        if text is None or text in self._of:
            return None if text is None else self._of[text]
        if self._inside is None:
            return text
        return self._inside.sub(lambda match: self._of[match.group()], text)

    def json(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(key): self.json(member) for key, member in value.items()}
        if isinstance(value, list):
            return [self.json(member) for member in value]
        return value

    def _seen(self, seen: Seen) -> Seen:
        return msgspec.structs.replace(seen, value=self.json(seen.value))

    def divergence(self, found: Divergence) -> Divergence:
        return msgspec.structs.replace(
            found,
            field=self.text(found.field),
            expected=None if found.expected is None else self._seen(found.expected),
            paths={name: self._seen(seen) for name, seen in found.paths.items()},
            explanation=tuple(map(self.text, found.explanation)),
            case=self.text(found.case),
        )

    def unstable(self, found: Unstable) -> Unstable:
        return msgspec.structs.replace(
            found,
            field=self.text(found.field),
            first=self._seen(found.first),
            second=self._seen(found.second),
            error=self.text(found.error),
            case=self.text(found.case),
        )

    def example(self, found: Example) -> Example:
        return msgspec.structs.replace(
            found,
            case=self.text(found.case),
            world=self.json(found.world),
            requests=self.json(found.requests),
            divergences=tuple(map(self.divergence, found.divergences)),
            raised={name: self.text(error) for name, error in found.raised.items()},
        )


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
