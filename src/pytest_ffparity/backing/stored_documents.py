"""Both documents of the file store as they stand, for a writer who holds the store's lock."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from pytest_ffparity.audit.chain import override_target, target_of
from pytest_ffparity.audit.envelope import Target
from pytest_ffparity.backing.atomic import write_atomic
from pytest_ffparity.backing.changes import Change, Stored
from pytest_ffparity.backing.checked import DOCUMENT_DEPTH, json_text
from pytest_ffparity.backing.documents import read_overrides, read_registry
from pytest_ffparity.evaluator.model import JSON, Corrupt, Flag, Override
from pytest_ffparity.evaluator.records import RecordError, flag_record, override_record
from pytest_ffparity.formats import strict_json
from pytest_ffparity.formats.strict_json import same

_LISTS: Final = {
    "flag": "flags",
    "tenant_override": "tenant_overrides",
    "user_override": "user_overrides",
}


class StoredDocuments:
    """The records of both documents; what is not changed stays as it was written.

    Raises:
        DocumentError: A document can't be used.
        OSError: One can't be read.
    """

    def __init__(self, registry: Path, overrides: Path) -> None:
        self._paths = (registry, overrides)
        texts = (registry.read_bytes(), overrides.read_bytes())
        self._flags = read_registry(texts[0]).flags
        self._sound = read_overrides(texts[1])
        self._raw: tuple[dict[str, Any], dict[str, Any]] = tuple(
            strict_json.loads(text, max_depth=DOCUMENT_DEPTH) for text in texts
        )

    def about(self, change: Change, top_version: int) -> Stored:
        """Give what a change is about."""
        target = change.target
        flag = self._flags.get(target.ids[0])
        if target.kind == "flag":
            cascade = self._cascade(target.ids[0]) if change.record is None else ()
            return Stored(flag, flag, cascade, top_version)
        held = self._sound.tenant if target.kind == "tenant_override" else self._sound.user
        return Stored(held.get(target.ids), flag, (), top_version)

    def apply(self, envelope: dict[str, Any]) -> list[Path]:
        """Bring the documents to what an envelope says; gives the files to be saved, in order.

        A record that is not what the envelope found is left alone: it is changed already, or
        somebody has edited the document since.
        """
        steps = [(target_of(envelope["target"]), envelope["before"], envelope["after"])]
        steps += [(override_target(record), record, None) for record in envelope["cascade"]]
        changed = []
        for target, before, after in steps:
            if same(self._record(target), before):
                self._put(target, after)
                changed.append(self._paths[0 if target.kind == "flag" else 1])
        return list(dict.fromkeys(changed))

    def save(self, path: Path) -> None:
        """Replace one file, durably.

        Raises:
            OSError: It stays as it was.
        """
        document = self._raw[self._paths.index(path)]
        write_atomic(path, json_text(document, indent=2) + "\n")

    def _cascade(self, flag_key: str) -> tuple[Override, ...]:
        held: Iterable[Override | Corrupt] = [
            override
            for overrides in (self._sound.tenant, self._sound.user)
            for ids, override in overrides.items()
            if ids[0] == flag_key
        ]
        taken = []
        for override in held:
            if isinstance(override, Corrupt):
                raise RecordError(
                    "", f"an override of the flag can't be trusted: {override.problem}"
                )
            taken.append(override)
        return tuple(taken)

    def _record(self, target: Target) -> dict[str, JSON] | str | None:
        if target.kind == "flag":
            flag = self._flags.get(target.ids[0])
            return flag_record(flag) if isinstance(flag, Flag) else _problem(flag)
        held = self._sound.tenant if target.kind == "tenant_override" else self._sound.user
        override = held.get(target.ids)
        return override_record(override) if isinstance(override, Override) else _problem(override)

    def _put(self, target: Target, after: dict[str, JSON] | None) -> None:
        listed = _LISTS[target.kind]
        document = self._raw[0 if target.kind == "flag" else 1]
        ids = {name: text for name, text in target.named.items() if name != "kind"}
        records: list[Any] = document[listed]
        for place, record in enumerate(records):
            if isinstance(record, dict) and all(record.get(n) == text for n, text in ids.items()):
                records[place : place + 1] = [] if after is None else [after]
                return
        if after is not None:
            records.append(after)


def _problem(found: Corrupt | None) -> str | None:
    return None if found is None else found.problem
