"""What a seeded fault is, and the path that has it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from typing import Any, Final, Literal, TypeAlias
from unittest.mock import patch

import msgspec

from pytest_ffparity.backing.faults import execute
from pytest_ffparity.paths.builtin import BuiltinPath
from pytest_ffparity.paths.stores import PostgresStore

Level: TypeAlias = Literal["decision", "rule", "rollout", "data", "concurrency", "harmless"]
Answer: TypeAlias = dict[str, Any]
Ask: TypeAlias = Callable[[Any], Awaitable[Any]]
Seed: TypeAlias = Callable[[BuiltinPath], "SeededPath"]

# A representative share of the probes, for what must change nothing.
ALL: Final = ("*",)


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """A change of one path.

    `rows` are the ids of the parity matrix that the harness has to name at least; a harmless
    change has none, and nothing may be found. `probes` are the vectors that show it; `*` is all of
    them that are no load. `raises` says that the path gives no answer.
    """

    name: str
    level: Level
    why: str
    seed: Seed
    rows: tuple[str, ...] = ()
    probes: tuple[str, ...] = ALL
    raises: bool = False


class SeededPath:
    """A built-in path with a change in it; whoever made the path closes it."""

    def __init__(
        self,
        inner: BuiltinPath,
        ask: Ask | None = None,
        prepare: Callable[[Any], Awaitable[None]] | None = None,
    ) -> None:
        self.name = inner.name
        self.info = inner.info
        self._ask = ask or inner.evaluate
        self._prepare = prepare or inner.prepare

    async def prepare(self, world: Any) -> None:
        """Start afresh in a world, with the fault."""
        await self._prepare(world)

    async def evaluate(self, request: Any) -> Any:
        """Answer one request, with the fault."""
        return await self._ask(request)


def answering(change: Callable[[Answer], Any]) -> Seed:
    """Change each answer in place, or give another one."""

    def seed(path: BuiltinPath) -> SeededPath:
        async def ask(request: Any) -> Any:
            answer = (await path.evaluate(request)).to_dict()
            changed = change(answer)
            return answer if changed is None else changed

        return SeededPath(path, ask)

    return seed


def patched(module: Any, **parts: Any) -> Seed:
    """Put other parts in a module's place while this path answers.

    The paths of a vector are asked one after the other, so that no other path sees them.
    """

    def seed(path: BuiltinPath) -> SeededPath:
        async def ask(request: Any) -> Any:
            with ExitStack() as stack:
                for name, part in parts.items():
                    stack.enter_context(patch.object(module, name, part))
                return await path.evaluate(request)

        return SeededPath(path, ask)

    return seed


def storing(*statements: str, hashed: bool = True) -> Seed:
    """Run SQL on the tables when a world has been filled in; `{ff}` stands for the schema.

    With `hashed` the changed records get their own hashes, so that it is the answer that gives
    the fault away, and not the store's own check.
    """

    def seed(path: BuiltinPath) -> SeededPath:
        async def prepare(world: Any) -> None:
            await path.prepare(world)
            store = path.store
            missing = isinstance(world, Mapping) and world.get("backing") == "missing"
            if isinstance(store, PostgresStore) and not missing:
                await execute(store.dsn, store.schema, statements, hashed=hashed)

        return SeededPath(path, prepare=prepare)

    return seed
