"""Long and unruly text made short, for places that show one line of it."""

from __future__ import annotations

import re
from typing import Final

from pytest_ffparity.formats.strict_json import canonical
from pytest_ffparity.parity.compare import Seen

# What ends a line for somebody, and what no terminal should get.
# A value that a person still reads; a document of megabytes would bury all others.
MAX_SHOWN: Final = 2000
_CONTROLS: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def one_line(text: str) -> str:
    """Give text without line ends and control characters."""
    return _CONTROLS.sub(" ", text)


def cut(text: str, limit: int) -> str:
    """Give the first characters of a long text, and say how many there are."""
    return text if len(text) <= limit else f"{text[:limit]}... {len(text):,} characters"


def shown(seen: Seen, limit: int) -> str:
    """Give what one side has at a field, as canonical JSON, cut."""
    return cut(canonical(seen.value), limit) if seen.present else "(missing)"
