from __future__ import annotations

from decimal import Decimal
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ffparity import bucket
from pytest_ffparity.evaluator.rollout import thousandths


@pytest.mark.parametrize(
    ("salt", "flag", "tenant", "user", "expected"),
    [
        ("s1", "ff.x", "T-pty-pilot-01", "U1001", 42803),
        ("s1", "ff.x", "T-pty-pilot-01", None, 46817),
        ("s1", "ff.x", "T-pty-pilot-01", "josé", 94272),
        ("s1", "ff.x", "T-pty-pilot-01", normalize("NFD", "josé"), 63008),
        ("", "ff.y", "t", "李雷", 24984),
    ],
)
def test_published_test_vectors(
    salt: str, flag: str, tenant: str, user: str | None, expected: int
) -> None:
    assert bucket(salt, flag, tenant, user) == expected


def test_every_legal_percentage_is_turned_into_thousandths_exactly() -> None:
    for exact in range(100_001):
        assert thousandths(float(Decimal(exact) / 1000)) == exact


@pytest.mark.parametrize("percentage", [-0.001, 100.001, 33.3333, 1e-4, -1, 101])
def test_other_percentages_are_refused(percentage: float) -> None:
    with pytest.raises(ValueError, match="a percentage"):
        thousandths(percentage)


@given(st.text(), st.text(), st.text(), st.text())
def test_the_parts_of_a_unit_do_not_run_into_each_other(a: str, b: str, c: str, d: str) -> None:
    def encodable(text: str) -> str:
        return text.encode("utf-8", "replace").decode()

    a, b, c, d = map(encodable, (a, b, c, d))
    assert 0 <= bucket(a, b, c, d) < 100_000
    # Two callers are two units, however their ids are cut: equal only by a chance of 1 in 2^64.
    if (a, b) != (a + b, ""):
        assert bucket(a, b, c, d) != bucket(a + b, "", c, d) or not b


def test_a_user_and_a_tenant_of_the_same_name_are_two_units() -> None:
    assert bucket("", "f", "same", "same") != bucket("", "f", "same", None)
