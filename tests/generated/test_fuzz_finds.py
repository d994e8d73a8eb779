"""Ten faults, each put by hand into the db path: generated cases find it, and shrink it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CONFTEST = """
import unicodedata
from datetime import timedelta
from unittest.mock import patch

import pytest

from pytest_ffparity.backing.dsn import connect
from pytest_ffparity.evaluator import decide, rules

FAULT = {fault!r}
STATEMENTS = {{
    "user ids lose their case": '''
        UPDATE user_override u SET user_id = lower(user_id) WHERE NOT EXISTS (
        SELECT FROM user_override o WHERE o.flag_key = u.flag_key AND o.tenant_id = u.tenant_id
        AND o.user_id <> u.user_id)''',
    "an expiry loses its microseconds": '''
        UPDATE tenant_override SET expires_at = date_trunc('second', expires_at);
        UPDATE user_override SET expires_at = date_trunc('second', expires_at)''',
    "numbers go through jsonb": '''
        UPDATE flag_registry SET default_value = default_value::jsonb::json;
        UPDATE tenant_override SET value = value::jsonb::json;
        UPDATE user_override SET value = value::jsonb::json''',
    "the off value is lost": "UPDATE flag_registry SET off_value = safe_value",
    "ids that are not ASCII lose their overrides": '''
        DELETE FROM user_override WHERE user_id ~ '[^ -~]';
        DELETE FROM tenant_override WHERE tenant_id ~ '[^ -~]' ''',
}}


def later(facts):
    return real_override(
        rules.msgspec.structs.replace(facts, now=facts.now - timedelta(microseconds=1))
    )


real_override, real_bucket = rules.user_override, rules.bucket
by_rule = dict(rules.RULES)


def reordered(*names):
    return tuple((rule, by_rule[rule]) for rule in names)


def utf16(salt, flag_key, tenant_id, user_id):
    text = (user_id or "").encode("utf-16").decode("latin-1")
    return real_bucket(salt, flag_key, tenant_id, user_id and text)


R = rules.Rule
PATCHES = {{
    "expiry is one microsecond late": (
        decide,
        "RULES",
        tuple((r, later if r is R.USER_OVERRIDE else f) for r, f in rules.RULES),
    ),
    "the tenant's override comes first": (
        decide,
        "RULES",
        reordered(
            R.AUTH, R.LOOKUP, R.KILL_SWITCH, R.SENSITIVE_OVERLAY, R.TENANT_OVERRIDE,
            R.USER_OVERRIDE, R.REGISTRY,
        ),
    ),
    "an override opens a sensitive flag": (
        decide,
        "RULES",
        reordered(
            R.AUTH, R.LOOKUP, R.KILL_SWITCH, R.USER_OVERRIDE, R.TENANT_OVERRIDE,
            R.SENSITIVE_OVERLAY, R.REGISTRY,
        ),
    ),
    "rollouts hash UTF-16": (rules, "bucket", utf16),
    "rollouts have no salt": (
        rules, "bucket", lambda salt, *rest: real_bucket("", *rest),
    ),
}}


class Wrapped:
    def __init__(self, inner):
        self.inner, self.name, self.info = inner, inner.name, inner.info

    async def prepare(self, world):
        await self.inner.prepare(world)
        if FAULT in STATEMENTS:
            connection = await connect(self.inner.store.dsn)
            try:
                await connection.execute(f'SET search_path TO "{{self.inner.store.schema}}"')
                await connection.execute("SET client_min_messages TO error")
                if world.get("backing") != "missing":
                    await connection.execute(STATEMENTS[FAULT])
            finally:
                await connection.close()

    async def evaluate(self, request):
        if FAULT not in PATCHES:
            return await self.inner.evaluate(request)
        module, name, by = PATCHES[FAULT]
        with patch.object(module, name, by):
            return await self.inner.evaluate(request)


@pytest.fixture(scope="session")
def ffparity_paths(ffparity_paths):
    file, db = ffparity_paths
    return [file, Wrapped(db)]
"""
# Fault, and a row of the matrix that has to be named.
FAULTS = {
    "user ids lose their case": "PV-02",
    "an expiry loses its microseconds": "PV-02",
    "numbers go through jsonb": "PV-01",
    "the off value is lost": "PV-01",
    "ids that are not ASCII lose their overrides": "PV-04",
    "expiry is one microsecond late": "PV-02",
    "the tenant's override comes first": "PV-02",
    "an override opens a sensitive flag": "PV-02",
    "rollouts hash UTF-16": "PV-02",
    "rollouts have no salt": "PV-02",
}
# Those whose vectors are run too: one of each kind.
SAVED = {"numbers go through jsonb", "expiry is one microsecond late", "rollouts hash UTF-16"}
BUDGET_S = 180


def fuzz(gate: Any, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "--ffparity-fuzz", "10000", "--ffparity-seed", "1"]
    command += ["--ffparity-report=report.json", "-k", "fuzz", "-x", *args]
    return subprocess.run(
        command, cwd=gate.root, capture_output=True, text=True, timeout=BUDGET_S, check=False
    )


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.replace(" ", "-"))
def test_a_fault_is_found_and_shrunk(gate: Any, fault: str) -> None:
    gate.pytester.makeconftest(CONFTEST.format(fault=fault))
    done = fuzz(gate, "--ffparity-save=found")
    assert done.returncode == 1, done.stdout
    judged = [v for v in gate.report()["vectors"] if v["outcome"] == "failed"]
    examples = [example for vector in judged for example in vector["examples"]]
    assert examples, done.stdout
    rows = {d["rule"] for vector in judged for d in vector["divergences"]}
    assert FAULTS[fault] in rows
    for example in examples:
        world = example["world"]
        # A write may make anew what the world begins with: that is one record.
        named = [
            (record["flag_key"], record.get("tenant_id"), record.get("user_id"))
            for part in ("flags", "tenant_overrides", "user_overrides", "writes")
            for record in world.get(part, [])
        ]
        assert len({flag for flag, _, _ in named}) <= 1, world
        assert len({ids for ids in named if ids[1] is not None}) <= 1, world
        assert len(example["requests"]) == 1
    if fault in SAVED:
        saved_vectors_fail_until_mended(gate, examples)


def saved_vectors_fail_until_mended(gate: Any, examples: list[Any]) -> None:
    saved = [Path(e["saved"]) for e in examples if not e["saved"].startswith("nowhere")]
    assert saved
    matrix = json.loads((gate.root / "vectors/cutover_parity_matrix.json").read_text())
    matrix["required"] = []
    (gate.root / "matrix.json").write_text(json.dumps(matrix))
    named = [f"--ffparity-vectors={path}" for path in saved]
    assert gate.run("--ffparity-matrix=matrix.json", *named).ret == 1
    assert {v["outcome"] for v in gate.report()["vectors"]} == {"failed"}
    (gate.root / "conftest.py").unlink()
    assert gate.run("--ffparity-matrix=matrix.json", *named).ret == 0
