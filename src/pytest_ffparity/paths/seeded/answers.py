"""Faults of the decision itself: its types, its order, what is missing and what is stale."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pytest_ffparity.paths.seeded.fault import Answer, Fault, answering


def _set(**fields: Any) -> Callable[[Answer], None]:
    return lambda answer: answer.update(fields)


def _meta(**fields: Any) -> Callable[[Answer], None]:
    return lambda answer: answer["meta"].update(fields)


def _value(change: Callable[[Any], Any]) -> Callable[[Answer], None]:
    def changed(answer: Answer) -> None:
        answer["value"] = change(answer["value"])

    return changed


def _fault(name: str, why: str, rows: str, probe: str, change: Callable[[Answer], Any]) -> Fault:
    return Fault(
        name=name,
        level="decision",
        why=why,
        rows=tuple(rows.split()),
        probes=(probe,),
        seed=answering(change),
    )


def faults() -> Iterator[Fault]:
    """Give the faults of the decision level."""
    yield _fault(
        "value-true-as-1",
        "A driver gives booleans as integers",
        "PV-01",
        "default",
        _value(int),
    )
    yield _fault(
        "value-as-text", "A value is read as text and never parsed", "PV-01", "big", _value(str)
    )
    yield _fault(
        "value-float-as-integer",
        "A front drops the decimals of a whole float",
        "PV-01",
        "float",
        _value(int),
    )
    yield _fault(
        "value-empty-as-null",
        "Empty text is taken for nothing",
        "PV-01",
        "empty-text",
        _value(lambda value: value or None),
    )
    yield _fault(
        "value-null-member-left-out",
        "An encoder leaves out nulls",
        "PV-01",
        "object",
        _value(lambda value: {"b": value["b"], "a": [m for m in value["a"] if m is not None]}),
    )
    yield _fault(
        "value-missing",
        "A front leaves out the value of a deny",
        "PV-01",
        "off",
        lambda answer: answer.pop("value") and None,
    )
    yield _fault(
        "decision-deny-as-allow",
        "A denied caller is let in",
        "PV-01",
        "approval-missing",
        _set(decision="allow"),
    )
    yield _fault(
        "decision-upper-case",
        "Enum members by name and not by value",
        "PV-01",
        "default",
        _set(decision="ALLOW"),
    )
    yield _fault(
        "flag-key-folded",
        "A store folds keys to upper case",
        "PV-01",
        "default",
        _set(flag_key="B.PLAIN"),
    )
    yield _fault(
        "reason-renamed",
        "Another release has another word for a reason",
        "PV-02",
        "default",
        _set(reason="default"),
    )
    yield _fault(
        "chain-reversed",
        "The rules are told in another order",
        "PV-02",
        "user",
        lambda answer: answer["reason_chain"].reverse(),
    )
    yield _fault(
        "chain-last-only",
        "Only the rule that decided is told",
        "PV-02",
        "tenant",
        lambda answer: answer.update(reason_chain=answer["reason_chain"][-1:]),
    )
    yield _fault(
        "chain-rule-doubled",
        "A rule is consulted twice",
        "PV-02",
        "default",
        lambda answer: answer["reason_chain"].append(answer["reason_chain"][-1]),
    )
    yield _fault(
        "warning-dropped",
        "Warnings get lost on the way",
        "PV-03",
        "dev-headers",
        _set(warnings=[]),
    )
    yield _fault(
        "warning-order",
        "Warnings come as a set",
        "PV-03",
        "decode-only",
        lambda answer: answer["warnings"].reverse(),
    )
    yield _fault(
        "warnings-null",
        "No warnings are null, not an empty list",
        "PV-03",
        "default",
        _set(warnings=None),
    )
    yield _fault(
        "auth-mode-verified",
        "Who was not verified is called verified",
        "PV-03",
        "dev-headers",
        _meta(auth_mode="verified"),
    )
    yield _fault(
        "auth-source-left-out",
        "A field of the caller is left out",
        "PV-03",
        "default",
        lambda answer: answer["meta"].pop("auth_source") and None,
    )
    yield _fault(
        "scope-default-for-user",
        "A served override is told as the default",
        "PV-04",
        "user",
        _set(override_scope="default"),
    )
    yield _fault(
        "scope-empty-for-null",
        "No scope is empty text, not null",
        "PV-04",
        "off",
        _set(override_scope=""),
    )
    yield _fault(
        "approval-ref-lost",
        "The approval that opened the flag is not told",
        "PV-05",
        "approval-valid",
        _meta(approval_ref=None),
    )
    yield _fault(
        "ttl-state-stale",
        "The state of a while ago",
        "PV-05",
        "approval-soon",
        _meta(ttl_state="valid"),
    )
    yield _fault(
        "status-200-for-404",
        "A front answers every question with 200",
        "PV-06",
        "not-found",
        _set(http_status=200),
    )
    yield _fault(
        "code-null", "The code of a refusal is lost", "PV-06", "signature", _set(code=None)
    )
    yield _fault(
        "flag-version-stale",
        "The version of a record that was replaced",
        "PV-07",
        "default",
        _meta(flag_version="0123456789abcdef"),
    )
    yield _fault(
        "flag-version-null",
        "The version is not kept with the record",
        "PV-07",
        "default",
        _meta(flag_version=None),
    )
    yield _fault(
        "instant-without-zone",
        "The instant as local time",
        "PV-07",
        "default",
        _meta(evaluated_at="2026-04-19T12:00:00.000000"),
    )
    yield _fault(
        "backing-of-the-other",
        "The old store is asked in the new one's place",
        "PV-08",
        "default",
        _meta(backing_state="file"),
    )
    yield _fault(
        "latency-missing",
        "A field that may differ is not there at all",
        "PV-08",
        "default",
        lambda answer: answer["meta"].pop("latency_ms") and None,
    )
    yield _fault(
        "field-nobody-knows",
        "A field comes along that no row names",
        "unlisted",
        "default",
        _set(debug={"query": "select"}),
    )
