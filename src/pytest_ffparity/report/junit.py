"""What a JUnit file says of a vector beyond passed or failed: properties, as pytest writes them."""

from __future__ import annotations

import re
from typing import Final

from pytest_ffparity.parity.judgement import Judgement

PREFIX: Final = "ffparity."
# A list that a person still reads; a decision may have thousands of fields.
MAX_NAMES: Final = 50
# Everything that XML 1.0 has no place for; pytest replaces it in values, but not in names.
_ILLEGAL: Final = re.compile("[^\t\n\r -~\x80-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def properties(judgement: Judgement, *, waived: bool = False) -> list[tuple[str, str]]:
    """Give names and values, legal in XML 1.0; times are in milliseconds.

    Args:
        judgement: The vector's.
        waived: Waivers cover all that is wrong with it.
    """
    outcome = "passed" if judgement.passed else "waived" if waived else "failed"
    found = [("outcome", outcome)]
    lists = {
        "rows": [d.rule for d in judgement.divergences],
        "fields": [d.field for d in judgement.divergences],
        "unstable": [f"{u.path} {u.field}".rstrip() for u in judgement.unstable],
    }
    found += [(name, _listed(members)) for name, members in lists.items() if members]
    if judgement.stress is not None:
        for name, load in judgement.stress.paths.items():
            found.append((f"p99_ms.{name}", f"{load.latency.p99_ms:.3f}"))
    for name, path in judgement.paths.items():
        if path.latency_ms is not None:
            found.append((f"latency_ms.{name}", f"{path.latency_ms:.3f}"))
    return [(PREFIX + _legal(name), _legal(value)) for name, value in found]


def _listed(members: list[str]) -> str:
    names = list(dict.fromkeys(members))
    more = len(names) - MAX_NAMES
    return ",".join(names[:MAX_NAMES]) + (f",... and {more} more" if more > 0 else "")


def _legal(text: str) -> str:
    return _ILLEGAL.sub(lambda found: f"#x{ord(found.group()):02X}", text)
