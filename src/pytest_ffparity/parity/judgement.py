"""What is on record of one vector after it was run: values that travel as JSON text."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

import msgspec

from pytest_ffparity.formats.strict_json import canonical
from pytest_ffparity.parity.compare import Divergence
from pytest_ffparity.parity.percentiles import Bucket, Latency
from pytest_ffparity.parity.stability import Unstable

# What the ids of shares of generated decisions begin with.
SHARE: Final = "fuzz-"


def is_share(name: str) -> bool:
    """Tell whether a judgement's id is that of a share of generated decisions."""
    return name.startswith(SHARE)


def digest(asked: msgspec.Struct) -> str:
    """Give the digest of what was asked, so that two readers know they read the same.

    Args:
        asked: A vector with its world, or whatever else is judged like one.
    """
    content = msgspec.to_builtins(asked)
    return sha256(canonical(content).encode()).hexdigest()[:16]


class Subject(msgspec.Struct, frozen=True):
    """What a judgement is of: the file, the id in it, and the digest of what was asked."""

    file: str
    id: str
    digest: str


class PathResult(msgspec.Struct, frozen=True):
    """What one path did: its decision (null where there were many), or the error it raised."""

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
    histogram: tuple[Bucket, ...] = ()


class StressResult(msgspec.Struct, frozen=True):
    """The stress gate's figures; `missed` has a sentence for each limit that was not held."""

    limit_ms: float
    paths: dict[str, Load]
    missed: tuple[str, ...]


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """The smallest world and requests that still show a divergence.

    `case` is what it was found as. Several requests are asked one after the other, and the last
    one diverges; `raised` has the errors of paths that gave no answer to it. `saved` is the vector file that it was written to.
    """

    case: str
    world: Any
    requests: list[Any]
    divergences: tuple[Divergence, ...]
    raised: dict[str, str] = {}
    saved: str | None = None
    again: str | None = None


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """The judgement of one vector in one attempt.

    `run` is the run's nonce and `digest` that of the vector as the judge read it: a judgement made
    elsewhere, or of another text, counts for nothing. `opened` names the paths that allow where
    a deny was due (see `parity.opening`), `problems` is what else is wrong, a sentence each, and
    `made_by` tells what kinds of paths the judge had, beyond their names.
    """

    run: str
    file: str
    id: str
    digest: str
    paths: dict[str, PathResult]
    divergences: tuple[Divergence, ...]
    unstable: tuple[Unstable, ...] = ()
    stress: StressResult | None = None
    decisions: int = 1
    examples: tuple[Example, ...] = ()
    opened: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    made_by: str = ""

    @property
    def passed(self) -> bool:
        """True when every path answered, met the expectation, agreed, and held the gate."""
        return not self.divergences and self.merely_diverged

    @property
    def merely_diverged(self) -> bool:
        """True when nothing is wrong but, maybe, divergences."""
        return (
            len(self.paths) > 1
            and not self.unstable
            and not self.problems
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
