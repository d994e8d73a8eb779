"""Makes the pages' tables from the code: `python tests/docs/tables.py` rewrites them.

With `--check` it changes nothing, and exits with 1 if a page differs.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pytest_ffparity.auth.authenticator import TokenAuthenticator
from pytest_ffparity.auth.codes import AuthCode
from pytest_ffparity.auth.modes import MODES
from pytest_ffparity.auth.settings import AuthSettings
from pytest_ffparity.evaluator.model import Rejection
from pytest_ffparity.evaluator.names import AUTH_SOURCE
from pytest_ffparity.paths.keys import DEFAULT_KEY, ISSUER, KeyRing
from pytest_ffparity.paths.seeded.catalogue import catalogue
from pytest_ffparity.paths.servers import WorldServers
from pytest_ffparity.paths.token_faults import TOKEN_FAULTS
from pytest_ffparity.plugin import options

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
_PLACE: Final = re.compile(
    r"(<!-- made by tests/docs/tables\.py: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL
)
_NOW: Final = datetime(2026, 4, 19, tzinfo=UTC)
# What each fault does, in words; a fault without any is an error here.
_FAULTS: Final = {
    "signature": "One bit of the signature is flipped",
    "alg_none": "`alg` is `none`, and the signature is empty",
    "hs256_public_key": "`alg` is `HS256`, signed with the public key as the secret",
    "malformed": "The third part is missing",
    "expired": "`exp` is an hour ago",
    "not_yet_valid": "`nbf` is in an hour",
    "wrong_issuer": "`iss` is somebody else",
    "wrong_audience": "`aud` is another service",
    "no_subject": "There is no `sub`",
    "numeric_subject": "`sub` is a number",
    "unknown_kid": "Signed by a key that no set holds",
}


class _Declared:
    """Stands in for pytest's parser and its groups, and notes what is declared."""

    def __init__(self) -> None:
        self.options: list[tuple[str, str, str]] = []
        self.keys: list[tuple[str, str, str]] = []

    def getgroup(self, *_: str) -> _Declared:
        return self

    def addoption(self, name: str, **about: Any) -> None:
        self.options.append((name, about.get("metavar", ""), about["help"]))

    def addini(self, name: str, **about: Any) -> None:
        self.keys.append((name, about["type"], about["help"]))


def options_table() -> list[str]:
    declared = _declared()
    rows = [
        f"| `{name}{'=' * bool(value)}{value}` | {text} |" for name, value, text in declared.options
    ]
    return ["| option | what it does |", "| --- | --- |", *rows]


def ini_table() -> list[str]:
    rows = [f"| `{name}` | {kind} | {text} |" for name, kind, text in _declared().keys]
    return ["| ini key | type | what it is |", "| --- | --- | --- |", *rows]


def faults_table() -> list[str]:
    codes = asyncio.run(_codes())
    rows = [f"| `{name}` | {_FAULTS[name]} | `{codes[name]}` |" for name in TOKEN_FAULTS]
    return ["| fault | the token | answered with |", "| --- | --- | --- |", *rows]


def modes_table() -> list[str]:
    rows = []
    for row in MODES:
        fallback = {True: "on", False: "off", None: "either"}[row.fallback]
        if isinstance(row.outcome, AuthCode):
            outcome, source = f"{row.outcome.http_status} `{row.outcome}`", ""
        else:
            outcome, source = f"`{row.outcome}`", f"`{AUTH_SOURCE[row.outcome]}`"
        warnings = ", ".join(f"`{warning}`" for warning in row.warnings)
        finding = f"`{row.finding}`" if isinstance(row.finding, AuthCode) else row.finding
        rows.append(f"| {row.id} | {finding} | {fallback} | {outcome} | {source} | {warnings} |")
    return [
        "| row | what is found | fallback | mode or refusal | `auth_source` | warnings |",
        "| --- | --- | --- | --- | --- | --- |",
        *rows,
    ]


def seeded_table() -> list[str]:
    rows = [
        f"| {f.level} | `{f.name}` | {f.why} | {', '.join(f.rows) or 'raises'} |"
        for f in catalogue()
        if f.level != "harmless"
    ]
    return ["| level | fault | what it does | has to name |", "| --- | --- | --- | --- |", *rows]


def harmless_table() -> list[str]:
    rows = [f"| `{f.name}` | {f.why} |" for f in catalogue() if f.level == "harmless"]
    return ["| change | what it does |", "| --- | --- |", *rows]


def _declared() -> _Declared:
    declared = _Declared()
    options.add(declared)  # type: ignore[arg-type]
    return declared


async def _codes() -> dict[str, str]:
    ring = KeyRing()
    servers = WorldServers(jwks=ring.jwks([DEFAULT_KEY]), approvals=None)
    settings = AuthSettings(issuers=dict.fromkeys([ISSUER], servers.jwks_url))
    authenticator = TokenAuthenticator(settings, clock=lambda: _NOW)
    codes = {}
    try:
        for fault in TOKEN_FAULTS:
            claims = {"tenant_id": "T-pilot", "sub": "U1"}
            token = ring.mint({"claims": claims, "faults": [fault]}, _NOW)
            answer = await authenticator.authenticate((("Authorization", f"Bearer {token}"),))
            codes[fault] = answer.code if isinstance(answer, Rejection) else str(answer.mode)
    finally:
        await authenticator.aclose()
        servers.close()
    return codes


TABLES: Final[dict[str, Callable[[], list[str]]]] = {
    "options": options_table,
    "ini": ini_table,
    "faults": faults_table,
    "modes": modes_table,
    "seeded": seeded_table,
    "harmless": harmless_table,
}


def made(text: str) -> str:
    """Give a page with its tables as the code has them."""
    return _PLACE.sub(lambda m: m[1] + "\n".join(TABLES[m[2]]()) + "\n" + m[3], text)


def main() -> int:
    stale = []
    for page in sorted(DOCS.glob("*.md")):
        text = page.read_text("utf-8")
        new = made(text)
        if new != text:
            stale.append(page.name)
            if "--check" not in sys.argv:
                page.write_text(new, "utf-8")
    if stale:
        done = "is not what the code says" if "--check" in sys.argv else "rewritten"
        print(f"{', '.join(stale)}: {done}")
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
