"""Every fault, for real, on each of its paths: the right answer or a deny that says why."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.faults.cluster import Cluster
from tests.faults.db_faults import DB_FAULTS
from tests.faults.fault import Fault, Row, endure
from tests.faults.file_faults import FILE_FAULTS
from tests.faults.http_faults import HTTP_FAULTS

FAULTS = [*DB_FAULTS, *FILE_FAULTS, *HTTP_FAULTS]
CASES: list[Any] = [
    pytest.param(fault, path, id=f"{fault.id}-{path}") for fault in FAULTS for path in fault.paths
]


@pytest.mark.parametrize(("fault", "path"), CASES)
def test_a_fault_denies_or_does_no_harm(
    fault: Fault, path: str, cluster: Cluster, tell: Callable[[Row | str], None]
) -> None:
    tell(asyncio.run(endure(fault, path, cluster)))


def test_there_are_enough_faults_each_under_its_own_name() -> None:
    assert len({fault.id for fault in FAULTS}) == len(FAULTS)
    assert len(FAULTS) >= 30
