"""All seeded faults and harmless changes, and the vectors that show them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pytest_ffparity.paths.seeded import answers, data, harmless, load, rules
from pytest_ffparity.paths.seeded.fault import Fault

PROBES: Final = Path(__file__).with_name("probes.json")


def catalogue() -> tuple[Fault, ...]:
    """Give every fault, in the order of their levels, and then every harmless change."""
    made = (answers.faults(), rules.faults(), data.faults(), load.faults(), harmless.changes())
    return tuple(fault for part in made for fault in part)
