"""What happens to the two documents of the file store."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec
from tests.faults.fault import Fault
from tests.faults.place import Place
from tests.faults.world import NOW, OLDER, PLAIN, UNAVAILABLE, End

from pytest_ffparity.audit.chain import verify
from pytest_ffparity.audit.envelope import Target
from pytest_ffparity.backing.atomic import write_atomic
from pytest_ffparity.backing.binaries import account
from pytest_ffparity.backing.changes import Change
from pytest_ffparity.backing.file_writer import FileWriter
from pytest_ffparity.evaluator.model import Identity
from pytest_ffparity.evaluator.names import AuthMode

Broken = Callable[[Place], AbstractAsyncContextManager[None]]
Spoil = Callable[[bytes], bytes]


def document(spoil: Spoil, name: str = "registry") -> Broken:
    """Write another text in place, as a careless editor does, and the old one back."""

    @asynccontextmanager
    async def broken(place: Place) -> AsyncIterator[None]:
        path: Path = getattr(place, name)
        text = path.read_bytes()
        path.write_bytes(spoil(text))
        yield
        path.write_bytes(text)

    return broken


def replaced(put: Callable[[Path], None], name: str = "registry") -> Broken:
    """Put something else where the document was, and the document back."""

    @asynccontextmanager
    async def broken(place: Place) -> AsyncIterator[None]:
        path: Path = getattr(place, name)
        aside = path.with_suffix(".aside")
        path.rename(aside)
        put(path)
        yield
        if path.is_dir():
            path.rmdir()
        aside.replace(path)

    return broken


@asynccontextmanager
async def half_written(place: Place) -> AsyncIterator[None]:
    text = place.registry.read_bytes()
    with place.registry.open("wb") as stream:
        stream.write(text[:500])
        stream.flush()
        yield
        stream.write(text[500:])


@asynccontextmanager
async def older_version(place: Place) -> AsyncIterator[None]:
    text = place.registry.read_text("utf-8")
    write_atomic(place.registry, json.dumps({"flags": OLDER}))
    yield
    write_atomic(place.registry, text)


@asynccontextmanager
async def unreadable(place: Place) -> AsyncIterator[None]:
    """As root the service takes another account's rights, as nothing is unreadable to root."""
    place.registry.chmod(0)
    os.utime(place.registry)  # what has not changed is not read again
    own, other = os.geteuid(), account().uid
    os.seteuid(other)
    try:
        yield
    finally:
        os.seteuid(own)
        place.registry.chmod(0o644)


@asynccontextmanager
async def folder_gone(place: Place) -> AsyncIterator[None]:
    aside = place.folder.with_suffix(".aside")
    place.folder.rename(aside)
    yield
    aside.rename(place.folder)


# A process of its own: the limit counts for whatever it writes.
_WRITE: Final = """
import asyncio, resource, sys
from datetime import UTC, datetime
from pathlib import Path
from pytest_ffparity.audit.envelope import Target
from pytest_ffparity.backing.changes import Change
from pytest_ffparity.backing.file_writer import FileWriter
from pytest_ffparity.backing.writes import WriteUnavailableError
from pytest_ffparity.evaluator.model import Identity
from pytest_ffparity.evaluator.names import AuthMode

folder = Path(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
record = {"value_type": "bool", "default_value": True, "safe_value": False}
writing = FileWriter(folder / "registry.json", folder / "override_examples.json").write(
    Change(target=Target("flag", ("ff.new",)), record=record),
    actor=Identity(AuthMode.VERIFIED, "T-ops", "U-ops"),
    at=datetime.now(UTC),
)
try:
    asyncio.run(writing)
except WriteUnavailableError as error:
    print(error)
"""


async def create(folder: Path) -> FileWriter:
    """Write a flag that nobody asks for."""
    writer = FileWriter(folder / "registry.json", folder / "override_examples.json")
    record = {"value_type": "bool", "default_value": True, "safe_value": False}
    change = Change(target=Target("flag", ("ff.new",)), record=record)
    await writer.write(change, actor=Identity(AuthMode.VERIFIED, "T-ops", "U-ops"), at=NOW)
    return writer


