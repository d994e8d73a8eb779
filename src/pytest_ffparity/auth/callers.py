"""What may name a caller, in a claim or in a dev header."""

from __future__ import annotations

import re
from typing import Final, TypeGuard

from pytest_ffparity.evaluator.ids import legal_id

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def legal_caller(name: object) -> TypeGuard[str]:
    """Tell whether a tenant or user id is one that both stores hold, without control characters."""
    return isinstance(name, str) and legal_id(name) and _CONTROL.search(name) is None
