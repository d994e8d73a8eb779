"""Walks a trail and says what is wrong with it: a change, a gap, an envelope out of place. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pytest_ffparity.audit.envelope import (
    DELIVERED,
    DEPTH,
    PENDING,
    Head,
    Target,
    TrailError,
    hash_of,
    head_after,
)
from pytest_ffparity.evaluator.model import JSON
from pytest_ffparity.formats import schema
from pytest_ffparity.formats.strict_json import JSONRefusedError, plain, same


def verify(documents: Iterable[object]) -> list[str]:
    """Check a trail from its first envelope on.

    The store's own `id` of a document is no part of the evidence. Whoever can rewrite the trail to
    its end, hashes and all, is found by comparing it with what Admin's sink has taken.

    Args:
        documents: As the trail keeps them, in its order; anything at all.

    Returns:
        One sentence for each thing that is wrong; none when the trail is whole.
    """
    problems: list[str] = []
    head = Head()
    waiting: int | None = None
    for place, given in enumerate(documents, start=1):
        try:
            document = plain(given, max_depth=DEPTH)
        except JSONRefusedError as error:
            problems.append(f"envelope {place} of the trail is none: {error}")
            continue
        envelope = document.get("envelope") if isinstance(document, dict) else None
        seq = envelope.get("seq") if isinstance(envelope, dict) else None
        if not isinstance(document, dict) or not isinstance(envelope, dict) or type(seq) is not int:
            problems.append(f"envelope {place} of the trail is none: it has no seq")
            continue
        if seq != head.seq + 1:
            problems.append(f"after envelope {head.seq} comes {seq}: {_gap(head.seq, seq)}")
        elif envelope.get("previous") != head.hash:
            problems.append(f"envelope {seq} does not follow from envelope {head.seq}")
        wrong = flaw(document)
        if wrong is not None:
            problems.append(f"envelope {seq} {wrong}")
        if document.get("sink_status") == PENDING:
            waiting = seq
        elif waiting is not None and document.get("sink_status") == DELIVERED:
            problems.append(
                f"envelope {seq} is marked as delivered, while {waiting} before it is not"
            )
        try:
            head = head_after(envelope)
        except TrailError:
            head = Head(seq, str(envelope.get("hash")), head.version)
    return problems


def flaw(document: dict[str, JSON]) -> str | None:
    """Say what is wrong with one document by itself: its form, or its hash."""
    sent = {name: member for name, member in document.items() if name != "id"}
    for problem in schema.problems("audit_envelope.v1", sent):
        return f"has not the form of one: {problem.pointer}: {problem.sentence}"
    envelope = document["envelope"]
    if envelope["hash"] != hash_of(envelope) or document["recorded_at"] != envelope["at"]:
        return "was changed: it is not what its hash was made of"
    return None


def verify_records(
    documents: Iterable[dict[str, Any]], records: Mapping[Target, dict[str, JSON]]
) -> list[str]:
    """Check that the store's records are what the trail left: finds a trail cut at its end too.

    Args:
        documents: A trail that `verify` found whole.
        records: Every record of the store.

    Returns:
        One sentence for each record that something else than a trailed write has touched, at any
        time. Records that the trail never mentions were seeded, and are not looked at: a cut that
        takes away all of a record's envelopes leaves it as if seeded.
    """
    problems: list[str] = []
    left: dict[Target, dict[str, JSON] | None] = {}
    for document in documents:
        envelope = document["envelope"]
        steps = [(target_of(envelope["target"]), envelope["before"], envelope["after"])]
        steps += [(override_target(taken), taken, None) for taken in envelope["cascade"]]
        for target, before, after in steps:
            if target in left and not same(left[target], before):
                problems.append(
                    f"{_named(target)} was not what the trail left it as when envelope "
                    f"{envelope['seq']} was written"
                )
            left[target] = after
    problems += [
        f"{_named(target)} is not what the trail left it as"
        for target, after in left.items()
        if not same(records.get(target), after)
    ]
    return problems


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


def _named(target: Target) -> str:
    return f"{target.kind} {' '.join(target.ids)}"


def _gap(last: int, found: int) -> str:
    if found <= last:
        return "it stands in the wrong place, or twice"
    return f"{found - last - 1} missing"
