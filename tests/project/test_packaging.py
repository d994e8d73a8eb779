from __future__ import annotations

import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from importlib.metadata import requires
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "pytest_ffparity"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    # The wheel is made from the sdist, so that what the sdist lacks is missed here.
    run = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return folder


def in_sdist(built: Path) -> set[str]:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        return {name.partition("/")[2] for name in archive.getnames()}


def in_wheel(built: Path) -> set[str]:
    (wheel,) = built.glob("*.whl")
    with ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_the_whole_package_and_nothing_else(built: Path) -> None:
    package = {
        f"pytest_ffparity/{path.relative_to(PACKAGE).as_posix()}"
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    held = in_wheel(built)
    assert {name for name in held if ".dist-info/" not in name} == package
    assert "pytest_ffparity/py.typed" in held
    assert [
        name for name in held if re.fullmatch(r"pytest_ffparity/schemas/.+\.schema\.json", name)
    ]
    assert [name for name in held if re.search(r"/migrations/versions/0001\w*\.py$", name)]
    assert [name for name in held if name.endswith(".dist-info/licenses/LICENSE")]


def test_the_wheel_names_the_plugin_and_the_command(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    with ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))
        text = archive.read(name).decode()
    assert "[pytest11]\nffparity = pytest_ffparity.plugin" in text
    assert "[console_scripts]\nffparity = pytest_ffparity.cli:main" in text


def test_the_sdist_holds_what_its_tests_need(built: Path) -> None:
    held = in_sdist(built)
    wanted = {
        ".ci/run",
        ".github/workflows/parity.yml",
        "LICENSE",
        "Makefile",
        "README.md",
        "conftest.py",
        "constraints.txt",
        "pyproject.toml",
        "tests/project/test_packaging.py",
        "vectors/cutover_parity_matrix.json",
        "vectors/jwt_claim_examples.json",
        "vectors/parity_test_matrix.json",
    }
    assert wanted - held == set()


def closure(wanted: Requirement, seen: set[tuple[str, str]]) -> Iterator[str]:
    for extra in ("", *sorted(wanted.extras)):
        if (wanted.name, extra) in seen:
            continue
        seen.add((wanted.name, extra))
        for line in requires(wanted.name) or []:
            inner = Requirement(line)
            if inner.marker is None or inner.marker.evaluate({"extra": extra}):
                yield canonicalize_name(inner.name)
                yield from closure(inner, seen)


def pins() -> dict[str, str]:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    entries = [line for line in text.splitlines() if not line.startswith("#")]
    for entry in entries:
        assert re.fullmatch(r"[\w.-]+==[\w.]+( ; [\w =\"]+)?", entry), entry
    found = [Requirement(entry) for entry in entries]
    return {canonicalize_name(pin.name): str(pin.specifier) for pin in found}


def test_everything_that_the_dev_extra_pulls_in_is_pinned() -> None:
    pulled = set(closure(Requirement("pytest-ffparity[dev]"), set())) - {"pytest-ffparity"}
    assert len(pulled) > 30
    assert pulled - pins().keys() == set()
