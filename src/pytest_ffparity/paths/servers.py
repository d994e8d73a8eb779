"""The world's servers: a JWKS endpoint and an Admin endpoint, real ones, or really not there."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any, ClassVar, Final

from pytest_ffparity.formats import strict_json
from pytest_ffparity.paths.http_server import LOOPBACK, JSONServer

_JWKS_PATH: Final = "/.well-known/jwks.json"
_CHECK_PATH: Final = "/v1/sensitive.check.2b"
_NOT_THERE: Final = (404, {"error": "not_found"})
_ANSWER_KEYS: Final = (
    *("approval_ref", "flag_key", "tenant_id", "valid_from", "expires_at", "revoked_at"),
)


class _JWKSServer(JSONServer):
    content_type: ClassVar[str] = "application/jwk-set+json"

    def __init__(self, document: Any) -> None:
        self._document = document
        super().__init__()

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        del body
        return (200, self._document) if (method, path) == ("GET", _JWKS_PATH) else _NOT_THERE


class _AdminServer(JSONServer):
    def __init__(self, approvals: Sequence[dict[str, Any]]) -> None:
        self._approvals = {record["approval_ref"]: record for record in approvals}
        super().__init__()

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        if (method, path) != ("POST", _CHECK_PATH):
            return _NOT_THERE
        try:
            record = self._approvals.get(strict_json.loads(body)["approval_ref"])
        except (strict_json.JSONRefusedError, LookupError, TypeError):
            return 400, {"error": "bad_request"}
        found = record is not None
        return 200, {"found": found, **{key: (record or {}).get(key) for key in _ANSWER_KEYS}}


class _NoServer:
    """A port that is held and not listened to: every connection is refused."""

    requests = 0

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.bind((LOOPBACK, 0))
        self.url = f"http://{LOOPBACK}:{self._socket.getsockname()[1]}"

    def close(self) -> None:
        self._socket.close()


class WorldServers:
    """The servers of one world.

    Args:
        jwks: The published key set; None for an endpoint that can't be reached.
        approvals: Admin's records, served as they are written; None for an Admin that can't be
            reached.
    """

    def __init__(
        self, *, jwks: dict[str, Any] | None, approvals: Sequence[dict[str, Any]] | None
    ) -> None:
        self._jwks = _NoServer() if jwks is None else _JWKSServer(jwks)
        self._admin = _NoServer() if approvals is None else _AdminServer(approvals)
        self.jwks_url = self._jwks.url + _JWKS_PATH
        self.admin_url = self._admin.url

    @property
    def jwks_requests(self) -> int:
        """How often the key set was asked for."""
        return self._jwks.requests

    @property
    def admin_requests(self) -> int:
        """How often Admin was asked."""
        return self._admin.requests

    def close(self) -> None:
        """Stop both; idempotent."""
        self._jwks.close()
        self._admin.close()
