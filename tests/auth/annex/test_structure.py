from __future__ import annotations

from typing import Any

import pytest


def test_S01_an_empty_token_is_malformed(judge: Any) -> None:
    assert judge("") == "token_malformed"


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "bEaReR"])
def test_S20_the_scheme_is_read_in_any_case(judge: Any, issuer: Any, scheme: str) -> None:
    answer = judge.headers([("authorization", f"{scheme} {issuer.token()}")])
    assert answer.verified
