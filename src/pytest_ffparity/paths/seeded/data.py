"""Faults of the data: what a copy from one store to another loses, cuts or rewrites."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_ffparity.paths.seeded.fault import Fault, storing


def _fault(
    name: str, why: str, rows: str, probe: str, *statements: str, hashed: bool = True
) -> Fault:
    return Fault(
        name=name,
        level="data",
        why=why,
        rows=tuple(rows.split()),
        probes=(probe,),
        seed=storing(*statements, hashed=hashed),
    )


def _of(flag_key: str, change: str) -> str:
    return f"UPDATE {{ff}}.flag_registry SET {change} WHERE flag_key = '{flag_key}'"


def _user(user: str, change: str) -> str:
    return f"UPDATE {{ff}}.user_override SET {change} WHERE user_id = '{user}'"


def faults() -> Iterator[Fault]:
    """Give the faults of the data level, made in the real tables."""
    yield _fault(
        "flag-lost",
        "A row was not copied",
        "PV-01 PV-02 PV-06 PV-07",
        "default",
        "DELETE FROM {ff}.flag_registry WHERE flag_key = 'b.plain'",
    )
    yield _fault(
        "user-override-lost",
        "One user's row was not copied",
        "PV-01 PV-02 PV-04",
        "user",
        "DELETE FROM {ff}.user_override WHERE flag_key = 'm.both'",
    )
    yield _fault(
        "tenant-override-lost",
        "A tenant's row was not copied",
        "PV-01 PV-02 PV-04",
        "tenant",
        "DELETE FROM {ff}.tenant_override WHERE flag_key = 'm.tenant'",
    )
    yield _fault(
        "override-of-another-tenant",
        "Rows were joined by the user alone",
        "PV-01 PV-02 PV-04",
        "case",
        "UPDATE {ff}.user_override SET tenant_id = 'T-pty-pilot-01' "
        "WHERE flag_key = 'm.ids' AND tenant_id = 'T-other'",
    )
    yield _fault(
        "expiry-cut-to-seconds",
        "A column holds no microseconds",
        "PV-01 PV-02",
        "expires-next",
        _user("after", "expires_at = date_trunc('second', expires_at)"),
    )
    yield _fault(
        "expiry-an-hour-early",
        "Local time was taken for UTC",
        "PV-01 PV-02",
        "half-hour",
        "UPDATE {ff}.user_override SET expires_at = expires_at - interval '1 hour'",
    )
    yield _fault(
        "expiry-lost",
        "A bound was not copied",
        "PV-01 PV-02",
        "expired",
        _user("before", "expires_at = NULL"),
    )
    yield _fault(
        "expiry-from-null",
        "No bound became a bound in the past",
        "PV-01 PV-02",
        "never",
        _user("never", "expires_at = 'epoch'"),
    )
    yield _fault(
        "id-folded",
        "Ids were folded to lower case",
        "PV-01 PV-02",
        "user",
        _user("U1001", "user_id = 'u1001'") + " AND flag_key = 'm.both'",
    )
    yield _fault(
        "id-upper",
        "Ids were folded to upper case",
        "PV-01 PV-02",
        "case",
        _user("u1001", "user_id = upper(user_id)"),
    )
    yield _fault(
        "id-trimmed",
        "Blanks at the end were trimmed",
        "PV-01 PV-02",
        "blank",
        _user("blank ", "user_id = rtrim(user_id)"),
    )
    yield _fault(
        "id-nfc",
        "Ids were normalised to NFC",
        "PV-01 PV-02",
        "nfd",
        _user("jose\u0301", "user_id = normalize(user_id, NFC)"),
    )
    yield _fault(
        "id-nfc-meets-another",
        "An id in NFC gets what is stored in NFD",
        "PV-01 PV-02",
        "nfc",
        _user("jose\u0301", "user_id = normalize(user_id, NFC)"),
    )
    yield _fault(
        "id-not-ascii-lost",
        "Ids that are not ASCII became question marks",
        "PV-01 PV-02",
        "name",
        _user("\u674e\u96f7", "user_id = '??'"),
    )
    yield _fault(
        "number-through-jsonb",
        "jsonb writes 1e22 as an integer",
        "PV-01",
        "exponent",
        _of("n.exp", "default_value = default_value::jsonb::json"),
    )
    yield _fault(
        "minus-zero-through-jsonb",
        "jsonb loses the sign of zero",
        "PV-01",
        "negative-zero",
        _of("n.zero", "default_value = default_value::jsonb::json"),
    )
    yield _fault(
        "number-through-double",
        "An integer beyond 2^53 went through a double",
        "PV-01",
        "big",
        _of("n.big", "default_value = '9007199254740992'"),
    )
    yield _fault(
        "float-as-integer",
        "A whole float was copied as an integer",
        "PV-01",
        "float",
        _of("n.float", "default_value = '1'"),
    )
    yield _fault(
        "text-nfc",
        "Values were normalised to NFC",
        "PV-01",
        "text",
        _of("t.text", "default_value = to_json(normalize(default_value #>> '{}', NFC))"),
    )
    yield _fault(
        "text-trimmed",
        "Blanks at the end of a value were trimmed",
        "PV-01",
        "text",
        _of("t.text", "default_value = to_json(rtrim(default_value #>> '{}'))"),
    )
    yield _fault(
        "empty-text-as-null",
        "Empty text became null",
        "PV-01 PV-02",
        "empty-text",
        _of("t.empty", "default_value = 'null'"),
    )
    yield _fault(
        "null-member-lost",
        "Nulls inside a value were stripped",
        "PV-01",
        "object",
        _of("o.nested", """default_value = '{"b":1,"a":[1.0,""," x "]}'"""),
    )
    yield _fault(
        "switched-on",
        "A flag that is off was copied as on",
        "PV-01 PV-02",
        "off",
        _of("k.off", "enabled = true"),
    )
    yield _fault(
        "off-value-lost",
        "The off value was not copied",
        "PV-01",
        "off",
        _of("k.off", "off_value = safe_value"),
    )
    yield _fault(
        "not-sensitive-any-more",
        "The mark of a sensitive flag was lost",
        "PV-01 PV-02 PV-05",
        "approval-missing",
        _of("s.open", "sensitive = false"),
    )
    yield _fault(
        "rollout-lost",
        "A rollout was not copied",
        "PV-01 PV-02",
        "rollout-in",
        _of("ff.x", "rollout = NULL"),
    )
    yield _fault(
        "version-of-the-day-before",
        "The record's version was not made anew",
        "PV-07",
        "default",
        _of("b.plain", "flag_version = '0000000000000000'"),
        hashed=False,
    )
    yield _fault(
        "value-changed-hash-kept",
        "A value was changed in the tables past the service",
        "PV-01 PV-02",
        "default",
        _of("b.plain", "default_value = 'false'"),
        hashed=False,
    )
