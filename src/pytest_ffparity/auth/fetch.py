"""Fetches the JWKS document, bounded in time and size."""

from __future__ import annotations

import re
from typing import Any, Final, Protocol

import msgspec

from pytest_ffparity.formats import strict_json
from pytest_ffparity.net.client import BodyRefusedError, BoundedClient, Bounds, NoAnswerError

BOUNDS: Final = Bounds(connect=1.0, read=2.0, total=3.0, max_body=64 * 1024)

_OK: Final = 200
_TYPES: Final = frozenset({"application/json", "application/jwk-set+json"})
_MAX_AGE: Final = re.compile(r"(?:^|[\s,])max-age=\"?(\d{1,9})\b", re.ASCII | re.IGNORECASE)


class FetchError(Exception):
    """The endpoint gave no document; the text says why and holds nothing of the answer."""


class Fetched(msgspec.Struct, frozen=True):
    """A JSON document, and for how many seconds its server says it is good."""

    document: Any
    max_age: int | None = None


class JWKSFetch(Protocol):
    """Gets the published key set."""

    async def __call__(self) -> Fetched:
        """Ask the endpoint once.

        Raises:
            FetchError: There is no document.
        """
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


class HTTPFetch:
    """Gets the key set over HTTP: only a direct 200 with JSON counts."""

    def __init__(self, url: str, bounds: Bounds = BOUNDS) -> None:
        self._url = url
        self._client = BoundedClient(url, bounds)

    async def __call__(self) -> Fetched:
        """Ask the endpoint once.

        Raises:
            FetchError: No answer, a status other than 200, or no JSON document.
        """
        try:
            answer = await self._client.send("GET", self._url)
        except (NoAnswerError, BodyRefusedError) as error:
            raise FetchError(str(error)) from None
        if answer.status != _OK:
            raise FetchError(f"status {answer.status}")
        if answer.content_type.partition(";")[0].strip().lower() not in _TYPES:
            raise FetchError("the answer's type is not JSON")
        try:
            document = strict_json.loads(answer.body)
        except strict_json.JSONRefusedError:
            raise FetchError("the answer is not sound JSON") from None
        found = _MAX_AGE.search(answer.cache_control)
        return Fetched(document, int(found[1]) if found else None)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()
