"""What happens to the PostgreSQL server, to the way there, and to what is stored."""

from __future__ import annotations

from typing import Any, Final

from tests.faults.cluster import PASSWORD, SERVICE
from tests.faults.db_breaks import (
    Broken,
    aborted,
    first_stopped,
    killed,
    locked,
    overwritten,
    renamed,
    shut_down,
    slots_taken,
    socket_gone,
    socket_taken,
    spoiled,
    sql,
    stopped,
    terminated,
)
from tests.faults.fault import BOTH, Fault
from tests.faults.world import (
    APPROVED,
    BY_TENANT,
    BY_USER,
    PLAIN,
    RIGHT,
    TENANT,
    UNAPPROVED,
    UNAVAILABLE,
    USER,
    End,
)

_DB: Final = ("db",)
# The default of the service: for faults of time.
_DEFAULT_TIMEOUT: Final = 0.2
_INTERNAL: Final = End("lookup", "internal_error")
_CORRUPT: Final = End("lookup", "record_invalid")
_CORRUPT_USER: Final = End("user_override", "record_invalid")
_CORRUPT_TENANT: Final = End("tenant_override", "record_invalid")
_SLOW_VIEW: Final = (
    "ALTER TABLE ff.flag_registry RENAME TO hidden",
    "CREATE VIEW ff.flag_registry AS SELECT hidden.* FROM ff.hidden, LATERAL pg_sleep(30)",
    f"GRANT SELECT ON ff.flag_registry TO {SERVICE}",
)
_FAST_TABLE: Final = ("DROP VIEW ff.flag_registry", "ALTER TABLE ff.hidden RENAME TO flag_registry")
_ON_USER: Final = f"user_id = '{USER}' AND tenant_id = '{TENANT}'"
_TYPES: Final = "ALTER TABLE ff.flag_registry ALTER enabled TYPE {0} USING enabled::text::{0}"


def _outage(name: str, what: str, broken: Broken, **more: Any) -> Fault:
    given = {"rest": (UNAVAILABLE,), "alarm": True, "deadline": _DEFAULT_TIMEOUT, **more}
    return Fault(id=f"db-{name}", what=what, broken=broken, paths=_DB, **given)


_OUTAGES: Final = [
    _outage("killed", "the server is killed and started again", killed),
    _outage("killed-at-start", "the server is down when the service starts", killed, at_start=True),
    _outage("shut-down", "the server is shut down and started again", shut_down),
    _outage("stopped", "the server's processes are stopped (SIGSTOP)", stopped),
    _outage("accepts-nobody", "the server takes connections in no more", first_stopped),
    _outage("locked", "a lock is held on the registry", locked("flag_registry")),
    _outage("overrides-locked", "a lock is held on the user overrides", locked("user_override")),
    _outage(
        "slow-view", "the registry is a view with pg_sleep", sql(*_SLOW_VIEW, back=_FAST_TABLE)
    ),
    _outage("slots-taken", "other clients hold all connections", slots_taken),
    _outage(
        "connection-limit",
        "the role may have no connection",
        sql(
            f"ALTER ROLE {SERVICE} CONNECTION LIMIT 0",
            back=f"ALTER ROLE {SERVICE} CONNECTION LIMIT -1",
            cut=True,
        ),
    ),
    _outage(
        "password-changed",
        "the role's password is another",
        sql(
            f"ALTER ROLE {SERVICE} PASSWORD 'second'",
            back=f"ALTER ROLE {SERVICE} PASSWORD '{PASSWORD}'",
            cut=True,
        ),
    ),
    _outage(
        "login-revoked",
        "the role may not log in",
        sql(f"ALTER ROLE {SERVICE} NOLOGIN", back=f"ALTER ROLE {SERVICE} LOGIN", cut=True),
    ),
    _outage("renamed", "the database has another name", renamed),
    _outage("socket-gone", "the server's socket is gone", socket_gone),
    _outage("mute", "what listens there says nothing", socket_taken(None)),
    _outage(
        "no-postgres",
        "what listens there is no PostgreSQL",
        socket_taken(b"HTTP/1.1 400 Bad\r\n\r\n"),
    ),
    _outage(
        "table-missing",
        "the registry's table is gone",
        sql(
            "ALTER TABLE ff.flag_registry RENAME TO hidden",
            back="ALTER TABLE ff.hidden RENAME TO flag_registry",
        ),
    ),
    _outage(
        "overrides-missing",
        "the user overrides' table is gone",
        sql(
            "ALTER TABLE ff.user_override RENAME TO hidden",
            back="ALTER TABLE ff.hidden RENAME TO user_override",
        ),
    ),
    _outage(
        "schema-missing",
        "the schema is gone",
        sql("ALTER SCHEMA ff RENAME TO hidden", back="ALTER SCHEMA hidden RENAME TO ff"),
    ),
    _outage(
        "schema-missing-at-start",
        "the schema is gone, from the start",
        sql("ALTER SCHEMA ff RENAME TO hidden", back="ALTER SCHEMA hidden RENAME TO ff"),
        at_start=True,
    ),
    # Sessions that are gone are missed by whoever meets them, and replaced at once.
    _outage(
        "terminated", "all sessions are ended", terminated, rest=(RIGHT, UNAVAILABLE), alarm=None
    ),
    _outage(
        "backend-killed", "a backend is killed", aborted, rest=(RIGHT, UNAVAILABLE), alarm=None
    ),
]


