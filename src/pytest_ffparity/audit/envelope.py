"""One envelope of the trail: who changed what, from what, to what. Pure.

An envelope holds the hash of the one before it and its own, so that a changed, missing or moved one
is found by whoever walks the chain (`audit.chain`).
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Any, Final, Literal, TypeAlias

import msgspec

from pytest_ffparity.errors import FFParityError
from pytest_ffparity.evaluator.model import JSON, Identity
from pytest_ffparity.evaluator.names import AUTH_SOURCE
from pytest_ffparity.formats import instant
from pytest_ffparity.formats.strict_json import MAX_DEPTH, canonical

KIND: Final = "admin.audit"
TOPIC: Final = "ptt.audit.trail"
PENDING: Final = "pending"
DELIVERED: Final = "delivered"
NO_HASH: Final = "0" * 64
# A value may be nested as deep as any; around it are a rollout, a record, an envelope, a document.
DEPTH: Final = MAX_DEPTH + 8

_ID_COUNT: Final = {"flag": 1, "tenant_override": 2, "user_override": 3}

RecordKind: TypeAlias = Literal["flag", "tenant_override", "user_override"]
Action: TypeAlias = Literal["create", "change", "delete"]


class TrailError(FFParityError):
    """A trail that can't be read or followed; the message says where. It is evidence: keep it."""


class Target(msgspec.Struct, frozen=True):
    """Which record: its kind, and its ids in their order: flag, tenant, user."""

    kind: RecordKind
    ids: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse ids that are too many or too few."""
        if len(self.ids) != _ID_COUNT[self.kind]:
            raise ValueError(f"a {self.kind} has {_ID_COUNT[self.kind]} ids, not {len(self.ids)}")

    @property
    def named(self) -> dict[str, str]:
        """The ids by name, with the kind."""
        names = ("flag_key", "tenant_id", "user_id")
        return {"kind": self.kind, **dict(zip(names, self.ids, strict=False))}


class Effect(msgspec.Struct, frozen=True):
    """What a write does: the record before and after, None for absent.

    `cascade` has the override records that the delete of their flag takes along.
    """

    target: Target
    before: dict[str, JSON] | None
    after: dict[str, JSON] | None
    cascade: tuple[dict[str, JSON], ...] = ()

    @property
    def action(self) -> Action:
        """What was done."""
        if self.before is None:
            return "create"
        return "delete" if self.after is None else "change"


class Head(msgspec.Struct, frozen=True):
    """The end of a trail: what the next envelope links to.

    `version` is the highest that any record of the store has had: a record that is made anew gets a
    higher one, so that nobody who remembers the old one's version can overwrite the new one.
    """

    seq: int = 0
    hash: str = NO_HASH
    version: int = 0


def envelope_of(effect: Effect, *, actor: Identity, at: datetime, head: Head) -> dict[str, JSON]:
    """Make the envelope that follows `head`; plain JSON, schema `audit_envelope.v1`."""
    versions = [
        record["version"]
        for record in (effect.before, effect.after, *effect.cascade)
        if record is not None
    ]
    envelope = {
        "seq": head.seq + 1,
        "at": instant.text(at),
        "actor": {
            "tenant_id": actor.tenant_id,
            "user_id": actor.user_id,
            "auth_source": AUTH_SOURCE[actor.mode],
        },
        "action": effect.action,
        "target": effect.target.named,
        "before": effect.before,
        "after": effect.after,
        "cascade": list(effect.cascade),
        "top_version": max([head.version, *versions]),
        "previous": head.hash,
    }
    return {**envelope, "hash": hash_of(envelope)}


def hash_of(envelope: dict[str, Any]) -> str:
    """Give the hash of an envelope, of everything in it but the hash itself."""
    hashed = {name: member for name, member in envelope.items() if name != "hash"}
    return sha256(canonical(hashed).encode("utf-8")).hexdigest()


def head_after(envelope: object) -> Head:
    """Give the head of a trail that ends with this envelope.

    Raises:
        TrailError: It is none that another could follow.
    """
    match envelope:
        case {"seq": int(seq), "hash": str(digest), "top_version": int(version)}:
            return Head(seq, digest, version)
    raise TrailError("the last envelope of the trail lacks its seq, hash or top_version")


def document_of(
    envelope: dict[str, JSON], *, number: int, status: str = PENDING
) -> dict[str, JSON]:
    """Wrap an envelope as the trail keeps it; `number` is the store's own id of it."""
    return {
        "id": number,
        "kind": KIND,
        "topic": TOPIC,
        "sink_status": status,
        "envelope": envelope,
        "recorded_at": envelope["at"],
    }
