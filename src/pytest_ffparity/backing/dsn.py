"""DSNs: shown without their secrets, pointed at another database, connected to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import asyncpg

from pytest_ffparity.errors import FFParityError

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    # Generic in the stubs only.
    AnyConnection = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]

_CONNECT_SECONDS: Final = 10.0
_FORM: Final = re.compile(
    r"(?P<scheme>postgres(?:ql)?://)"
    r"(?:(?P<user>[^:/?#@]*)(?P<password>:[^/?#]*)?@)?"
    r"(?P<hosts>(?:(?:\[[^\]/?#@]*\]|[^:/?#@,\[\]]*)(?::\d*)?,?)*)"
    r"(?P<database>/[^?#@]*)?"
    r"(?:\?(?P<query>[^#@]*))?"
)
_HARMLESS: Final = frozenset({"host", "port", "user", "dbname", "database", "sslmode"})


class DatabaseUnreachableError(FFParityError):
    """A database that can't be connected to; the message hides the password."""

    def __init__(self, dsn: str, cause: str) -> None:
        super().__init__(
            f"the database {shown(dsn)} can't be reached: {cause}. Check that the server runs and "
            "that the DSN (--ffparity-dsn or FFPARITY_DSN) names its host, port, user, password "
            "and database; without a DSN the embedded server is used"
        )


def shown(dsn: str) -> str:
    """Give a DSN as a message may show it: no password, no setting that could be a secret."""
    found = _FORM.fullmatch(dsn)
    if found is None:
        # A secret could stand anywhere in what can't be taken apart.
        return "postgresql://***"
    user = found["user"]
    secret = "" if found["password"] is None else ":***"
    login = "" if user is None else f"{user}{secret}@"
    settings = (
        "" if found["query"] is None else "?" + "&".join(map(_setting, found["query"].split("&")))
    )
    return f"{found['scheme']}{login}{found['hosts']}{found['database'] or ''}{settings}"


def with_database(dsn: str, database: str) -> str:
    """Point a DSN that has been connected to at another database of its server."""
    head, mark, query = dsn.partition("?")
    scheme, _, rest = head.partition("://")
    # The path of a DSN wins over a `dbname` in its query.
    return f"{scheme}://{rest.partition('/')[0]}/{quote(database, safe='')}{mark}{query}"


async def connect(dsn: str, **settings: Any) -> asyncpg.Connection[asyncpg.Record]:
    """Open one connection, with any further settings that `asyncpg.connect` takes.

    Raises:
        DatabaseUnreachableError: There is no server, or it refuses.
    """
    try:
        return await asyncpg.connect(dsn, timeout=_CONNECT_SECONDS, **settings)
    except TimeoutError:
        raise DatabaseUnreachableError(dsn, f"no answer within {_CONNECT_SECONDS:g} s") from None
    except (OSError, asyncpg.PostgresError) as error:
        raise DatabaseUnreachableError(
            dsn, str(error).rstrip(".") or type(error).__name__
        ) from None
    except (ValueError, asyncpg.InterfaceError):
        # The text of these can quote a part of the DSN, and with it of the password.
        raise DatabaseUnreachableError(
            dsn, "the DSN can't be read; expected postgresql://user:password@host:port/database"
        ) from None
    except Exception as error:  # noqa: BLE001 - the driver trusts what answers to be a PostgreSQL
        raise DatabaseUnreachableError(
            dsn, f"what answers there is no PostgreSQL ({type(error).__name__})"
        ) from None


def _setting(text: str) -> str:
    name, mark, _ = text.partition("=")
    if name in _HARMLESS:
        return text
    return f"{name}=***" if mark else "***"
