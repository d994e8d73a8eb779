"""Ids and texts that a store, a collation or a hash could take for one another."""

from __future__ import annotations

from typing import Final
from unicodedata import normalize

from pytest_ffparity.paths.hostile.draws import Draws

FLAG_KEYS: Final = (
    *("ff.x", "ff.new-checkout", "jos\u00e9", "\u00c5ngstr\u00f6m", "x" * 200, "\u00e9" * 100),
    *("a\tb\n", "", "ff..x", "\u674e\u96f7", "/~0~1", "null", "0", "%s$1\\", "\u0130stanbul"),
)
TENANTS: Final = (
    *("T-pty-pilot-01", "T-1", "stra\u00dfe", "jos\u00e9", "\U0001f600" * 50, "true", "1"),
    *("\u674e\u96f7", "T\u00a0x", "*", "x" * 200),
)
USERS: Final = (
    *("U1001", "K\u212a", "\u0130", "' OR 1=1 --", "%s$1\\", "jos\u00e9", "\u674e\u96f7", "0", "1"),
    *("1.0", "true", "null", "\U0001f468\u200d\U0001f469", "u" * 200, "\ufb01n", "\u03c2\u03c3"),
)
REFS: Final = ("APP-100001-abcd", "APP-100004-expired", "APP-2", "r" * 200, "jos\u00e9", "*")
SALTS: Final = ("", "s1", "jos\u00e9", "jose\u0301", " ")
TOO_LONG: Final = ("x" * 201, "\u00e9" * 101, "\U0001f600" * 51)
# No token can be minted with U+0000, and no vector file can hold it: requests get it as it is.
WITH_NUL: Final = ("\x00", "a\x00b", "ff.x\x00")
NO_IDS: Final = ("", *TOO_LONG)
_MAX_BYTES: Final = 200
_ALPHABETS: Final = (
    "abcxyzABCXYZ0189-._",
    "abcxyzABCXYZ0189-._",
    "\u00e9\u00c9\u00e5\u00df\u0131\u0130\u017f\u212a\u00b5\u03bc",
    "e\u0301a\u030ao\u0308\u1e69\u0323",
    "\u674e\u96f7\u5f35\uac00\u1100\u1161",
    "\U0001f600\U00010000\U0010ffff\uffff\ue000\uf8ff",
    " \u00a0\u2028\u200b\ufeff'\"\\%_/",
)


def text(draws: Draws) -> str:
    """Make a legal id of one to eight characters that is in no list; no control character in it."""
    alphabet = draws.one_of(_ALPHABETS)
    return "".join(draws.one_of(alphabet) for _ in range(1 + draws.below(8)))


def look_alikes(given: str) -> list[str]:
    """Give the other legal ids that folding, trimming or normalising would make the same."""
    others = (
        *(normalize(form, given) for form in ("NFC", "NFD", "NFKC")),
        *(given.upper(), given.lower(), given.casefold(), f"{given} ", f" {given}", given.strip()),
    )
    sound = (one for one in others if one != given and 0 < len(one.encode()) <= _MAX_BYTES)
    return list(dict.fromkeys(sound))


def family(draws: Draws, given: tuple[str, ...], count: int) -> list[str]:
    """Give so many different legal ids; after the first, each second one looks like another."""
    ids: list[str] = []
    while len(ids) < count:
        like = look_alikes(draws.one_of(ids)) if ids and draws.chance(50) else []
        one = draws.one_of(like) if like else _listed(draws, given)
        if one and one not in ids:
            ids.append(one)
    return ids


def _listed(draws: Draws, given: tuple[str, ...]) -> str:
    return text(draws) if draws.chance(25) else draws.one_of(given)
