"""What is on record of one vector after it was run: values that travel as JSON text."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec

from pytest_ffparity.formats.strict_json import canonical
from pytest_ffparity.parity.compare import Divergence
from pytest_ffparity.parity.percentiles import Latency
from pytest_ffparity.vectors.model import StressVector, Vector


def digest(vector: Vector | StressVector) -> str:
    """Give the digest of a vector with its world, so that two readers know they read the same."""
    content = msgspec.to_builtins(vector)
    return sha256(canonical(content).encode()).hexdigest()[:16]


class PathResult(msgspec.Struct, frozen=True):
    """What one path did: its decision (null in a stress vector), or the error it raised."""

    decision: dict[str, Any] | None = None
    error: str | None = None
    latency_ms: float | None = None
    info: dict[str, str] = {}


class PhaseLoad(msgspec.Struct, frozen=True):
    """One phase's times on one path."""

    name: str
    latency: Latency


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What a stress vector measured on one path, over all phases and in each."""

    latency: Latency
    concurrency: int
    throughput_per_s: float
    errors: int
    phases: tuple[PhaseLoad, ...]


class StressResult(msgspec.Struct, frozen=True):
    """The stress gate's figures; `missed` has a sentence for each limit that was not held."""

    limit_ms: float
    paths: dict[str, Load]
    missed: tuple[str, ...]


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """The judgement of one vector in one attempt.

    `run` is the run's nonce and `digest` that of the vector as the judge read it: a judgement made
    elsewhere, or of another text, counts for nothing.
    """

    run: str
    file: str
    id: str
    digest: str
    paths: dict[str, PathResult]
    divergences: tuple[Divergence, ...]
    stress: StressResult | None = None

    @property
    def passed(self) -> bool:
        """True when every path answered, met the expectation, agreed, and held the gate."""
        return (
            len(self.paths) > 1
            and not self.divergences
            and all(path.error is None for path in self.paths.values())
            and (self.stress is None or not self.stress.missed)
        )

    def to_text(self) -> str:
        """Give the JSON text that crosses process borders."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_text(cls, text: str) -> Judgement:
        """Read the JSON text.

        Raises:
            msgspec.ValidationError: It is not a judgement.
        """
        return msgspec.json.decode(text, type=cls)