def _defect(name: str, what: str, broken: Broken, **more: Any) -> Fault:
    return Fault(id=f"db-{name}", what=what, broken=broken, paths=_DB, keeps_tables=False, **more)


_DEFECTS: Final = [
    _defect(
        "column-missing",
        "a column is gone",
        sql(
            "ALTER TABLE ff.flag_registry RENAME rollout TO hidden",
            back="ALTER TABLE ff.flag_registry RENAME hidden TO rollout",
        ),
        rest=(_INTERNAL,),
    ),
    _defect(
        "privilege-revoked",
        "the role may not read the registry",
        sql(
            f"REVOKE SELECT ON ff.flag_registry FROM {SERVICE}",
            back=f"GRANT SELECT ON ff.flag_registry TO {SERVICE}",
        ),
        rest=(_INTERNAL,),
    ),
]


_EVERY_FLAG: Final = dict.fromkeys((PLAIN, BY_TENANT, BY_USER, APPROVED, UNAPPROVED), (_CORRUPT,))
_BOTH_USERS: Final = dict.fromkeys((BY_USER, APPROVED), (_CORRUPT_USER,))
_SENSITIVE: Final = dict.fromkeys((APPROVED, UNAPPROVED), (_CORRUPT,))
_ONE_FLAG: Final = "flag_key = '{}'"