def disk_full(limit: int) -> Broken:
    """Let another process write that may make no file longer than so many bytes."""

    @asynccontextmanager
    async def broken(place: Place) -> AsyncIterator[None]:
        before = place.registry.read_bytes()
        said = await asyncio.to_thread(_write_with_limit, place.folder, limit)
        assert "File too large" in said
        assert "nothing was written" in said
        assert place.registry.read_bytes() == before
        yield
        # With space again the same write is made, and it is the only one that the trail knows.
        trail = await (await create(place.folder)).trail()
        assert verify(trail) == []
        assert len(trail) == 1

    return broken


def _write_with_limit(folder: Path, limit: int) -> str:
    command = [sys.executable, "-c", _WRITE, str(folder), str(limit)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _in_value(text: bytes) -> Spoil:
    return lambda whole: whole.replace(b'"default"', text, 1)


_DOCUMENTS: Final[list[tuple[str, str, Spoil]]] = [
    ("truncated", "cut in its middle", lambda text: text[: len(text) // 2]),
    ("emptied", "0 bytes long", lambda _: b""),
    ("other-json", "a JSON list", lambda _: b"[]"),
    ("no-lists", "an empty object", lambda _: b"{}"),
    ("html", "a proxy's error page", lambda _: b"<html>502 Bad Gateway</html>"),
    ("invalid-utf8", "a byte that is no UTF-8", _in_value(b'"\xff\xfe"')),
    ("utf16", "UTF-16", lambda text: text.decode().encode("utf-16")),
    ("bom", "a byte-order mark first", lambda text: b"\xef\xbb\xbf" + text),
    (
        "duplicate-key",
        "a key twice in a record",
        lambda text: text.replace(b'"flag_key"', b'"version": 2, "flag_key"', 1),
    ),
    ("nan", "NaN for a value", _in_value(b"NaN")),
    ("overflow", "1e400 for a value", _in_value(b"1e400")),
    ("big-integer", "an integer beyond 64 bits", _in_value(b"18446744073709551616")),
    ("lone-surrogate", "half a surrogate pair", _in_value(b'"\\ud800"')),
    ("deep", "nested 10,000 deep", _in_value(b"[" * 10_000 + b"]" * 10_000)),
    ("nul-bytes", "blocks of zeros, as after a crash", lambda text: bytes(len(text))),
]
_REPLACED: Final[list[tuple[str, str, Broken]]] = [
    ("missing", "gone", replaced(lambda _: None)),
    ("directory", "a directory", replaced(Path.mkdir)),
    ("dangling-link", "a link to nothing", replaced(lambda path: path.symlink_to("nothing"))),
    ("link-loop", "a link to itself", replaced(lambda path: path.symlink_to(path.name))),
    ("fifo", "a pipe that nobody writes to", replaced(os.mkfifo)),
    ("endless-device", "a link to /dev/zero", replaced(lambda path: path.symlink_to("/dev/zero"))),
    ("half-written", "being written, half of it there", half_written),
    ("unreadable", "not readable for the service's account", unreadable),
    ("folder-gone", "gone with its folder", folder_gone),
    ("overrides-missing", "there; the overrides are gone", replaced(lambda _: None, "overrides")),
    (
        "overrides-truncated",
        "there; the overrides are cut",
        document(lambda text: text[:50], "overrides"),
    ),
]
_BROKEN: Final = [*((i, w, document(spoil)) for i, w, spoil in _DOCUMENTS), *_REPLACED]
_RUNNING: Final = [
    Fault(
        id=f"file-{name}",
        what=f"the registry is {what}",
        broken=broken,
        paths=("file",),
        alarm=True,
        deadline=0.2,
    )
    for name, what, broken in _BROKEN
]
FILE_FAULTS: Final = [
    *_RUNNING,
    *(
        msgspec.structs.replace(
            fault,
            id=f"{fault.id}-at-start",
            what=f"{fault.what}, from the start",
            at_start=True,
            rest=(UNAVAILABLE,),
        )
        for fault in _RUNNING
    ),
    Fault(
        id="file-older-version",
        what="the registry is replaced by an older one",
        broken=older_version,
        paths=("file",),
        ends={PLAIN: (End(flags=tuple(OLDER)),)},
    ),
    Fault(
        id="file-disk-full-trail",
        what="no space for the envelope of a write",
        broken=disk_full(100),
        paths=("file",),
    ),
    Fault(
        id="file-disk-full-registry",
        what="no space for the registry of a write",
        broken=disk_full(4000),
        paths=("file",),
    ),
]
