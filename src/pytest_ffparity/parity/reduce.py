"""Makes JSON smaller while something stays true of it: a structural reducer.

Hypothesis shrinks what it has drawn itself; a captured request it can't. And each try costs a
world on every path, so that few and bold steps count for more than a perfect end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from string import ascii_lowercase
from typing import Any, Final, TypeAlias

from pytest_ffparity.formats.strict_json import canonical

Place: TypeAlias = tuple[str | int, ...]
Holds: TypeAlias = Callable[[Any], Awaitable[bool]]

MAX_TRIES: Final = 400
_USUAL_NAME: Final = 40


async def reduced(
    document: Any, holds: Holds, tries: int = MAX_TRIES, *, whole_texts: bool = False
) -> Any:
    """Give a smaller document of which `holds` is still true.

    Args:
        document: JSON of which it is true.
        holds: Asked of each smaller document; has to answer the same each time.
        tries: How often it is asked at most.
        whole_texts: Never cut a text: a piece of a user id could not be told for one.
    """
    renamed = partial(_with_shorter_names, whole_texts=whole_texts)
    plainer = partial(_with_plainer, whole_texts=whole_texts)
    seen = {canonical(document)}
    smaller = True
    while smaller:
        smaller = False
        for candidates in (_with_less, renamed, plainer):
            skipped = 0
            while tries > 0:
                candidate = _nth(candidates(document), skipped)
                if candidate is None:
                    break
                text = canonical(candidate)
                if text in seen:
                    skipped += 1
                    continue
                seen.add(text)
                tries -= 1
                if await holds(candidate):
                    document, smaller = candidate, True
                else:
                    skipped += 1
    return document


def _nth(candidates: Iterator[Any], number: int) -> Any:
    """Give the candidate after so many that did not hold: a step taken keeps the place."""
    for _ in range(number):
        if next(candidates, None) is None:
            return None
    return next(candidates, None)


def _with_less(document: Any) -> Iterator[Any]:
    """Leave out members: of each list first all, then halves, down to single ones; then keys."""
    for place, node in _nodes(document):
        if isinstance(node, list) and node:
            size = len(node)
            while size:
                for start in range(0, len(node), size):
                    yield _replaced(document, place, node[:start] + node[start + size :])
                size //= 2
        elif isinstance(node, dict):
            for key in node:
                yield _replaced(document, place, {k: v for k, v in node.items() if k != key})


def _with_shorter_names(document: Any, *, whole_texts: bool) -> Iterator[Any]:
    """Shorten a long text that stands in several places in all of them: an id, and what refers to it.

    A name of usual length stays: people know it.
    """
    counted = Counter(node for _, node in _nodes(document) if isinstance(node, str))
    free = next((letter for letter in ascii_lowercase if letter not in counted), None)
    for text, count in counted.items():
        if count < 2 or len(text) <= _USUAL_NAME:  # noqa: PLR2004 - several places
            continue
        half = len(text) // 2
        halves = () if whole_texts else (text[:half], text[half:])
        for shorter in (free, *halves):
            if shorter is not None and shorter not in counted:
                yield _renamed(document, text, shorter)


def _with_plainer(document: Any, *, whole_texts: bool) -> Iterator[Any]:
    """Put a plainer value in a leaf's place."""
    for place, node in _nodes(document):
        if isinstance(node, str):
            plainer: tuple[Any, ...] = ("", "a")
            if not whole_texts:
                plainer += (node[: len(node) // 2],)
        elif isinstance(node, bool):
            plainer = (False,)
        elif isinstance(node, int | float):
            plainer = (0, 1)
        elif isinstance(node, dict | list) and node:
            plainer = ({},) if isinstance(node, dict) else ([],)
        else:
            continue
        for value in plainer:
            if canonical(value) < canonical(node) or len(canonical(value)) < len(canonical(node)):
                yield _replaced(document, place, value)


def _nodes(node: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Give every node, the outer before the inner."""
    yield place, node
    if isinstance(node, dict):
        for key, member in node.items():
            yield from _nodes(member, (*place, key))
    elif isinstance(node, list):
        for index, member in enumerate(node):
            yield from _nodes(member, (*place, index))


def _renamed(node: Any, old: str, new: str) -> Any:
    if isinstance(node, dict):
        return {key: _renamed(member, old, new) for key, member in node.items()}
    if isinstance(node, list):
        return [_renamed(member, old, new) for member in node]
    return new if node == old else node


def _replaced(node: Any, place: Place, value: Any) -> Any:
    if not place:
        return value
    key, rest = place[0], place[1:]
    if isinstance(node, dict):
        return {k: _replaced(v, rest, value) if k == key else v for k, v in node.items()}
    return [_replaced(v, rest, value) if i == key else v for i, v in enumerate(node)]
