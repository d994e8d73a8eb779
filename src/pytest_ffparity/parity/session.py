"""Talks to paths: prepares, asks and closes them, each within a deadline, and never believes them.

A path is somebody else's code. Whatever it raises or returns becomes a value here.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from pytest_ffparity.errors import FFParityError
from pytest_ffparity.formats.strict_json import JSONRefusedError, copied, plain
from pytest_ffparity.parity.path import Path
from pytest_ffparity.parity.redact import redacted


class PathsError(FFParityError):
    """The list of paths can't be used for a parity run."""


class Answer(msgspec.Struct, frozen=True):
    """One raw answer of a path, or the error, and the service time."""

    raw: Any
    error: str | None
    elapsed_ns: int


class Reply(msgspec.Struct, frozen=True):
    """An answer read as plain JSON, or the error."""

    decision: dict[str, Any] | None
    error: str | None


def checked_paths(paths: object) -> list[Path]:
    """Check the list that the fixture gave.

    Raises:
        PathsError: Fewer than two paths, a name twice, or an object that is no path.
    """
    listed = list(paths) if isinstance(paths, Sequence) and not isinstance(paths, str) else None
    if listed is None:
        raise PathsError(f"ffparity_paths must give a list of paths, not {type(paths).__name__}")
    for path in listed:
        if not isinstance(path, Path) or not _named(path.name):
            raise PathsError(
                f"{type(path).__name__} is no path: it needs `name` (text) and "
                "`async evaluate(request)`"
            )
    names = [path.name for path in listed]
    if len(names) < 2:  # noqa: PLR2004 - parity is between two
        raise PathsError(f"a parity run compares two or more paths; ffparity_paths gave {names}")
    if len(set(names)) < len(names):
        raise PathsError(f"no two paths may share a name; ffparity_paths gave {names}")
    return listed


async def prepare(path: Path, world: Any, deadline_s: float) -> str | None:
    """Bring a path into a world; gives the error text if it can't be done."""
    method = getattr(path, "prepare", None)
    if method is None:
        return None
    try:
        async with asyncio.timeout(deadline_s):
            await _settled(method(copied(world)))
    except Exception as error:  # noqa: BLE001 - a path may raise anything
        return described(error, f"prepare within {deadline_s:g} s")
    return None


async def ask(path: Path, request: Any, deadline_s: float) -> Answer:
    """Ask a path once; the time is that of the call alone."""
    owned = copied(request)
    raw, problem = None, None
    try:
        async with asyncio.timeout(deadline_s):
            started = time.perf_counter_ns()
            try:
                raw = await path.evaluate(owned)
            finally:
                elapsed = time.perf_counter_ns() - started
    except Exception as error:  # noqa: BLE001 - a path may raise anything
        problem = described(error, f"evaluate within {deadline_s:g} s")
    return Answer(raw, problem, elapsed)


async def close(path: Path) -> None:
    """Close a path, if it can be closed."""
    method: Callable[[], Any] | None = getattr(path, "close", None)
    if method is not None:
        await _settled(method())


def read(answer: Answer) -> Reply:
    """Read an answer as plain JSON: a `Decision` or a mapping of its JSON form."""
    if answer.error is not None:
        return Reply(None, answer.error)
    raw = answer.raw
    try:
        found = raw if isinstance(raw, Mapping) else raw.to_dict()
    except Exception:  # noqa: BLE001 - to_dict may be anything
        return Reply(None, f"evaluate gave {_kind(raw)}, expected a Decision or a mapping")
    try:
        decision = plain(found)
    except JSONRefusedError as error:
        return Reply(None, f"evaluate gave what is no JSON: {error}")
    if not isinstance(decision, dict):
        return Reply(None, f"evaluate gave {_kind(raw)}, expected a Decision or a mapping")
    return Reply(decision, None)


def info(path: Path) -> dict[str, str]:
    """Give what a path says of itself for the report."""
    found = getattr(path, "info", {})
    if not isinstance(found, Mapping):
        return {}
    return {str(key): redacted(str(value)) for key, value in found.items()}


def described(error: Exception, what: str) -> str:
    """Put an error into one line, without secrets."""
    if isinstance(error, TimeoutError) and not str(error):
        return f"TimeoutError: did not {what}"
    return redacted(f"{type(error).__name__}: {error}")


async def _settled(result: Any) -> None:
    if inspect.isawaitable(result):
        await result


def _named(name: object) -> bool:
    return isinstance(name, str) and bool(name)


def _kind(value: object) -> str:
    return "None" if value is None else f"a {type(value).__name__}"
