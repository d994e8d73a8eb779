from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_ffparity.cli import main
from pytest_ffparity.formats import schema


def test_schemas_are_written_beside_the_users_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["schemas", str(tmp_path / "a" / "b")]) == 0
    files = sorted((tmp_path / "a" / "b").iterdir())
    assert [path.name for path in files] == [f"{n}{schema.SUFFIX}" for n in schema.names()]
    assert [json.loads(path.read_text())["$id"].split(":")[0] for path in files] == ["urn"] * len(
        files
    )
    assert capsys.readouterr().out.splitlines() == [f"wrote {path}" for path in files]


def test_schemas_go_to_vectors_unless_told_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["schemas"]) == 0
    assert (tmp_path / "vectors" / "parity_test_matrix.v1.schema.json").is_file()


def test_a_second_time_only_what_was_changed_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["schemas", str(tmp_path)])
    changed = tmp_path / "decision.v1.schema.json"
    changed.write_text("{}")
    capsys.readouterr()
    assert main(["schemas", str(tmp_path)]) == 0
    told = [line.partition(" ") for line in capsys.readouterr().out.splitlines()]
    assert [path for done, _, path in told if done == "updated"] == [str(changed)]
    assert {done for done, _, _ in told} == {"updated", "unchanged"}
    assert changed.read_text() == schema.text("decision.v1")


def test_a_folder_that_can_not_be_written_is_told_with_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main(["schemas", str(tmp_path / "file")]) == 2
    assert str(tmp_path / "file") in capsys.readouterr().err


@pytest.mark.parametrize("argv", [[], ["schema"], ["schemas", "a", "b"]])
def test_wrong_usage_is_exit_code_2(argv: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(argv)
    assert caught.value.code == 2


def test_help_names_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    assert "schemas" in capsys.readouterr().out
