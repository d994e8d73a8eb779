"""pytest-ffparity: the same decision from Postgres as from JSON files, proven per user.

The embedded evaluator is importable and useful without pytest. Names are loaded when they are
first asked for, so that an installed plugin which is not switched on costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_ffparity.evaluator.evaluator import Evaluator as Evaluator
    from pytest_ffparity.evaluator.model import Approval as Approval
    from pytest_ffparity.evaluator.model import Corrupt as Corrupt
    from pytest_ffparity.evaluator.model import Decision as Decision
    from pytest_ffparity.evaluator.model import Failed as Failed
    from pytest_ffparity.evaluator.model import Flag as Flag
    from pytest_ffparity.evaluator.model import Identity as Identity
    from pytest_ffparity.evaluator.model import Override as Override
    from pytest_ffparity.evaluator.model import Records as Records
    from pytest_ffparity.evaluator.model import Rejection as Rejection
    from pytest_ffparity.evaluator.model import Request as Request
    from pytest_ffparity.evaluator.names import AuthMode as AuthMode
    from pytest_ffparity.evaluator.rollout import bucket as bucket
    from pytest_ffparity.parity.path import Path as Path

_HOME = {
    "Approval": "evaluator.model",
    "AuthMode": "evaluator.names",
    "Corrupt": "evaluator.model",
    "Decision": "evaluator.model",
    "Evaluator": "evaluator.evaluator",
    "Failed": "evaluator.model",
    "Flag": "evaluator.model",
    "Identity": "evaluator.model",
    "Override": "evaluator.model",
    "Path": "parity.path",
    "Records": "evaluator.model",
    "Rejection": "evaluator.model",
    "Request": "evaluator.model",
    "bucket": "evaluator.rollout",
}

__all__ = sorted(_HOME)  # noqa: PLE0605 - mypy and pyright read the imports above
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Load a public name from the module where it lives."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
