"""Walks a trail and says what is wrong with it: a change, a gap, an envelope out of place. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pytest_ffparity.audit.envelope import KIND, TOPIC, Head, Target, hash_of, head_after
from pytest_ffparity.evaluator.model import JSON
from pytest_ffparity.formats.strict_json import same


def verify(documents: Iterable[dict[str, Any]]) -> list[str]:
    """Check a trail from its first envelope on.

    Args:
        documents: As the trail keeps them, in its order.

    Returns:
        One sentence for each thing that is wrong; none when the trail is whole.
    """
    problems: list[str] = []
    head = Head()
    for place, document in enumerate(documents, start=1):
        envelope = document.get("envelope")
        if not isinstance(envelope, dict) or not isinstance(envelope.get("seq"), int):
            problems.append(f"envelope {place} of the trail is none: it has no seq")
            continue
        seq = envelope["seq"]
        if seq != head.seq + 1:
            problems.append(f"after envelope {head.seq} comes {seq}: {_gap(head.seq, seq)}")
        if envelope.get("previous") != head.hash and seq == head.seq + 1:
            problems.append(f"envelope {seq} does not follow from envelope {head.seq}")
        if (
            envelope.get("hash") != hash_of(envelope)
            or (document.get("kind"), document.get("topic")) != (KIND, TOPIC)
            or document.get("recorded_at") != envelope.get("at")
        ):
            problems.append(f"envelope {seq} was changed: it is not what its hash was made of")
        try:
            head = head_after(envelope)
        except (KeyError, TypeError):
            head = Head(seq, str(envelope.get("hash")), head.version)
    return problems


def verify_records(
    documents: Iterable[dict[str, Any]], records: Mapping[Target, dict[str, JSON]]
) -> list[str]:
    """Check that the store's records are what the trail left: finds a trail cut at its end too.

    Args:
        documents: A trail that `verify` found whole.
        records: Every record of the store.

    Returns:
        One sentence for each record that something else than a trailed write has touched. Records
        that the trail never mentions were seeded, and are not looked at.
    """
    left: dict[Target, dict[str, JSON] | None] = {}
    for document in documents:
        envelope = document["envelope"]
        target = target_of(envelope["target"])
        left[target] = envelope["after"]
        for taken_along in envelope["cascade"]:
            left[override_target(taken_along)] = None
    return [
        f"{target.kind} {' '.join(target.ids)} is not what the trail left it as"
        for target, after in left.items()
        if not same(records.get(target), after)
    ]


def target_of(named: Mapping[str, str]) -> Target:
    """Read the target of an envelope."""
    ids = [named[name] for name in ("flag_key", "tenant_id", "user_id") if name in named]
    return Target(named["kind"], tuple(ids))  # type: ignore[arg-type] # a closed list in the schema


def override_target(record: Mapping[str, JSON]) -> Target:
    """Give the target that an override's record stands for."""
    if "user_id" in record:
        ids = (record["flag_key"], record["tenant_id"], record["user_id"])
        return Target("user_override", ids)
    return Target("tenant_override", (record["flag_key"], record["tenant_id"]))


def _gap(last: int, found: int) -> str:
    if found <= last:
        return "it stands in the wrong place, or twice"
    return f"{found - last - 1} missing"
