"""Takes secrets out of error texts that others wrote."""

from __future__ import annotations

import re
from typing import Final

_SECRETS: Final = (
    (re.compile(r"(\w+://[^\s:/@]*):[^\s@]*@"), r"\1:***@"),
    (re.compile(r"(?i)\b(password|passwd|secret|token|api[_-]?key)=[^\s&'\"]+"), r"\1=***"),
    (re.compile(r"\beyJ[\w-]*\.[\w-]*\.?[\w-]*"), "<token>"),
    (re.compile(r"(?i)\bBearer +[^\s'\"]+"), "Bearer <token>"),
)
_MAX: Final = 2000


def redacted(text: str) -> str:
    """Hide DSN passwords and bearer tokens; give one line of sound text, cut if it is overlong."""
    text = " ".join(text.encode("utf-8", "replace").decode().split())
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text if len(text) <= _MAX else text[:_MAX] + "..."
