from __future__ import annotations

import asyncio
import socket

import pytest

from pytest_ffparity.backing.dsn import DatabaseUnreachableError, connect, shown, with_database
from pytest_ffparity.backing.embedded import Server

HIDDEN = "s3cr3t"


@pytest.mark.parametrize(
    ("dsn", "seen"),
    [
        ("postgresql://u:s3cr3t@h:5432/db", "postgresql://u:***@h:5432/db"),
        ("postgres://u@h/db?password=s3cr3t", "postgres://u@h/db?password=***"),
        (
            "postgresql://h/db?sslmode=require&PassWord=s3cr3t",
            "postgresql://h/db?sslmode=require&PassWord=***",
        ),
        (
            "postgresql:///db?host=/tmp/x&sslpassword=s3cr3t",
            "postgresql:///db?host=/tmp/x&sslpassword=***",
        ),
        ("postgresql://u:a@s3cr3t@h/db", "postgresql://u:***@h/db"),
        ("postgresql://u:@h1:1,h2:2/db", "postgresql://u:***@h1:1,h2:2/db"),
        ("postgresql://u@[::1]:5432/db", "postgresql://u@[::1]:5432/db"),
    ],
)
def test_a_dsn_is_shown_without_its_secrets(dsn: str, seen: str) -> None:
    assert shown(dsn) == seen


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://u:12/s3cr3t@h/db",
        "postgresql://u:x?s3cr3t@h/db",
        "postgresql://u:1#s3cr3t@h/db",
        "postgresql://h/db?password=a@s3cr3t",
        "host=h password=s3cr3t",
        "s3cr3t",
        "mysql://u:s3cr3t@h/db",
    ],
)
def test_a_dsn_that_cannot_be_taken_apart_is_not_shown_at_all(dsn: str) -> None:
    assert shown(dsn) == "postgresql://***"


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://u:s3cr3t@127.0.0.1:{port}/db",
        "postgresql://127.0.0.1:{port}/db?user=u&password=s3cr3t",
        "postgresql://u:12/s3cr3t@h/db",
        "postgresql://u:ab/s3cr3t@h/db",
        "postgresql://u:s3cr3t@h:port/db",
        "http://u:s3cr3t@127.0.0.1/db",
    ],
)
def test_a_database_that_cannot_be_reached_is_an_error_without_the_password(dsn: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refused
        with pytest.raises(DatabaseUnreachableError) as caught:
            asyncio.run(connect(dsn.format(port=taken.getsockname()[1])))
    assert HIDDEN not in str(caught.value)
    assert "FFPARITY_DSN" in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_database_that_is_not_there_is_an_error_with_its_cause(server: Server) -> None:
    with pytest.raises(DatabaseUnreachableError, match='database "nowhere" does not exist'):
        asyncio.run(connect(with_database(server.dsn, "nowhere")))


@pytest.mark.parametrize(
    ("dsn", "expected"),
    [
        ("postgresql://u:p@h:1/db", "postgresql://u:p@h:1/new"),
        ("postgresql://u@h", "postgresql://u@h/new"),
        ("postgresql://u@h?sslmode=disable", "postgresql://u@h/new?sslmode=disable"),
        ("postgresql:///db?host=/tmp/x", "postgresql:///new?host=/tmp/x"),
    ],
)
def test_a_dsn_is_pointed_at_another_database(dsn: str, expected: str) -> None:
    assert with_database(dsn, "new") == expected
