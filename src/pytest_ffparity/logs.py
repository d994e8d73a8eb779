"""Structured logs over the standard library's loggers: silent until the user asks for them.

A record carries its facts twice: as attributes for machines, and as `key=value` in its message.
Nothing goes through structlog's global configuration, which belongs to the user's service.
"""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from hashlib import sha256
from typing import Any, Final

import structlog

_HASH_DIGITS: Final = 12
_LINE: Final = structlog.processors.LogfmtRenderer(key_order=["event"])

# Without a handler of its own a library's warnings go to standard error, in the middle of a report.
logging.getLogger(__name__.partition(".")[0]).addHandler(logging.NullHandler())


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """Give the logger of a module; `event`, then facts by name: `log.info("jwks.renewed", keys=2)`."""
    wrapped: structlog.stdlib.BoundLogger = structlog.wrap_logger(
        logging.getLogger(name),
        processors=[structlog.stdlib.filter_by_level, _record],
        wrapper_class=structlog.stdlib.BoundLogger,
        context_class=dict,
        cache_logger_on_first_use=True,
    )
    return wrapped


def short_hash(text: str | None) -> str | None:
    """Give what may stand for an id in a log: enough to tell two apart, nothing to read."""
    if text is None:
        return None
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_DIGITS]


def _record(
    _logger: logging.Logger, _method: str, facts: MutableMapping[str, Any]
) -> tuple[tuple[str], dict[str, Any]]:
    extra = {name: fact for name, fact in facts.items() if name != "event"}
    line = str(_LINE(_logger, _method, dict(facts)))
    return (line,), {"extra": extra}