_RECORDS: Final = [
    _defect(
        "type-changed",
        "a boolean column is text",
        sql(_TYPES.format("text"), back=_TYPES.format("boolean")),
        ends=_EVERY_FLAG,
    ),
    _defect(
        "type-changed-to-list",
        "a boolean column is a list",
        sql(
            "ALTER TABLE ff.flag_registry ALTER enabled TYPE text[] USING ARRAY[enabled::text]",
            back="ALTER TABLE ff.flag_registry ALTER enabled TYPE boolean USING enabled[1]::boolean",
        ),
        ends=_EVERY_FLAG,
    ),
    _defect(
        "instant-changed-to-text",
        "an instant column is text",
        sql(
            "ALTER TABLE ff.user_override DROP CONSTRAINT user_override_expires_at_check",
            "ALTER TABLE ff.user_override ALTER expires_at TYPE text USING expires_at::text",
            back="ALTER TABLE ff.user_override ALTER expires_at TYPE timestamptz USING expires_at::timestamptz",
        ),
        ends=_BOTH_USERS,
    ),
    _defect(
        "instant-without-zone",
        "an instant column has no time zone",
        sql(
            "ALTER TABLE ff.user_override DROP CONSTRAINT user_override_expires_at_check",
            "ALTER TABLE ff.user_override ALTER expires_at TYPE timestamp",
            back="ALTER TABLE ff.user_override ALTER expires_at TYPE timestamptz",
        ),
        ends=_BOTH_USERS,
    ),
    _defect(
        "value-no-json",
        "a value is text that is no JSON",
        sql(
            "ALTER TABLE ff.flag_registry ALTER default_value TYPE text",
            "UPDATE ff.flag_registry SET default_value = '{half' WHERE flag_key = 'ff.plain'",
            back=(
                "UPDATE ff.flag_registry SET default_value = '\"default\"'",
                "ALTER TABLE ff.flag_registry ALTER default_value TYPE json USING default_value::json",
            ),
        ),
        ends={PLAIN: (_CORRUPT,)},
    ),
    _defect(
        "value-null",
        "NULL for a value",
        spoiled("flag_registry", "default_value = NULL", _ONE_FLAG.format("ff.plain")),
        ends={PLAIN: (_CORRUPT,)},
    ),
    _defect(
        "sensitive-null",
        "NULL for whether a flag is sensitive",
        spoiled("flag_registry", "sensitive = NULL", _ONE_FLAG.format("ff.sensitive")),
        ends=_SENSITIVE,
    ),
    _defect(
        "sensitive-cleared",
        "a flag made not sensitive by hand",
        spoiled("flag_registry", "sensitive = false", _ONE_FLAG.format("ff.sensitive")),
        ends=_SENSITIVE,
    ),
    _defect(
        "hash-null",
        "NULL for a record's hash",
        spoiled("flag_registry", "flag_version = NULL", "true"),
        ends=_EVERY_FLAG,
    ),
    _defect(
        "override-value-null",
        "NULL for a user override's value",
        spoiled("user_override", "value = NULL", _ON_USER),
        ends=_BOTH_USERS,
    ),
    _defect(
        "override-version-null",
        "NULL for a user override's version",
        spoiled("user_override", "version = NULL", _ON_USER),
        ends=_BOTH_USERS,
    ),
    _defect(
        "tenant-version-null",
        "NULL for a tenant override's version",
        spoiled("tenant_override", "version = NULL", "true"),
        ends={BY_TENANT: (_CORRUPT_TENANT,)},
    ),
    _defect(
        "override-version-0",
        "0 for a user override's version",
        spoiled("user_override", "version = 0", _ON_USER),
        ends=_BOTH_USERS,
    ),
    _defect(
        "key-twice",
        "a user override is there twice",
        sql(
            "ALTER TABLE ff.user_override DROP CONSTRAINT user_override_pkey",
            "INSERT INTO ff.user_override SELECT flag_key, tenant_id, user_id, '\"other\"', "
            "expires_at, 7 FROM ff.user_override",
            back="DELETE FROM ff.user_override WHERE version = 7",
        ),
        ends={BY_USER: (_CORRUPT,), **_SENSITIVE},
    ),
]
_ON_EITHER: Final = [
    Fault(
        id="value-of-other-type",
        what="a flag's value is not of its type",
        broken=overwritten(("ff.plain",), [1], "default"),
        ends={PLAIN: (_CORRUPT,)},
        paths=BOTH,
    ),
    Fault(
        id="sensitive-value-of-other-type",
        what="a sensitive flag's value is not of its type",
        broken=overwritten(("ff.sensitive",), None, "default"),
        ends=_SENSITIVE,
        paths=BOTH,
    ),
    Fault(
        id="tenant-value-of-other-type",
        what="a tenant override's value is not of its flag's type",
        broken=overwritten(("ff.tenant", TENANT), 1.0, "tenant"),
        ends={BY_TENANT: (_CORRUPT_TENANT,)},
        paths=BOTH,
    ),
    Fault(
        id="user-value-of-other-type",
        what="a user override's value is not of its flag's type",
        broken=overwritten(("ff.user", TENANT, USER), {}, "user"),
        ends={BY_USER: (_CORRUPT_USER,)},
        paths=BOTH,
    ),
    Fault(
        id="sensitive-override-of-other-type",
        what="a sensitive flag's user override is not of its type",
        broken=overwritten(("ff.sensitive", TENANT, USER), False, "user"),
        ends={APPROVED: (_CORRUPT_USER,)},
        paths=BOTH,
    ),
]
DB_FAULTS: Final = [*_OUTAGES, *_DEFECTS, *_RECORDS, *_ON_EITHER]
