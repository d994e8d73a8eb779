"""The two JSON documents of the file backing: strict reading, and writing by atomic replace."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec

from pytest_ffparity.backing.atomic import write_atomic
from pytest_ffparity.backing.checked import DOCUMENT_DEPTH, Checked, check_world, json_text
from pytest_ffparity.backing.file_trail import TRAIL, FileTrail
from pytest_ffparity.backing.store_lock import locked
from pytest_ffparity.errors import FFParityError
from pytest_ffparity.evaluator.ids import legal_id
from pytest_ffparity.evaluator.model import Corrupt, Flag, Override
from pytest_ffparity.evaluator.records import (
    RecordError,
    flag_record,
    override_record,
    read_flag,
    read_tenant_override,
    read_user_override,
)
from pytest_ffparity.formats import strict_json
from pytest_ffparity.formats.pointer import join

REGISTRY: Final = "registry.json"
OVERRIDES: Final = "override_examples.json"
_SEED_SECONDS: Final = 10.0

_Key: TypeAlias = tuple[str, ...]


_REGISTRY_LISTS: Final = ("flags",)
_OVERRIDE_LISTS: Final = ("tenant_overrides", "user_overrides")


class DocumentError(FFParityError):
    """A whole document that can't be used; the message names the place inside it."""


class Registry(msgspec.Struct, frozen=True):
    """What a registry document holds, by flag key.

    `alarms` tells of records whose key can't be read, so that nobody can ask for them.
    """

    flags: dict[str, Flag | Corrupt] = {}
    alarms: tuple[str, ...] = ()


class Overrides(msgspec.Struct, frozen=True):
    """What an override document holds, by (flag, tenant) and (flag, tenant, user)."""

    tenant: dict[_Key, Override | Corrupt] = {}
    user: dict[_Key, Override | Corrupt] = {}
    alarms: tuple[str, ...] = ()


def read_registry(text: bytes) -> Registry:
    """Read a registry document; an unsound record is kept as `Corrupt` under its key.

    Raises:
        DocumentError: The document as a whole can't be used.
    """
    document = _document(text, _REGISTRY_LISTS)
    alarms: list[str] = []
    flags = _records(document, "flags", ("flag_key",), read_flag, alarms)
    return Registry({key[0]: record for key, record in flags.items()}, tuple(alarms))


def read_overrides(text: bytes) -> Overrides:
    """Read an override document; an unsound record is kept as `Corrupt` under its key.

    Raises:
        DocumentError: The document as a whole can't be used.
    """
    document = _document(text, _OVERRIDE_LISTS)
    alarms: list[str] = []
    tenant_ids = ("flag_key", "tenant_id")
    user_ids = ("flag_key", "tenant_id", "user_id")
    return Overrides(
        _records(document, "tenant_overrides", tenant_ids, read_tenant_override, alarms),
        _records(document, "user_overrides", user_ids, read_user_override, alarms),
        tuple(alarms),
    )


def load_documents(registry: Path, overrides: Path) -> Checked:
    """Read both documents for a seed: whole, every record sound, or not at all.

    Raises:
        DocumentError: A file is missing or unreadable, or holds an unsound record; names the file,
            the pointer and what was expected.
    """
    documents = {}
    for path, lists in ((registry, _REGISTRY_LISTS), (overrides, _OVERRIDE_LISTS)):
        try:
            documents.update(_document(path.read_bytes(), lists))
        except (OSError, DocumentError) as error:
            what = error.strerror if isinstance(error, OSError) else error
            raise DocumentError(f"{path}: {what}") from None
    try:
        return check_world(**documents)
    except RecordError as error:
        path = registry if error.pointer.startswith("/flags/") else overrides
        raise DocumentError(f"{path}: {error}") from None


def write_documents(
    folder: Path,
    flags: Iterable[object],
    tenant_overrides: Iterable[object],
    user_overrides: Iterable[object],
) -> Checked:
    """Check raw records and write both documents into a folder; a trail of writes begins anew.

    A file that already holds its document stays as it is.

    Returns:
        The checked records, as the seed of the Postgres store takes them.

    Raises:
        RecordError: A record is refused; nothing was written.
        OSError: The folder can't be written to, or a writer does not let it go.
    """
    checked = check_world(flags, tenant_overrides, user_overrides)
    registry = {"flags": [flag_record(flag) for flag in checked.flags]}
    overrides = {
        "tenant_overrides": [override_record(override) for override in checked.tenant_overrides],
        "user_overrides": [override_record(override) for override in checked.user_overrides],
    }
    with locked(folder / REGISTRY, _SEED_SECONDS):
        # First: a crash must not leave a trail beside documents that it knows nothing of.
        FileTrail(folder / TRAIL).remove()
        for name, document in ((REGISTRY, registry), (OVERRIDES, overrides)):
            text = json_text(document, indent=2) + "\n"
            if not _holds(folder / name, text):
                write_atomic(folder / name, text)
    return checked


def _holds(path: Path, text: str) -> bool:
    # Writing durably waits for the disk several times; reading does not.
    try:
        return path.read_bytes() == text.encode("utf-8")
    except OSError:
        return False


def _document(text: bytes, lists: tuple[str, ...]) -> dict[str, list[Any]]:
    try:
        document = strict_json.loads(text, max_depth=DOCUMENT_DEPTH)
    except strict_json.JSONRefusedError as error:
        raise DocumentError(str(error)) from None
    if not isinstance(document, dict):
        raise DocumentError(f"(top level): expected an object with {' and '.join(lists)}")
    for key in document:
        if key not in lists:
            raise DocumentError(f"{join([key])}: unknown key; known are {', '.join(lists)}")
    for name in lists:
        if not isinstance(document.get(name), list):
            raise DocumentError(f"{join([name])}: expected a list of records")
    return document


def _records(
    document: dict[str, list[Any]],
    name: str,
    ids: tuple[str, ...],
    read: Callable[[object], Flag | Override],
    alarms: list[str],
) -> dict[_Key, Any]:
    found: dict[_Key, Flag | Override | Corrupt] = {}
    for index, record in enumerate(document[name]):
        where = join([name, index])
        key = _key(record, ids)
        if key is None:
            alarms.append(f"{where}: a record without a legal {', '.join(ids)}; it is left out")
        elif key in found:
            found[key] = Corrupt(f"{where}: the same key stands twice")
        else:
            try:
                found[key] = read(record)
            except RecordError as error:
                found[key] = Corrupt(f"{where}{error.pointer}: {error.problem}")
    return found


def _key(record: object, ids: tuple[str, ...]) -> _Key | None:
    if not isinstance(record, dict):
        return None
    key = [record.get(name) for name in ids]
    return tuple(map(str, key)) if all(legal_id(part) for part in key) else None
