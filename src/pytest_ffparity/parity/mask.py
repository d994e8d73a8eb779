"""Hides given texts wherever they stand in JSON, in whatever form they come back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator
from typing import Any, Final
from unicodedata import normalize
from urllib.parse import quote, quote_plus

from pytest_ffparity.formats.pointer import join, split

# Shorter ones are only hidden where they stand alone: inside words they would be anything.
_MIN_INSIDE: Final = 4
_FOLDS: Final[tuple[Callable[[str], str], ...]] = (str, str.lower, str.upper, str.casefold)
_FORMS: Final = ("NFC", "NFD", "NFKC", "NFKD")


class Mask:
    """Puts a pseudonym in the place of each secret, and of what a path may have made of it."""

    def __init__(
        self, pseudonym: Callable[[str], str], shape: str, secrets: Collection[str | int]
    ) -> None:
        """Prepare a mask.

        Args:
            pseudonym: Gives the pseudonym of a text.
            shape: A regular expression that all pseudonyms match; they are left alone.
            secrets: What to hide; integers where they stand as integers, too.
        """
        self._shape = re.compile(shape)
        self._numbers = {each: pseudonym(str(each)) for each in secrets if isinstance(each, int)}
        self._of: dict[str, str] = {str(each): pseudonym(str(each)) for each in secrets}
        for secret in list(self._of):
            # What was folded or normalised is another text, and shows as another.
            for variant in _variants(secret):
                hidden = self._of.setdefault(variant, pseudonym(variant))
                for rendering in _renderings(variant):
                    self._of.setdefault(rendering, hidden)

    def text(self, text: str) -> str:
        """Hide the secrets in a text."""
        if text in self._of:
            return self._of[text]
        # Thousands of secrets make too slow a pattern; those of one text are few.
        present = [secret for secret in self._of if secret in text]
        if not present:
            return text
        patterns = [(len(secret), _pattern(secret)) for secret in present]
        own = self._shape.search(text)
        if own is not None:
            patterns.append((len(own.group()), f"(?:{self._shape.pattern})"))
        ordered = sorted(patterns, key=lambda each: each[0], reverse=True)
        return re.sub(
            "|".join(pattern for _, pattern in ordered),
            lambda match: self._of.get(match.group(), match.group()),
            text,
        )

    def json(self, value: Any) -> Any:
        """Hide the secrets in JSON, keys included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return self._numbers.get(value, value)
        if isinstance(value, dict):
            return {self.text(key): self.json(member) for key, member in value.items()}
        if isinstance(value, list):
            return [self.json(member) for member in value]
        return value

    def pointer(self, pointer: str, words: Collection[str]) -> str:
        """Hide the secrets in a JSON pointer, all but the words that everybody knows."""
        return join(s if s in words else self.text(s) for s in split(pointer))


def _pattern(secret: str) -> str:
    pattern = re.escape(secret)
    return pattern if len(secret) >= _MIN_INSIDE else rf"(?<![^\W_]){pattern}(?![^\W_])"


def _variants(secret: str) -> Iterator[str]:
    for text in dict.fromkeys((secret, secret.strip(), " ".join(secret.split()))):
        for fold in _FOLDS:
            folded = fold(text)
            yield from filter(None, (folded, *(normalize(form, folded) for form in _FORMS)))


def _renderings(text: str) -> Iterator[str]:
    """Give the forms in which a text stands in error messages, URLs and JSON."""
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield repr(text)[1:-1]
    yield ascii(text)[1:-1]
    yield quote(text)
    yield quote(text, safe="")
    yield quote_plus(text)
