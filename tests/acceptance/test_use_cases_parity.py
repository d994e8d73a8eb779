"""UC-B4-06 and UC-B4-07: what blocks a cutover, each through the gate."""

from __future__ import annotations

import json
from typing import Any

import pytest

WAYS = pytest.mark.parametrize("workers", [[], ["-n", "2"], ["-p", "no:xdist"]], ids=" ".join)
# The chain in another order: the same rules, the same outcomes, the same answer.
REORDERED = """
decision = (await self.inner.evaluate(request)).to_dict()
decision["reason_chain"].reverse()
return decision
"""


@WAYS
def test_uc_b4_06_any_divergence_is_a_blocker(gate: Any, workers: list[str]) -> None:
    """One vector of all that differs in one field is enough."""
    gate.wrap_db(
        evaluate="""
decision = (await self.inner.evaluate(request)).to_dict()
if decision["meta"]["ttl_state"] == "expiring_soon":
    decision["meta"]["ttl_state"] = "valid"
return decision
"""
    )
    result = gate.run(*workers)
    assert result.ret == 1
    assert gate.broken() == {"PT-14": {("/meta/ttl_state", "PV-05")}}
    result.stdout.fnmatch_lines(
        [
            "PT-14      ..     ..     ..     ..     .x     ..     ..     ..",
            "verdict  BLOCKED  PT 15 of 16 · JWT-EX 10 of 10",
            "         - PT-14: PV-05 broken at /meta/ttl_state",
        ]
    )


@WAYS
def test_uc_b4_07_the_order_of_the_reason_chain_blocks_the_cutover(
    gate: Any, workers: list[str]
) -> None:
    """The same answer for reasons in another order: the row is named, and nothing passes."""
    gate.wrap_db(evaluate=REORDERED)
    result = gate.run(*workers)
    assert result.ret == 1
    report = gate.report()
    assert report["verdict"] == "blocked"
    broken = gate.broken()
    assert {pair for pairs in broken.values() for pair in pairs} == {("/reason_chain", "PV-02")}
    # A chain of one rule has no order.
    longer = {v["id"] for v in report["vectors"] if len(chain(v)) > 1}
    assert broken.keys() == longer
    result.stdout.fnmatch_lines(["verdict  BLOCKED*", "*- PT-01: PV-02 broken at /reason_chain"])


def chain(vector: Any) -> list[Any]:
    steps: list[Any] = vector["paths"]["file"]["decision"]["reason_chain"]
    return steps


def test_uc_b4_07_no_waiver_makes_a_cutover_of_it(gate: Any) -> None:
    """A waiver of every chain lets a merge pass, and no cutover."""
    gate.wrap_db(evaluate=REORDERED)
    gate.run()
    waivers = [
        {
            "vector": name,
            "field": "/reason_chain",
            "owner": "platform_lead",
            "reason": "the order is mended in the next release",
            "expires": "2999-01-01",
        }
        for name in gate.broken()
    ]
    document = {"schema_version": "1", "waivers": waivers}
    (gate.root / "vectors/waivers.json").write_text(json.dumps(document))
    assert gate.run().ret == 0
    assert gate.report()["verdict"] == "go_with_waivers"
    assert gate.run("--ffparity-require-go").ret == 1


def test_uc_b4_07_a_sensitive_path_that_opens_can_not_be_waived(gate: Any) -> None:
    """PT-05's expired approval that became an allow stays a blocker, whatever is waived."""
    gate.wrap_db(
        evaluate="""
decision = (await self.inner.evaluate(request)).to_dict()
if decision["reason"] == "approval_expired":
    decision["decision"] = "allow"
return decision
"""
    )
    waiver = {"vector": "PT-05", "field": "/decision", "owner": "o", "reason": "r"}
    document = {"schema_version": "1", "waivers": [{**waiver, "expires": "2999-01-01"}]}
    (gate.root / "vectors/waivers.json").write_text(json.dumps(document))
    result = gate.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["*- PT-05: PV-01 broken at /decision; db allows what is denied: no waiver"]
    )
