from __future__ import annotations

import asyncio
import re
import sys
from collections import UserDict
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pytest_ffparity.parity import session
from pytest_ffparity.parity.path import Question

ASKED = Question("V-1", None, {})


class Odd:
    """A path whose `evaluate` does what the test says."""

    name = "odd"

    def __init__(self, does: Callable[[], Any]) -> None:
        self.does = does

    async def evaluate(self, request: Any) -> Any:
        del request
        found = self.does()
        return await found if asyncio.iscoroutine(found) else found


def asked(path: Any, deadline_s: float = 30) -> session.Reply:
    return session.read(asyncio.run(session.ask(path, ASKED, deadline_s)))


class UnreadableError(Exception):
    def __str__(self) -> str:
        raise ValueError


def raising(error: BaseException) -> Callable[[], Any]:
    def does() -> Any:
        raise error

    return does


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (SystemExit(0), "SystemExit: 0"),
        (asyncio.CancelledError(), "CancelledError"),
        (pytest.skip.Exception("not today"), "Skipped: not today"),
        (BaseExceptionGroup("g", [KeyboardInterrupt()]), "BaseExceptionGroup: g (1 sub-exception)"),
        (UnreadableError(), "UnreadableError: (its text can't be read)"),
        (ValueError("a\nb\udc80"), "ValueError: a b?"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_a_path_raises_is_its_error_in_one_line(error: BaseException, told: str) -> None:
    assert asked(Odd(raising(error))).error == told


def test_ctrl_c_is_not_swallowed() -> None:
    with pytest.raises(KeyboardInterrupt):
        asked(Odd(raising(KeyboardInterrupt())))


def test_a_call_that_is_called_off_ends() -> None:
    async def main() -> None:
        task = asyncio.create_task(session.ask(Odd(lambda: asyncio.sleep(3600)), ASKED, 3600))
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(main())


def test_an_answer_after_the_deadline_is_an_error() -> None:
    async def stubborn() -> dict[str, Any]:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            return {"late": True}
        return {}

    reply = asked(Odd(stubborn), deadline_s=0.01)
    assert reply.error == "TimeoutError: did not evaluate within 0.01 s"


def test_an_answer_that_can_not_be_read_is_an_error() -> None:
    class Unreadable(UserDict[str, Any]):
        def __iter__(self) -> Any:
            raise ValueError("no")

    error = asked(Odd(Unreadable)).error
    assert error == "evaluate gave a Unreadable that can't be read: ValueError: no"


def test_info_that_can_not_be_read_says_so() -> None:
    class Mute(Odd):
        @property
        def info(self) -> Any:
            raise ValueError("no")

    assert session.info(Mute(dict)) == {"info": "can't be read: ValueError: no"}


def test_every_path_is_closed_whatever_the_others_do() -> None:
    closed = []

    class Closing(Odd):
        async def close(self) -> None:
            closed.append(self.name)
            await self.does()

    paths = [
        Closing(raising(ValueError("stuck"))),
        Closing(lambda: asyncio.sleep(3600)),
        Closing(lambda: asyncio.sleep(0)),
    ]
    with pytest.raises(session.PathsError) as caught:
        asyncio.run(session.close(paths, 0.01))
    assert closed == ["odd"] * 3
    assert str(caught.value).splitlines() == [
        "odd could not be closed: ValueError: stuck",
        "odd could not be closed: TimeoutError: did not close within 0.01 s",
    ]


@pytest.mark.parametrize("name", ["", "db\n", "\udc80", 1])
def test_a_name_that_would_blur_a_report_is_refused(name: Any) -> None:
    odd = Odd(dict)
    odd.name = name
    with pytest.raises(session.PathsError, match="printable text"):
        session.checked_paths([odd, Odd(dict)])


def test_names_of_any_script_are_taken() -> None:
    other = Odd(dict)
    other.name = "données"
    assert len(session.checked_paths([Odd(dict), other])) == 2


def test_an_answer_that_is_changed_after_it_was_given_stays_as_it_was() -> None:
    shared: dict[str, Any] = {"v": {"deep": 1}}

    async def main() -> session.Answer:
        answer = await session.ask(Odd(lambda: shared), ASKED, 30)
        shared["v"]["deep"] = 2
        return answer

    assert session.read(asyncio.run(main())).decision == {"v": {"deep": 1}}


def test_kinds_tell_class_source_and_digest_and_no_place_of_what_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    told = set()
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    for text in ("class A:\n    name = 'a'\n", "class A:\n    name = 'a'  # else\n"):
        (tmp_path / "own_paths.py").write_text(text)
        monkeypatch.delitem(sys.modules, "own_paths", raising=False)
        told.add(session.kinds([import_module("own_paths").A()]))
    assert len(told) == 2
    assert all(re.fullmatch(r"a: own_paths\.A \(own_paths\.py [0-9a-f]{12}\)", t) for t in told)

    class Answering(msgspec.Struct):
        name: str = "b"
        digest: str = "0f3a"

    answering: Any = Answering()
    assert re.search(r"\.Answering \([0-9a-f]{12}, 0f3a\)$", session.kinds([answering]))
