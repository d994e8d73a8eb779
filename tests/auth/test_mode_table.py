"""The table of the modes is whole; test_modes.py shows its rows at work."""

from __future__ import annotations

import pytest

from pytest_ffparity.auth.codes import AuthCode
from pytest_ffparity.auth.modes import MODES, Standing, row_of
from pytest_ffparity.evaluator.names import AuthMode


def test_there_are_the_rows_m01_to_m10() -> None:
    assert sorted({row.id for row in MODES}) == [f"M-{number:02}" for number in range(1, 11)]


@pytest.mark.parametrize("finding", [*Standing, *AuthCode])
@pytest.mark.parametrize("fallback", [True, False])
def test_a_finding_has_at_most_one_row(finding: Standing | AuthCode, *, fallback: bool) -> None:
    fitting = [r for r in MODES if r.finding == finding and r.fallback in (None, fallback)]
    # These two are what a standing comes to, and no check finds them by itself.
    outcomes_only = {AuthCode.KID_NOT_FOUND, AuthCode.JWKS_UNREACHABLE}
    assert len(fitting) == (finding not in outcomes_only)
    if fitting:
        assert row_of(finding, fallback=fallback) is fitting[0]


def test_every_mode_and_every_code_is_an_outcome() -> None:
    assert {row.outcome for row in MODES} == {*AuthMode, *AuthCode}


def test_without_the_fallback_nobody_is_decoded_only_or_taken_from_dev_headers() -> None:
    outcomes = {row.outcome for row in MODES if row.fallback is not True}
    assert outcomes & set(AuthMode) == {AuthMode.VERIFIED, AuthMode.ANONYMOUS}
