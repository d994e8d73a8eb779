"""JSON pointers (RFC 6901)."""

from __future__ import annotations

from collections.abc import Iterable


def join(segments: Iterable[str | int]) -> str:
    """Give the pointer of a path of keys and indexes; the whole document is `""`."""
    return "".join("/" + str(s).replace("~", "~0").replace("/", "~1") for s in segments)


def split(pointer: str) -> tuple[str, ...]:
    """Give the segments of a pointer.

    Raises:
        ValueError: The text is neither empty nor starts with `/`.
    """
    if not pointer:
        return ()
    if not pointer.startswith("/"):
        raise ValueError(f"a JSON pointer starts with '/': {pointer!r}")
    return tuple(s.replace("~1", "/").replace("~0", "~") for s in pointer[1:].split("/"))
