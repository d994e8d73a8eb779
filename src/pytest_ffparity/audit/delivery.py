"""Brings envelopes from an outbox to Admin's sink: in order, at least once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from pytest_ffparity.audit.envelope import TrailError
from pytest_ffparity.audit.outbox import Outbox
from pytest_ffparity.formats.strict_json import canonical
from pytest_ffparity.logs import logger
from pytest_ffparity.net.client import (
    BodyRefusedError,
    BoundedClient,
    Bounds,
    NoAnswerError,
    trust_for,
)
from pytest_ffparity.net.urls import required_url

_TAKEN: Final = frozenset({200, 201, 202, 204})
_BATCH: Final = 50
_MAX_BODY: Final = 16 * 1024

_log = logger(__name__)


class SinkSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where Admin's sink is; times in seconds.

    `timeout` is for one envelope, `idle` the pause when nothing waits; after a failure the pause
    doubles from `idle` up to `longest_pause`.
    """

    admin_url: str
    ca_file: str | None = None
    timeout: float = 2.0
    idle: float = 1.0
    longest_pause: float = 30.0

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> SinkSettings:
        """Read FF_ADMIN_URL, FF_CA_FILE and FF_ENV.

        Raises:
            ConfigurationError: The URL is missing or unsafe; the message says what to set.
        """
        return cls(
            admin_url=required_url(env, "FF_ADMIN_URL"), ca_file=env.get("FF_CA_FILE") or None
        )


class Delivery:
    """Delivers one outbox; where several run, on any machine, one delivers and the others wait.

    An envelope is sent with its hash as `Idempotency-Key`, and again until the sink answers 200,
    201, 202 or 204; the next one waits for that. What the sink took while the answer was lost, or
    the service died, comes twice, with the same key.

    Args:
        outbox: What waits.
        settings: Where to.
    """

    def __init__(self, outbox: Outbox, settings: SinkSettings) -> None:
        self._outbox = outbox
        self._settings = settings
        self._url = f"{settings.admin_url}/v1/admin.audit"
        self._client = BoundedClient(
            trust_for(settings.admin_url, settings.ca_file),
            Bounds(
                connect=settings.timeout,
                read=settings.timeout,
                total=settings.timeout,
                max_body=_MAX_BODY,
            ),
        )

    async def drain(self) -> bool:
        """Deliver what waits; False: the sink did not take it all, or somebody else delivers.

        Raises:
            TrailError: The outbox can't be read.
        """
        async with self._outbox.turn() as mine:
            while mine:
                waiting = await self._outbox.pending(_BATCH)
                for document in waiting:
                    if not await self._taken(document):
                        return False
                    await self._outbox.delivered(document)
                if len(waiting) < _BATCH:
                    return True
        return False

    async def run(self) -> None:
        """Deliver until cancelled; whatever fails is tried again after a pause."""
        pause = self._settings.idle
        while True:
            try:
                done = await self.drain()
            except Exception as error:  # noqa: BLE001 - the outbox may be down as well
                why = str(error) if isinstance(error, TrailError) else type(error).__name__
                _log.warning("audit.outbox_unreadable", why=why)
                done = False
            longer = min(2 * pause, self._settings.longest_pause)
            pause = self._settings.idle if done else longer
            await asyncio.sleep(pause)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _taken(self, document: dict[str, Any]) -> bool:
        # The store's own number means nothing to anybody else.
        sent = {name: member for name, member in document.items() if name != "id"}
        key = document["envelope"]["hash"]
        try:
            answer = await self._client.send(
                "POST", self._url, canonical(sent).encode("utf-8"), Idempotency_Key=key
            )
        except (NoAnswerError, BodyRefusedError) as error:
            _log.warning("audit.not_delivered", seq=document["envelope"]["seq"], why=str(error))
            return False
        if answer.status not in _TAKEN:
            _log.warning(
                "audit.not_delivered", seq=document["envelope"]["seq"], status=answer.status
            )
            return False
        return True
