"""Takes secrets out of error texts that others wrote."""

from __future__ import annotations

import re
from typing import Final

_SECRETS: Final = (
    (re.compile(r"(\w+://[^\s:/@]*):[^\s@]*@"), r"\1:***@"),
    (
        re.compile(r"(?i)(password|passwd|secret|api[_-]?key)(['\"]?\s*[:=]\s*['\"]?)[^\s&'\",}]+"),
        r"\1\2***",
    ),
    (re.compile(r"(?i)\b(\w*token)=[^\s&'\"]+"), r"\1=***"),
    (re.compile(r"\beyJ[\w-]*\.[\w-]*\.?[\w-]*"), "<token>"),
    (re.compile(r"(?i)\bBearer +[^\s'\"]+"), "Bearer <token>"),
)
_MAX: Final = 2000


def redacted(text: str) -> str:
    """Hide DSN passwords and bearer tokens; give one line of sound text, cut if it is overlong."""
    text = " ".join(text.encode("utf-8", "replace").decode().split())
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    # What has no shape of its own would act on a terminal, or hide.
    text = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
    return text if len(text) <= _MAX else text[:_MAX] + "..."
