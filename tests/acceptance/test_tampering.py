"""One thing changed on the db path is always caught, named by field and row, and blocks."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest

TAMPERED = """
decision = (await self.inner.evaluate(request)).to_dict()
{change}
return decision
"""

DECISIONS = {
    "two entries of the chain swapped": (
        """
    chain = decision['reason_chain']
    if len(chain) > 5: chain[4], chain[5] = chain[5], chain[4]
""",
        ("/reason_chain", "PV-02"),
    ),
    "1 for true": (
        "    if decision['value'] is True: decision['value'] = 1\n",
        ("/value", "PV-01"),
    ),
    "a dropped warning": (
        "    decision['warnings'] = decision['warnings'][1:]\n",
        ("/warnings", "PV-03"),
    ),
    "an extra field": ("    decision['meta']['cached'] = False\n", ("/meta/cached", "unlisted")),
    "the other path's state": (
        "    decision['meta']['backing_state'] = 'file'\n",
        ("/meta/backing_state", "PV-08"),
    ),
    "a missing null": ("    del decision['code']\n", ("/code", "PV-06")),
    "a stale version": (
        "    decision['meta']['flag_version'] = '0' * 16\n",
        ("/meta/flag_version", "PV-07"),
    ),
    "another scope": (
        "    if decision['override_scope'] == 'tenant': decision['override_scope'] = 'user'\n",
        ("/override_scope", "PV-04"),
    ),
    "another state of the approval": (
        "    if decision['meta']['ttl_state'] == 'expiring_soon': decision['meta']['ttl_state'] = 'valid'\n",
        ("/meta/ttl_state", "PV-05"),
    ),
}


@pytest.mark.parametrize("change", DECISIONS)
def test_a_changed_decision_is_caught(gate: Any, change: str) -> None:
    body, broken = DECISIONS[change]
    gate.wrap_db(TAMPERED.format(change=dedent(body)))
    result = gate.run()
    assert result.ret == 1
    assert gate.report()["verdict"] == "blocked"
    assert {pair for pairs in gate.broken().values() for pair in pairs} == {broken}
    field, row = broken
    result.stdout.fnmatch_lines([f"*{field}*{row}*"])


# A trigger has to be there before the world is written; anything else comes after.
THROUGH_SQL = """
import asyncpg
if not {before}:
    await self.inner.prepare(world)
connection = await asyncpg.connect(self.inner.store.dsn)
await connection.execute({sql!r})
await connection.close()
if {before}:
    await self.inner.prepare(world)
"""

TRIGGER = """
CREATE OR REPLACE FUNCTION public.tamper() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN {body} RETURN NEW; END $$;
CREATE OR REPLACE TRIGGER tamper BEFORE INSERT ON ff.{table}
FOR EACH ROW EXECUTE FUNCTION public.tamper();
"""

DATA = {
    "a user override deleted": ("DELETE FROM ff.user_override", False),
    "a tenant override deleted": ("DELETE FROM ff.tenant_override", False),
    "a tenant id lower-cased": (
        "UPDATE ff.tenant_override SET tenant_id = lower(tenant_id)",
        False,
    ),
    "a timestamp cut to seconds by a trigger": (
        TRIGGER.format(
            table="tenant_override", body="NEW.expires_at := date_trunc('second', NEW.expires_at);"
        ),
        True,
    ),
    "a user id folded by a trigger": (
        TRIGGER.format(table="user_override", body="NEW.user_id := lower(NEW.user_id);"),
        True,
    ),
    "a number re-written through jsonb": (
        "UPDATE ff.flag_registry SET default_value = default_value::jsonb::json",
        False,
    ),
    "a flag that went missing": ("DELETE FROM ff.flag_registry WHERE flag_key = 'ff.x'", False),
}


@pytest.mark.parametrize("change", DATA)
def test_changed_data_is_caught(gate: Any, change: str) -> None:
    sql, through = DATA[change]
    gate.copy(stress=change in IN_THE_MIX_ONLY)
    gate.wrap_db(prepare=THROUGH_SQL.format(sql=sql, before=through))
    result = gate.run()
    assert result.ret == 1
    assert gate.report()["verdict"] == "blocked"
    assert gate.broken()


# What only the many worlds of PT-08 have data for.
IN_THE_MIX_ONLY = {"a number re-written through jsonb"}
