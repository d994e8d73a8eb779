from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

pytest_plugins = ["pytester"]


@pytest.fixture(scope="session", autouse=True)
def _off_github() -> Iterator[None]:
    """Keep the runs that tests start from annotating the workflow that runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("GITHUB_"):
                patch.delenv(name)
        yield
