"""Talks to paths: prepares, asks and closes them, each within a deadline, and never believes them.

A path is somebody else's code. Whatever it raises or returns becomes a value here.
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import os
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path as FilePath
from typing import Any

import msgspec

from pytest_ffparity.errors import FFParityError
from pytest_ffparity.formats.strict_json import JSONRefusedError, copied, plain
from pytest_ffparity.parity.path import Path, Question
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


def checked_paths(paths: object, more: Sequence[Path] = ()) -> list[Path]:
    """Check the list that the fixture gave, with the paths that come on top of it.

    Raises:
        PathsError: Fewer than two paths, a name twice, or an object that is no path.
    """
    listed = list(paths) if isinstance(paths, Sequence) and not isinstance(paths, str) else None
    if listed is None:
        raise PathsError(f"ffparity_paths must give a list of paths, not {type(paths).__name__}")
    listed += more
    for path in listed:
        if not isinstance(path, Path) or not _named(path.name):
            raise PathsError(
                f"{type(path).__name__} is no path: it needs `name` (printable text) and "
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

    async def prepared() -> None:
        await _settled(path, "prepare", copied(world))

    return (await _guarded(prepared, "prepare", deadline_s)).error


async def ask(path: Path, question: Question, deadline_s: float) -> Answer:
    """Ask a path once; the time is that of the call alone."""
    owned = copied(question.request)

    async def answered() -> Any:
        # Answers of a burst are read when it is over; what a path writes over an object that it
        # gave away, for the next caller, must not reach them.
        answer = (
            path.recall(question.vector, question.case)  # type: ignore[attr-defined]
            if recalls(path)
            else path.evaluate(owned)
        )
        if not inspect.isawaitable(answer):
            raise TypeError(f"evaluate gave {_kind(answer)} at once: write it as `async def`")
        return copied(await answer)

    return await _guarded(answered, "evaluate", deadline_s)


async def close(paths: Sequence[Path], deadline_s: float) -> None:
    """Close every path that can be closed, whatever the others do.

    Raises:
        PathsError: With each path that could not be closed.
    """
    problems = []
    for path in paths:
        answer = await _guarded(partial(_settled, path, "close"), "close", deadline_s)
        if answer.error is not None:
            problems.append(f"{path.name} could not be closed: {answer.error}")
    if problems:
        raise PathsError("\n".join(problems))


def recalls(path: Path) -> bool:
    """Tell whether a path knows its answers by the vector's id, and can't be asked anything new."""
    return getattr(path, "recall", None) is not None


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
        # A request may hold U+0000, and its answer then gives it back.
        decision = plain(found, stored=False)
    except JSONRefusedError as error:
        return Reply(None, f"evaluate gave what is no JSON: {error}")
    except Exception as error:  # noqa: BLE001 - a mapping may be anything
        return Reply(None, f"evaluate gave {_kind(raw)} that can't be read: {described(error)}")
    if not isinstance(decision, dict):
        return Reply(None, f"evaluate gave {_kind(raw)}, expected a Decision or a mapping")
    return Reply(decision, None)


def kinds(paths: Sequence[Path]) -> str:
    """Tell the paths' classes, where those are from and what is written there.

    One name can stand for two things. A path may add a `digest` of what it answers from.
    """
    told = []
    for path in paths:
        kind = type(path)
        source = _source(getattr(sys.modules.get(kind.__module__), "__file__", None))
        digest = getattr(path, "digest", None)
        answers = f", {digest}" if isinstance(digest, str) else ""
        told.append(f"{path.name}: {kind.__module__}.{kind.__qualname__} ({source}{answers})")
    return "; ".join(told)


def _source(file: str | None) -> str:
    """Name a source file with a digest: the same wherever a checkout, or Python, lies."""
    if file is None:
        return "no file"
    try:
        digest = hashlib.sha256(FilePath(file).read_bytes()).hexdigest()[:12]
        place = FilePath(os.path.relpath(file))
    except (OSError, ValueError):  # gone, or on another drive
        return file
    installed = {"..", "site-packages"} & set(place.parts)
    return digest if installed else f"{place.as_posix()} {digest}"


def outcomes(path: Path) -> Any:
    """Give what the writes of the world came to, for a path that says so; None for any other."""
    try:
        return plain(getattr(path, "outcomes", None))
    except Exception as error:  # noqa: BLE001 - a property may raise anything
        return f"can't be read: {described(error)}"


def info(path: Path) -> dict[str, str]:
    """Give what a path says of itself for the report."""
    try:
        found = getattr(path, "info", {})
        if not isinstance(found, Mapping):
            return {}
        return {redacted(str(key)): redacted(str(value)) for key, value in found.items()}
    except Exception as error:  # noqa: BLE001 - a property may raise anything
        return {"info": f"can't be read: {described(error)}"}


def described(error: BaseException) -> str:
    """Put an error into one line, without secrets."""
    try:
        told = str(error)
    except Exception:  # noqa: BLE001 - so may __str__
        told = "(its text can't be read)"
    return redacted(f"{type(error).__name__}: {told}" if told else type(error).__name__)


async def _guarded(call: Callable[[], Awaitable[Any]], what: str, deadline_s: float) -> Answer:
    """Await a call of somebody else's; what it raises, and being late, become the error."""
    raw, problem, elapsed = None, None, 0
    try:
        async with asyncio.timeout(deadline_s) as deadline:
            started = time.perf_counter_ns()
            try:
                raw = await call()
            finally:
                elapsed = time.perf_counter_ns() - started
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:  # SystemExit and pytest's outcomes among them
        if _called_off(error):
            raise
        problem = described(error)
    # A call that swallows its cancellation, or never gives way, comes back late and content.
    if deadline.expired() or elapsed > deadline_s * 1e9:
        problem = f"TimeoutError: did not {what} within {deadline_s:g} s"
    return Answer(raw, problem, elapsed)


def _called_off(error: BaseException) -> bool:
    """Tell a cancellation that somebody asked for, as Ctrl-C does, from one that a path raised."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0


async def _settled(path: Path, method: str, *arguments: Any) -> None:
    """Call a method that a path may lack, and that may be async."""
    found = getattr(path, method, None)
    result = None if found is None else found(*arguments)
    if inspect.isawaitable(result):
        await result


def _named(name: object) -> bool:
    return isinstance(name, str) and bool(name) and name.isprintable()


def _kind(value: object) -> str:
    return "None" if value is None else f"a {type(value).__name__}"
