from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_ffparity.backing.documents import DocumentError, load_documents, write_documents

FLAG: dict[str, Any] = {
    "flag_key": "ff.x",
    "value_type": "bool",
    "default_value": True,
    "safe_value": False,
    "version": 1,
}
OVERRIDE: dict[str, Any] = {"flag_key": "ff.x", "tenant_id": "T", "value": False, "version": 1}


def files(folder: Path, flags: Any, tenants: Any) -> tuple[Path, Path]:
    registry, overrides = folder / "registry.json", folder / "override_examples.json"
    registry.write_text(json.dumps({"flags": flags}))
    overrides.write_text(json.dumps({"tenant_overrides": tenants, "user_overrides": []}))
    return registry, overrides


def test_what_was_written_is_loaded(tmp_path: Path) -> None:
    written = write_documents(tmp_path, [FLAG], [OVERRIDE], [])
    loaded = load_documents(tmp_path / "registry.json", tmp_path / "override_examples.json")
    assert loaded == written


@pytest.mark.parametrize(
    ("flags", "tenants", "told"),
    [
        ([{**FLAG, "enabled": 1}], [], "registry.json: /flags/0/enabled"),
        ([FLAG, FLAG], [], "registry.json: /flags/1"),
        ([FLAG], [{**OVERRIDE, "value": 1}], "override_examples.json: /tenant_overrides/0/value"),
        ([], [OVERRIDE], "override_examples.json: /tenant_overrides/0"),
        (None, [], "registry.json: /flags: expected a list"),
    ],
)
def test_one_unsound_record_and_nothing_is_loaded(
    tmp_path: Path, flags: Any, tenants: Any, told: str
) -> None:
    with pytest.raises(DocumentError) as caught:
        load_documents(*files(tmp_path, flags, tenants))
    assert told in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    registry, overrides = files(tmp_path, [FLAG], [])
    overrides.unlink()
    with pytest.raises(DocumentError, match=r"override_examples\.json: No such file"):
        load_documents(registry, overrides)
