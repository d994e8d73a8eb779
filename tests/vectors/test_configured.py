"""What a configuration file of pytest's names, in each of the forms that pytest reads."""

from __future__ import annotations

import pytest

from pytest_ffparity.vectors.configured import Configured, configured, over, typed, without

KEYS = "ffparity_vectors = a.json 'b c.json'\n  d.json\nffparity_matrix = m.json\n"
SAID = Configured(vectors=("a.json", "b c.json", "d.json"), matrix="m.json")
TOML = "ffparity_vectors = ['a.json', 'b c.json', 'd.json']\nffparity_matrix = 'm.json'\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pytest.ini", f"[pytest]\n{KEYS}"),
        (".pytest.ini", f"[pytest]\n{KEYS}"),
        ("tox.ini", f"[tox]\nx = 1\n[pytest]\n{KEYS}"),
        ("setup.cfg", f"[tool:pytest]\n{KEYS}"),
        ("pyproject.toml", f"[tool.pytest.ini_options]\n{TOML}"),
        ("pyproject.toml", f"[tool.pytest]\n{TOML}"),
        ("pytest.toml", f"[pytest]\n{TOML}"),
    ],
)
def test_each_form_is_read(name: str, text: str) -> None:
    assert configured(name, text.encode()) == SAID


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("tox.ini", "[tox]\n"),
        ("setup.cfg", "[pytest]\nffparity_matrix = m.json\n"),
        ("pyproject.toml", "[project]\nname = 'x'\n"),
        ("pyproject.toml", "tool = 1\n"),
        ("pyproject.toml", "no toml"),
        ("tox.ini", "no ini"),
        ("tox.ini", "[pytest]\nffparity_matrix = \udcff\n"),
    ],
)
def test_what_pytest_would_not_take_is_none(name: str, text: str) -> None:
    assert configured(name, text.encode("utf-8", "surrogateescape")) is None


def test_an_ini_of_pytest_counts_though_it_says_nothing() -> None:
    assert configured("pytest.ini", b"") == Configured()


def test_addopts_stand_over_the_keys() -> None:
    text = (
        f"[pytest]\n{KEYS}addopts = -q --ffparity-vectors=x.json --ffparity-matrix 'm 2.json' x\n"
    )
    assert configured("pytest.ini", text.encode()) == Configured(("x.json",), "m 2.json")


def test_a_command_line_names_files_or_does_not() -> None:
    found = typed(["-q", "--ffparity-vectors", "a", "--ffparity-vectors=b", "--ffparity-waivers=w"])
    assert found == Configured(vectors=("a", "b"), waivers="w")
    assert typed(["vectors/x.json", "--ffparity-matri=m", "--ffparity-matrix"]) == Configured()


def test_what_says_nothing_hides_nothing_and_what_is_left_out_is_empty() -> None:
    defaults = Configured(vectors=("v.json",), matrix="other.json", waivers="w.json")
    both = over(defaults, SAID)
    assert both == Configured(vectors=SAID.vectors, matrix="m.json", waivers="w.json")
    assert without(both, ["vectors", "matrix"]) == Configured(waivers="w.json")
