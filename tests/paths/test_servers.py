from __future__ import annotations

import http.client
import json
import socket
import threading
from typing import Any
from urllib.parse import urlsplit

import pytest

from pytest_ffparity.paths.servers import WorldServers

JWKS: dict[str, Any] = {"keys": [{"kid": "k1"}]}


def connect(url: str) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)


def exchange(
    connection: http.client.HTTPConnection, method: str, path: str, body: str | None = None
) -> tuple[int, str | None, Any]:
    connection.request(method, path, body)
    response = connection.getresponse()
    return response.status, response.getheader("Content-Type"), json.loads(response.read())


def test_the_key_set_is_served_and_counted_on_a_kept_connection() -> None:
    servers = WorldServers(jwks=JWKS, approvals=[])
    connection = connect(servers.jwks_url)
    for asked in (1, 2, 3):
        answer = exchange(connection, "GET", urlsplit(servers.jwks_url).path)
        assert answer == (200, "application/jwk-set+json", JWKS)
        assert servers.jwks_requests == asked
    assert exchange(connection, "GET", "/other")[0] == 404
    assert servers.admin_requests == 0
    connection.close()
    servers.close()


def test_admin_serves_its_records_as_they_are_written() -> None:
    record = {"approval_ref": "A", "flag_key": "f", "tenant_id": "t", "valid_from": None}
    record["expires_at"] = "2026-05-01T07:00:00+07:00"
    servers = WorldServers(jwks=None, approvals=[record])
    connection = connect(servers.admin_url)
    path = "/v1/sensitive.check.2b"
    status, _, found = exchange(connection, "POST", path, '{"approval_ref":"A"}')
    assert (status, found) == (200, {"found": True, **record, "revoked_at": None})
    _, _, unknown = exchange(connection, "POST", path, '{"approval_ref":"B"}')
    assert unknown == {**dict.fromkeys(found), "found": False}
    for bad in ("", "[]", "{}", '{"approval_ref":{}}'):
        assert exchange(connection, "POST", path, bad)[0] == 400
    connection.close()
    servers.close()


def test_a_server_that_is_not_there_refuses_connections() -> None:
    servers = WorldServers(jwks=None, approvals=None)
    for url in (servers.jwks_url, servers.admin_url):
        with pytest.raises(ConnectionRefusedError):
            connect(url).connect()
    assert (servers.jwks_requests, servers.admin_requests) == (0, 0)
    servers.close()


def test_closing_ends_kept_connections_and_threads_and_may_be_repeated() -> None:
    before = threading.active_count()
    servers = WorldServers(jwks=JWKS, approvals=[])
    idle = socket.create_connection(("127.0.0.1", urlsplit(servers.admin_url).port or 0))
    kept = connect(servers.jwks_url)
    exchange(kept, "GET", urlsplit(servers.jwks_url).path)
    servers.close()
    servers.close()
    assert threading.active_count() == before
    assert idle.recv(1) == b""
    idle.close()
    kept.close()
    with pytest.raises(ConnectionRefusedError):
        connect(servers.jwks_url).connect()


def test_many_pairs_come_and_go() -> None:
    before = threading.active_count()
    for _ in range(50):
        WorldServers(jwks=JWKS, approvals=[]).close()
    assert threading.active_count() == before
