from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ffparity.formats import instant


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-04-19T00:00:00Z", datetime(2026, 4, 19, tzinfo=UTC)),
        ("2026-04-19T00:00:00.000001Z", datetime(2026, 4, 19, 0, 0, 0, 1, tzinfo=UTC)),
        ("2026-04-19T07:00:00.5+07:00", datetime(2026, 4, 19, 0, 0, 0, 500000, tzinfo=UTC)),
        ("2026-04-18T19:00:00-05:00", datetime(2026, 4, 19, tzinfo=UTC)),
        ("2024-02-29T00:00:00Z", datetime(2024, 2, 29, tzinfo=UTC)),
    ],
)
def test_taken(text: str, expected: datetime) -> None:
    assert instant.parse(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-04-19",
        "2026-04-19T00:00:00",
        "2026-04-19 00:00:00Z",
        "2026-04-19t00:00:00z",
        "2026-04-19T00:00:00.1234567Z",
        "2026-04-19T00:00:00.Z",
        "2026-04-19T00:00:00+0700",
        "2026-04-19T00:00:00+24:00",
        "2026-04-19T00:00:00+00:60",
        "2026-02-29T00:00:00Z",
        "2026-04-19T24:00:00Z",
        "2026-04-19T00:00:60Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "\uff12026-04-19T00:00:00Z",
        "2026-04-19T00:00:00Z\n",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(ValueError, match="instant"):
        instant.parse(text)


@given(st.datetimes(timezones=st.just(UTC)))
def test_text_comes_back_equal(moment: datetime) -> None:
    text = instant.text(moment)
    assert len(text) == 27
    assert instant.parse(text) == moment
