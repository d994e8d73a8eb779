"""The fixtures of a gate run. `ffparity_paths` and `ffparity_keys` are public."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from pytest_ffparity.plugin import keys
from pytest_ffparity.plugin.plainly import told_plainly

if TYPE_CHECKING:
    from pathlib import Path as FolderPath

    from hypothesis.strategies import SearchStrategy

    from pytest_ffparity.parity.path import Path
    from pytest_ffparity.paths.builtin import BuiltinPath
    from pytest_ffparity.paths.keys import KeyRing
    from pytest_ffparity.plugin.bench import Await, Bench
    from pytest_ffparity.vectors.model import AnyVector


@pytest.fixture(scope="session")
def _ffparity_await(pytestconfig: pytest.Config) -> Iterator[Await]:
    """Runs a coroutine in the one event loop of the run."""
    import asyncio  # noqa: PLC0415 - 44 ms that only a gate run pays

    with asyncio.Runner() as loop:
        yield partial(pytestconfig.stash[keys.TERMINATION].run, loop)


@pytest.fixture(scope="session")
def ffparity_keys() -> KeyRing:
    """The signing keys made for this run: `jwks(names)` gives the set that a service must trust."""
    from pytest_ffparity.paths.keys import KeyRing  # noqa: PLC0415

    return KeyRing()


@pytest.fixture(scope="session")
def ffparity_paths(
    pytestconfig: pytest.Config,
    tmp_path_factory: pytest.TempPathFactory,
    ffparity_keys: KeyRing,
    _ffparity_await: Await,
) -> Iterator[list[Path]]:
    """The paths that are compared; the first is the one the others must match.

    Built in are `file` and `db`. Override this fixture in a conftest.py, with
    `scope="session"`, asking for the original by the same name, to wrap, replace or add one.
    """
    folder = tmp_path_factory.mktemp("ffparity")
    with _builtin(pytestconfig, folder, ffparity_keys, _ffparity_await) as paths:
        yield list(paths)


class Proving(NamedTuple):
    """What the self-test works with: two sound paths, and its own vectors by their ids."""

    paths: tuple[Path, Path]
    vectors: dict[str, AnyVector]


@pytest.fixture(scope="session")
def _ffparity_proving(
    pytestconfig: pytest.Config,
    tmp_path_factory: pytest.TempPathFactory,
    ffparity_keys: KeyRing,
    _ffparity_await: Await,
) -> Iterator[Proving]:
    """The built-in paths, also where `ffparity_paths` gives others: faults are seeded into them."""
    from pytest_ffparity.paths.seeded.catalogue import PROBES  # noqa: PLC0415
    from pytest_ffparity.vectors.reader import read_vector_file  # noqa: PLC0415

    vectors = {vector.id: vector for vector in read_vector_file(PROBES).vectors}
    folder = tmp_path_factory.mktemp("selftest")
    with _builtin(pytestconfig, folder, ffparity_keys, _ffparity_await) as (file, db):
        yield Proving((file, db), vectors)


@contextmanager
def _builtin(
    config: pytest.Config, folder: FolderPath, keyring: KeyRing, run: Await
) -> Iterator[list[BuiltinPath]]:
    from pytest_ffparity.paths.builtin import builtin_paths  # noqa: PLC0415

    dsn = config.stash[keys.SETTINGS].dsn
    with ExitStack() as stack:
        with told_plainly():
            paths = stack.enter_context(
                builtin_paths(folder=folder, dsn=dsn, keys=keyring, run=run)
            )
        yield paths


@pytest.fixture(scope="session")
def ffparity_cases() -> Callable[[int], SearchStrategy[Any]]:
    """What `--ffparity-fuzz` draws from: a Hypothesis strategy of a world and so many requests.

    Override this fixture where your own paths take other worlds than the built-in ones. What is
    drawn has the attributes `world` and `requests`.
    """
    from pytest_ffparity.paths.generated import cases  # noqa: PLC0415 - Hypothesis is an extra

    return cases


@pytest.fixture(scope="session")
def _ffparity_bench(
    pytestconfig: pytest.Config,
    ffparity_paths: list[Path],
    ffparity_keys: KeyRing,
    _ffparity_await: Await,
) -> Iterator[Bench]:
    from pytest_ffparity.parity import session  # noqa: PLC0415
    from pytest_ffparity.parity.pseudonyms import DEFAULT_POINTERS, Pseudonyms  # noqa: PLC0415
    from pytest_ffparity.parity.recorded import RecordedPath  # noqa: PLC0415
    from pytest_ffparity.parity.run import Run  # noqa: PLC0415
    from pytest_ffparity.paths.mint import minted  # noqa: PLC0415
    from pytest_ffparity.paths.world import instant_of  # noqa: PLC0415
    from pytest_ffparity.plugin.bench import Bench  # noqa: PLC0415

    settings = pytestconfig.stash[keys.SETTINGS]
    with told_plainly():
        recorded = [RecordedPath(name, file) for name, file in settings.recorded]
        paths = session.checked_paths(ffparity_paths, recorded)

    def materialise(request: Any, world: Any) -> Any:
        return minted(request, ffparity_keys, instant_of(world))

    run = Run(
        nonce=pytestconfig.stash[keys.NONCE],
        paths=paths,
        matrix=pytestconfig.stash[keys.MATRIX],
        materialise=materialise,
        deadline_s=settings.deadline_s,
        progress=pytestconfig.stash[keys.PROGRESS],
        save=settings.save,
        pseudonyms=None
        if settings.show_users
        else Pseudonyms(settings.pseudonym_key, (*DEFAULT_POINTERS, *settings.user_ids)),
        command=settings.command,
    )
    yield Bench(run, _ffparity_await, ffparity_paths)
    with told_plainly():
        _ffparity_await(session.close(paths, run.deadline_s))
