"""The shipped files, and what a case of theirs is about, derived from world and request alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pytest_ffparity.vectors.matrix_reader import read_matrix
from pytest_ffparity.vectors.model import MatrixFile, StressVector, Vector, VectorFile
from pytest_ffparity.vectors.reader import read_vector_file

FOLDER = Path(__file__).parents[2] / "vectors"


class Case(msgspec.Struct, frozen=True):
    """One request of a vector or of a stress mix."""

    label: str
    world: dict[str, Any]
    request: dict[str, Any]
    expected: dict[str, Any]

    @property
    def now(self) -> str:
        return str(self.world["now"])

    @property
    def flag(self) -> dict[str, Any] | None:
        """The flag's record as it was written."""
        key = self.request["flag_key"]
        found = [record for record in self.world["flags"] if record["flag_key"] == key]
        assert len(found) < 2
        return found[0] if found else None

    @property
    def mode(self) -> str | None:
        mode: str | None = self.expected["meta"]["auth_mode"]
        return mode

    @property
    def caller(self) -> tuple[str | None, str | None]:
        """Tenant and user, from the credentials that the expected mode rests on."""
        headers = self.request.get("headers", {})
        if self.mode in ("verified", "decode-only"):
            claims = headers["Authorization"]["$bearer"]["claims"]
            return claims["tenant_id"], claims["sub"]
        if self.mode == "dev-headers":
            return headers["X-FF-Tenant"], headers.get("X-FF-User")
        return None, None

    @property
    def user_override(self) -> dict[str, Any] | None:
        tenant, user = self.caller
        return self._override("user_overrides", tenant_id=tenant, user_id=user)

    @property
    def tenant_override(self) -> dict[str, Any] | None:
        return self._override("tenant_overrides", tenant_id=self.caller[0])

    @property
    def approval(self) -> dict[str, Any] | None:
        ref = self.request.get("approval_ref")
        known = self.world.get("approvals", [])
        return next((record for record in known if record["approval_ref"] == ref), None)

    @property
    def admin_reachable(self) -> bool:
        return bool(self.world.get("admin", {}).get("reachable", True))

    def _override(self, kind: str, **ids: str | None) -> dict[str, Any] | None:
        wanted = {"flag_key": self.request["flag_key"], **ids}
        known = self.world.get(kind, [])
        found = [record for record in known if wanted.items() <= record.items()]
        assert len(found) < 2
        return found[0] if found else None


@pytest.fixture(scope="session")
def shipped_vectors() -> Path:
    return FOLDER


@pytest.fixture(scope="session")
def vector_file() -> VectorFile:
    return read_vector_file(FOLDER / "parity_test_matrix.json")


@pytest.fixture(scope="session")
def matrix_file() -> MatrixFile:
    return read_matrix(FOLDER / "cutover_parity_matrix.json")


@pytest.fixture(scope="session")
def stress_vector(vector_file: VectorFile) -> StressVector:
    (found,) = [vector for vector in vector_file.vectors if isinstance(vector, StressVector)]
    return found


@pytest.fixture(scope="session")
def plain_cases(vector_file: VectorFile) -> dict[str, Case]:
    return {
        vector.id: Case(vector.id, vector.world, vector.request, vector.expected)
        for vector in vector_file.vectors
        if isinstance(vector, Vector)
    }


@pytest.fixture(scope="session")
def stress_cases(stress_vector: StressVector) -> list[Case]:
    return list(_cases(stress_vector))


@pytest.fixture(scope="session")
def cases(plain_cases: dict[str, Case], stress_cases: list[Case]) -> list[Case]:
    return [*plain_cases.values(), *stress_cases]


def _cases(vector: StressVector) -> Iterator[Case]:
    for phase in vector.stress.phases:
        for case in phase.mix:
            label = f"{vector.id}/{phase.name}/{case.id}"
            yield Case(label, phase.world, case.request, case.expected)
