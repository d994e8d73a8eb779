"""One HTTP client whose every exchange is bounded: in time, in size, in what may be in flight."""

from __future__ import annotations

import asyncio
import ssl
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

import httpx
import msgspec

from pytest_ffparity.net.environment import ConfigurationError

_MAX_HEADER_VALUE: Final = 200


class NoAnswerError(Exception):
    """There is no answer: refused, cut off, or not there in time."""


class BodyRefusedError(Exception):
    """A 200 whose body is not read to its end: too large, or compressed."""


class Bounds(msgspec.Struct, frozen=True):
    """Limits of an exchange; seconds, bytes, and exchanges at a time."""

    connect: float
    read: float
    total: float
    max_body: int
    in_flight: int = 1


class Answer(msgspec.Struct, frozen=True):
    """What came back; the body is read for status 200 only, else it is empty."""

    status: int
    content_type: str
    cache_control: str
    body: bytes


def trust_for(url: str, ca_file: str | None = None) -> ssl.SSLContext:
    """Give what TLS trusts when this URL is asked: `ca_file`'s roots, else the public ones.

    Raises:
        ConfigurationError: `ca_file` can't be read, or is no PEM file.
    """
    # A plain loopback URL needs no roots: a context that trusts nobody keeps even a mistaken https
    # from there shut.
    return _trusted(ca_file) if urlsplit(url).scheme == "https" else _nobody()


# Loading roots costs tens of milliseconds; contexts are shared between clients as they are.
@lru_cache(maxsize=8)
def _trusted(ca_file: str | None) -> ssl.SSLContext:
    try:
        context = (
            httpx.create_ssl_context(trust_env=False)
            if ca_file is None
            else ssl.create_default_context(cafile=ca_file)
        )
    except OSError as error:
        raise ConfigurationError(
            f"FF_CA_FILE holds no roots to trust ({type(error).__name__}); name a PEM file"
        ) from None
    # SSLKEYLOGFILE in the environment would have the secrets of every connection written down.
    context.keylog_filename = None  # type: ignore[assignment]
    return context


@lru_cache(maxsize=1)
def _nobody() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class BoundedClient:
    """Asks one server without redirects, proxies, netrc, cookies or decompression.

    It belongs to the event loop that uses it first.

    Args:
        trust: What TLS trusts; see `trust_for`.
        bounds: Limits of every exchange. `total` counts the wait for a free slot too.
    """

    def __init__(self, trust: ssl.SSLContext, bounds: Bounds) -> None:
        self._bounds = bounds
        self._slots = asyncio.Semaphore(bounds.in_flight)
        self._client = httpx.AsyncClient(
            verify=trust,
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(bounds.read, connect=bounds.connect),
            limits=httpx.Limits(max_connections=bounds.in_flight),
            headers={"Accept-Encoding": "identity", "Accept": "application/json, */*;q=0.1"},
        )

    async def send(
        self, method: str, url: str, content: bytes | None = None, **headers: str
    ) -> Answer:
        """Make one exchange; `content` is JSON text, `headers` are named with `_` for `-`.

        Raises:
            NoAnswerError: Whatever kept the answer away; its text holds no URL and no body.
            BodyRefusedError: Status 200 with a body over `max_body`, or one that is encoded.
        """
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if content is not None:
            sent["Content-Type"] = "application/json"
        try:
            # httpx's own time-outs are for each read: a server that drips defeats them.
            async with (
                asyncio.timeout(self._bounds.total),
                self._slots,
                self._client.stream(method, url, content=content, headers=sent) as response,
            ):
                return await self._answer(response)
        except BodyRefusedError:
            raise
        except TimeoutError:
            raise NoAnswerError(f"no answer within {self._bounds.total:g} s") from None
        except Exception as error:
            # Not only httpx.HTTPError: bad hosts and torn sockets come as they please.
            raise NoAnswerError(f"no answer: {type(error).__name__}") from error

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _answer(self, response: httpx.Response) -> Answer:
        ok = response.status_code == httpx.codes.OK
        return Answer(
            status=response.status_code,
            content_type=response.headers.get("content-type", "")[:_MAX_HEADER_VALUE],
            cache_control=response.headers.get("cache-control", "")[:_MAX_HEADER_VALUE],
            body=await self._body(response) if ok else b"",
        )

    async def _body(self, response: httpx.Response) -> bytes:
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise BodyRefusedError("the body is compressed")
        body = bytearray()
        # A chunk size would make httpx buffer, and the total deadline would be seen late.
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > self._bounds.max_body:
                raise BodyRefusedError(f"the body is over {self._bounds.max_body} bytes")
        return bytes(body)
