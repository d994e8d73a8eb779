"""Fetches the JWKS document, bounded in time and size."""

from __future__ import annotations

import re
from typing import Any, Final, Protocol

import msgspec

from pytest_ffparity.auth.json_object import read_object
from pytest_ffparity.net.client import (
    BodyRefusedError,
    BoundedClient,
    Bounds,
    NoAnswerError,
    trust_for,
)

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
        """Ask the endpoint once, in an event loop of any thread.

        Raises:
            FetchError: There is no document.
        """
        ...


class HTTPFetch:
    """Gets the key set over HTTP: only a direct 200 with a JSON object counts.

    Raises:
        ConfigurationError: `ca_file` holds no roots.
    """

    def __init__(self, url: str, *, ca_file: str | None = None, bounds: Bounds = BOUNDS) -> None:
        self._url = url
        self._trust = trust_for(url, ca_file)
        self._bounds = bounds

    async def __call__(self) -> Fetched:
        """Ask the endpoint once.

        Raises:
            FetchError: No answer, a status other than 200, or no JSON object.
        """
        # A connection is of no use for the five minutes until the next fetch, in another thread.
        client = BoundedClient(self._trust, self._bounds)
        try:
            answer = await client.send("GET", self._url)
        except (NoAnswerError, BodyRefusedError) as error:
            raise FetchError(str(error)) from None
        finally:
            await client.aclose()
        if answer.status != _OK:
            raise FetchError(f"status {answer.status}")
        if answer.content_type.partition(";")[0].strip().lower() not in _TYPES:
            raise FetchError("the answer's type is not JSON")
        try:
            document = read_object(answer.body)
        except ValueError:
            raise FetchError("the answer is no sound JSON object") from None
        found = _MAX_AGE.search(answer.cache_control)
        return Fetched(document, int(found[1]) if found else None)
