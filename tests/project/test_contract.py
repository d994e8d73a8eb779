from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What an installed plugin that is not asked for must not load.
HEAVY = {
    "alembic",
    "asyncpg",
    "cryptography",
    "deepdiff",
    "httpx",
    "jinja2",
    "jsonschema_rs",
    "jwt",
    "msgspec",
    "sqlalchemy",
}


def lint_imports(tree: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"],
        cwd=tree,
        # The tree's own sources, not those of the editable install.
        env={**os.environ, "PYTHONPATH": str(tree / "src")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_arrows_hold() -> None:
    run = lint_imports(ROOT)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize(
    ("module", "statement", "broken"),
    [
        ("evaluator/rules.py", "import pytest_ffparity.backing", "Arrows point down"),
        ("auth/settings.py", "import pytest_ffparity.approvals", "Arrows point down"),
        (
            "parity/compare.py",
            "import pytest_ffparity.evaluator",
            "The judgement knows no flag service",
        ),
        ("parity/compare.py", "import pytest", "Only the plugin knows pytest"),
        ("plugin/options.py", "import asyncpg", "Only the backings know the database driver"),
        ("auth/settings.py", "import httpx", "One HTTP client"),
        ("paths/builtin.py", "import hypothesis", "Only what draws cases knows Hypothesis"),
        ("report/terminal.py", "import jinja2", "Only the HTML report knows templates"),
        (
            "plugin/options.py",
            "from _pytest.config import Config",
            "Nothing rests on pytest's private parts",
        ),
        ("newcomer.py", "", "Arrows point down"),
    ],
)
def test_an_arrow_that_points_up_is_found(
    tmp_path: Path, module: str, statement: str, broken: str
) -> None:
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / "src" / "pytest_ffparity" / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{statement}\n")
    run = lint_imports(tmp_path)
    assert run.returncode == 1, run.stdout + run.stderr
    assert f"{broken} BROKEN" in run.stdout


@pytest.mark.parametrize(
    "program",
    [
        "import pytest_ffparity.plugin",
        "import pytest; pytest.main(['-q', '-p', 'no:cacheprovider', '-p', 'pytest_ffparity.plugin'])",
    ],
    ids=["imported", "through a whole run"],
)
def test_an_installed_plugin_that_is_not_asked_for_loads_nothing(
    tmp_path: Path, program: str
) -> None:
    (tmp_path / "test_theirs.py").write_text("def test_it(): pass\n", encoding="utf-8")
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            f"{program}\nimport json, sys\nprint(json.dumps(list(sys.modules)))",
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(json.loads(run.stdout.splitlines()[-1]))
    assert "pytest_ffparity.plugin" in loaded
    assert loaded & HEAVY == set()
