from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.parity.standard_files import (
    CASES,
    PLAIN,
    SHIPPED,
    WAIVER,
    WORLDS,
    Files,
    calm,
    compared,
    files,
    phase,
    read,
    row,
    rows,
    vector,
)

from pytest_ffparity.formats import schema
from pytest_ffparity.parity.baseline import unacknowledged, weakenings
from pytest_ffparity.parity.change import Change
from pytest_ffparity.vectors.acknowledged import Acknowledgement
from pytest_ffparity.vectors.matrix_reader import read_matrix
from pytest_ffparity.vectors.reader import read_vector_file
from pytest_ffparity.vectors.standard import Standard

WEAKENED: dict[str, tuple[Callable[[Files], Any], list[str]]] = {
    "a vector removed": (
        lambda f: f["one.json"]["vectors"].pop(0),
        ["V-1: vector removed: One"],
    ),
    "a file removed": (
        lambda f: f.pop("one.json"),
        ["V-1: vector removed: One", "V-2: vector removed: Two"],
    ),
    "a vector under another id": (
        lambda f: vector(f, "V-2").update(id="V-3"),
        ["V-2: vector removed: Two"],
    ),
    "an expectation": (
        lambda f: vector(f, "V-1")["expected"].update(reason="tenant", chain=["a"]),
        [
            'V-1 /reason: expectation changed: "user" → "tenant"',
            'V-1 /chain: expectation changed: ["a","b"] → ["a"]',
        ],
    ),
    "an expectation of another type": (
        lambda f: vector(f, "V-1")["expected"].update(value=1.0),
        ["V-1 /value: expectation changed: 1 → 1.0"],
    ),
    "an expectation of null": (
        lambda f: vector(f, "V-1")["expected"].update(value=None),
        ["V-1 /value: expectation changed: 1 → null"],
    ),
    "a field that has to be there no longer expected": (
        lambda f: vector(f, "V-1")["expected"].pop("took_ms"),
        ["V-1 /took_ms: expectation changed: 0 → (nothing)"],
    ),
    "a request": (
        lambda f: vector(f, "V-1")["request"].update(user="U2"),
        ['V-1: request changed at /user: "U1" → "U2"'],
    ),
    "a world that two vectors share": (
        lambda f: calm(f)["flags"][0].update(on=False, new=1),
        ["V-1, V-2: world changed at /flags/0/on: true → false (and 1 more)"],
    ),
    "another world": (
        lambda f: vector(f, "V-1").update(world="storm"),
        ['V-1: world changed at /now: "noon" → (nothing) (and 2 more)'],
    ),
    "no world": (
        lambda f: vector(f, "V-1").pop("world"),
        [
            (
                "V-1: world changed at (top level): "
                '{"flags":[{"key":"ff.x","on":true}],"now":"noon"} → null'
            )
        ],
    ),
    "a vector of another kind": (
        lambda f: f["one.json"]["vectors"].__setitem__(1, {**CASES, "id": "V-2"}),
        ["V-2: vector replaced: was one request, is many requests"],
    ),
    "the limit of p99": (
        lambda f: vector(f, "V-8")["stress"].update(p99_ms=100.5),
        ["V-8: limit raised: p99 below 100 ms → 100.5 ms"],
    ),
    "concurrency": (
        lambda f: vector(f, "V-8")["stress"].update(concurrency=7),
        ["V-8: load lowered: concurrency 8 → 7"],
    ),
    "calls": (
        lambda f: phase(f).update(calls=80),
        ["V-8/up: load lowered: calls of all 100 → 80, x 75 → 60, y 25 → 20"],
    ),
    "a weight": (
        lambda f: phase(f)["mix"][1].update(weight=7),
        ["V-8/up: load lowered: calls of x 75 → 30"],
    ),
    "a case that others make room for": (
        lambda f: phase(f)["mix"].append({**phase(f)["mix"][0], "id": "z", "weight": 1}),
        ["V-8/up: load lowered: calls of x 75 → 60, y 25 → 20"],
    ),
    "a phase removed": (
        lambda f: vector(f, "V-8")["stress"]["phases"].pop(1),
        ["V-8/down: phase removed, with 50 calls"],
    ),
    "a case of a mix removed": (
        lambda f: phase(f)["mix"].pop(1),
        ["V-8: cases removed: up/y"],
    ),
    "the expectation of a case of a mix": (
        lambda f: phase(f)["mix"][0]["expected"].update(value=9),
        ["V-8/up/x /value: expectation changed: 1 → 9"],
    ),
    "the request of a case of a mix": (
        lambda f: phase(f)["mix"][0]["request"].update(n=9),
        ["V-8/up/x: request changed at /n: 1 → 9"],
    ),
    "the world of a phase": (
        lambda f: phase(f, 1).update(world="calm"),
        ["V-8/down: world changed at /down: true → (nothing) (and 2 more)"],
    ),
    "a case removed": (
        lambda f: vector(f, "V-9")["cases"].pop(1),
        ["V-9: cases removed: b"],
    ),
    "a case's expectation dropped": (
        lambda f: vector(f, "V-9")["cases"][0].pop("expected"),
        ["V-9/a: expectation dropped: the paths have to agree and no more"],
    ),
    "a case's request": (
        lambda f: vector(f, "V-9")["cases"][1]["request"].update(user="B"),
        ['V-9/b: request changed at /user: "b" → "B"'],
    ),
    "a required id": (
        lambda f: f["matrix.json"]["required"].remove("V-8"),
        ["V-8: no longer required: a run without it would be complete"],
    ),
    "a field that has to match": (
        lambda f: rows(f)[0].update(rule="MAY_DIFFER"),
        [
            "/reason: rule loosened: MUST_MATCH (R-1) → MAY_DIFFER (R-1)",
            "/value: rule loosened: MUST_MATCH (R-1) → MAY_DIFFER (R-1)",
        ],
    ),
    "a field moved to another row": (
        lambda f: (rows(f)[0]["fields"].remove("/value"), rows(f)[4]["fields"].append("/value")),
        ["/value: rule loosened: MUST_MATCH (R-1) → MAY_DIFFER (R-5)"],
    ),
    "a part of a field that has to match": (
        lambda f: rows(f)[4]["fields"].append("/value/at"),
        ["/value/at: rule loosened: MUST_MATCH (R-1) → MAY_DIFFER (R-5)"],
    ),
    "some part of a field that has to match": (
        lambda f: rows(f)[4]["fields"].append("/value/*/at"),
        ["/value/*/at: rule loosened: MUST_MATCH (R-1) → MAY_DIFFER (R-5)"],
    ),
    "a part that is compared less closely": (
        lambda f: rows(f)[1]["fields"].append("/value/list"),
        ["/value/list: comparison of MUST_MATCH (R-1) loosened: exact → unordered"],
    ),
    "exact to unordered": (
        lambda f: (rows(f)[0]["fields"].remove("/value"), rows(f)[1]["fields"].append("/value")),
        ["/value: comparison of MUST_MATCH (R-1) loosened: exact → unordered"],
    ),
    "exact to tolerance": (
        lambda f: rows(f)[0].update(compare="tolerance", tolerance=1, fields=["/value", "/reason"]),
        [
            "/reason: comparison of MUST_MATCH (R-1) loosened: exact → tolerance 1.0",
            "/value: comparison of MUST_MATCH (R-1) loosened: exact → tolerance 1.0",
        ],
    ),
    "unordered to tolerance": (
        lambda f: rows(f)[1].update(compare="tolerance", tolerance=1),
        ["/chain: comparison of MUST_MATCH (R-2) loosened: unordered → tolerance 1.0"],
    ),
    "tolerance to unordered": (
        lambda f: (rows(f)[2].update(compare="unordered"), rows(f)[2].pop("tolerance")),
        ["/cost: comparison of MUST_MATCH (R-3) loosened: tolerance 0.1 → unordered"],
    ),
    "a tolerance": (
        lambda f: rows(f)[2].update(tolerance=0.11),
        ["/cost: comparison of MUST_MATCH (R-3) loosened: tolerance 0.1 → tolerance 0.11"],
    ),
    "a field that has to differ": (
        lambda f: (rows(f)[3].update(rule="MUST_MATCH"), rows(f)[3].pop("values")),
        ["/store: rule loosened: MUST_DIFFER (R-4) → MUST_MATCH (R-4)"],
    ),
    "a field that has to differ and is not asked for": (
        lambda f: rows(f).pop(3),
        ["/store: rule loosened: MUST_DIFFER (R-4) → UNLISTED"],
    ),
    "the values of a field that has to differ": (
        lambda f: rows(f)[3].update(values={"new": "db"}),
        ['/store: values of MUST_DIFFER (R-4) changed: {"new":"pg"} → {"new":"db"}'],
    ),
    "a field that nobody named": (
        lambda f: rows(f)[4]["fields"].append("/trace"),
        ["/trace: rule loosened: UNLISTED → MAY_DIFFER (R-5)"],
    ),
    "every field that nobody named": (
        lambda f: rows(f)[4]["fields"].append(""),
        ["(top level): rule loosened: UNLISTED → MAY_DIFFER (R-5)"],
    ),
    "a field of the audit": (
        lambda f: rows(f)[5].update(rule="MAY_DIFFER"),
        ["audit /envelope: rule loosened: MUST_MATCH (R-6) → MAY_DIFFER (R-6)"],
    ),
    "a waiver added": (
        lambda f: f["waivers.json"]["waivers"].append({**WAIVER, "field": "/value"}),
        ["V-1 /value: waiver added, until 2027-01-31 (owner: me): so"],
    ),
    "a waiver extended": (
        lambda f: f["waivers.json"]["waivers"][0].update(expires="2027-02-01"),
        ["V-1 /reason: waiver extended: 2027-01-31 → 2027-02-01 (owner: me)"],
    ),
}

HARMLESS: dict[str, Callable[[Files], Any]] = {
    "nothing": lambda _: None,
    "a title": lambda f: vector(f, "V-1").update(title="Another"),
    "the order of vectors": lambda f: f["one.json"]["vectors"].reverse(),
    "the order of files": lambda f: f.update({"one.json": f.pop("one.json")}),
    "a vector in another file": lambda f: f["two.json"]["vectors"].append(
        f["one.json"]["vectors"].pop()
    ),
    "a file under another name": lambda f: f.update({"uno.json": f.pop("one.json")}),
    "the order of keys": lambda f: vector(f, "V-1").update(
        expected=dict(reversed(vector(f, "V-1")["expected"].items()))
    ),
    "a world under another name": lambda f: (
        f["one.json"]["worlds"].update(quiet=calm(f)),
        vector(f, "V-1").update(world="quiet"),
    ),
    "a world that nobody names": lambda f: f["one.json"]["worlds"].update(new={}),
    "a vector more": lambda f: f["one.json"]["vectors"].append({**PLAIN, "id": "V-3"}),
    "the value of a field that may differ": lambda f: vector(f, "V-1")["expected"].update(
        took_ms=7, store="x"
    ),
    "a description": lambda f: f["one.json"].update(description="new"),
    "the order of a mix": lambda f: phase(f)["mix"].reverse(),
    "the order of phases": lambda f: vector(f, "V-8")["stress"]["phases"].reverse(),
    "weights in proportion": lambda f: [c.update(weight=c["weight"] * 2) for c in phase(f)["mix"]],
    "a harder load": lambda f: (
        vector(f, "V-8")["stress"].update(p99_ms=99, concurrency=9),
        phase(f).update(calls=101),
    ),
    "a case more, with calls of its own": lambda f: phase(f).update(
        calls=125, mix=[*phase(f)["mix"], {**phase(f)["mix"][0], "id": "z", "weight": 1}]
    ),
    "a case with an expectation at last": lambda f: vector(f, "V-9")["cases"][1].update(
        expected={"value": 2}
    ),
    "an id required as well": lambda f: f["matrix.json"]["required"].append("V-2"),
    "the order of rows": lambda f: rows(f).reverse(),
    "a row's id and why": lambda f: rows(f)[0].update(id="R-9", why="Because."),
    "a row in two": lambda f: (
        rows(f)[0].update(fields=["/value"]),
        f["matrix.json"]["rows"].append(row(["/reason"])),
    ),
    "a default written out": lambda f: rows(f)[0].update(compare="exact"),
    "may differ to must match": lambda f: rows(f)[4].update(rule="MUST_MATCH"),
    "may differ to must differ": lambda f: rows(f)[4].update(rule="MUST_DIFFER"),
    "may differ to unlisted": lambda f: rows(f).pop(4),
    "must match to unlisted": lambda f: rows(f)[0]["fields"].remove("/reason"),
    "unlisted to must match": lambda f: rows(f)[0]["fields"].append("/new"),
    "a finer row of the same rule": lambda f: rows(f)[0]["fields"].append("/value/*/at"),
    "a part that is compared more closely": lambda f: rows(f)[0]["fields"].append("/chain/0"),
    "unordered to exact": lambda f: rows(f)[1].pop("compare"),
    "a smaller tolerance": lambda f: rows(f)[2].update(tolerance=0.09),
    "a waiver removed": lambda f: f["waivers.json"]["waivers"].clear(),
    "a waiver that ends earlier": lambda f: f["waivers.json"]["waivers"][0].update(
        expires="2027-01-30"
    ),
    "a waiver's owner and reason": lambda f: f["waivers.json"]["waivers"][0].update(
        owner="you", reason="still"
    ),
}


@pytest.mark.parametrize("what", WEAKENED)
def test_a_weakening_is_listed_with_the_old_and_the_new(tmp_path: Path, what: str) -> None:
    change, told = WEAKENED[what]
    found = compared(tmp_path, change)
    assert sorted(c.told for c in found) == sorted(told)
    for each in found:
        assert each.id.startswith(f"{each.kind} {each.subject} ")
        assert each.told.startswith(each.subject)
        seen = {"change": each.id, "who": "me", "why": "so"}
        document = {"schema_version": "1", "acknowledged": [seen]}
        assert schema.problems("acknowledgements.v1", document) == []


@pytest.mark.parametrize("what", HARMLESS)
def test_a_change_that_asks_no_less_is_not_listed(tmp_path: Path, what: str) -> None:
    assert compared(tmp_path, HARMLESS[what]) == ()


def test_the_shipped_standard_is_no_weaker_than_itself() -> None:
    names = ("parity_test_matrix.json", "jwt_claim_examples.json")
    standard = Standard(
        files=tuple(read_vector_file(SHIPPED / name) for name in names),
        matrix=read_matrix(SHIPPED / "cutover_parity_matrix.json"),
    )
    assert weakenings(standard, standard) == ()


def test_of_an_id_that_stands_twice_nothing_is_lost_unseen(tmp_path: Path) -> None:
    def twice(folder: Path, second: dict[str, Any]) -> Standard:
        given_files = files()
        other = {"worlds": WORLDS, "vectors": [{**PLAIN, "expected": second}]}
        return read(folder, {**given_files, "other.json": other})

    strict = twice(tmp_path / "strict", {"value": 5})
    lax = twice(tmp_path / "lax", {"value": 6})
    once = read(tmp_path / "once", files())
    assert weakenings(strict, strict) == ()
    assert [c.told for c in weakenings(strict, lax)] == ["V-1 /value: expectation changed: 5 → 6"]
    assert [c.told for c in weakenings(strict, once)] == ["V-1: vector removed: One"]


def test_without_a_matrix_before_its_rules_are_new_and_vectors_still_count(tmp_path: Path) -> None:
    older = files()
    del older["matrix.json"]
    before = read(tmp_path / "before", older)
    after = read(tmp_path / "after", files())
    assert weakenings(before, after) == ()
    fewer = msgspec.structs.replace(after, files=after.files[1:])
    assert [c.subject for c in weakenings(before, fewer)] == ["V-1", "V-2"]


def test_captured_cases_are_counted_and_not_told(tmp_path: Path) -> None:
    def standard(name: str, users: list[str]) -> Standard:
        folder = tmp_path / name
        folder.mkdir()
        lines = [json.dumps({"id": user, "request": {"user": user}}) for user in users]
        (folder / "capture.jsonl").write_text("\n".join(lines), "utf-8")
        document = {
            "schema_version": "1",
            "vectors": [{"id": "V-1", "title": "Real", "cases_file": "capture.jsonl"}],
        }
        (folder / "v.json").write_text(json.dumps(document), "utf-8")
        return Standard(files=(read_vector_file(folder / "v.json"),), matrix=None)

    before = standard("before", ["ann", "bob", "cy"])
    (change,) = weakenings(before, standard("after", ["ann", "dan"]))
    assert change.told == "V-1: captured cases gone or changed: 2 of 3"
    assert "bob" not in change.id
    assert weakenings(before, standard("more", ["ann", "bob", "cy", "dan"])) == ()


def test_an_acknowledgement_covers_this_change_and_no_later_one(tmp_path: Path) -> None:
    def changes(folder: str, reason: str) -> tuple[Change, ...]:
        (tmp_path / folder).mkdir()
        return compared(
            tmp_path / folder, lambda f: vector(f, "V-1")["expected"].update(reason=reason)
        )

    first, again, later = (changes(name, name[0]) for name in ("tenant", "t2", "other"))
    (change,) = first
    seen = Acknowledgement(change=change.id, who="me", why="so", line=1)
    assert unacknowledged(first, [seen]) == ()
    assert unacknowledged(again, [seen]) == ()
    assert unacknowledged(later, [seen]) == later
    near = msgspec.structs.replace(seen, change=change.id[:-1])
    assert unacknowledged(first, [near]) == first


def test_what_is_loosened_below_later_is_another_change(tmp_path: Path) -> None:
    def changes(folder: str, after: list[Any]) -> tuple[Change, ...]:
        both = [row(["/meta"]), row(["/meta/who"])]
        older = {**files(), "matrix.json": {"rows": both, "required": []}}
        newer = {**files(), "matrix.json": {"rows": after, "required": []}}
        (tmp_path / folder).mkdir()
        return weakenings(
            read(tmp_path / folder / "before", older), read(tmp_path / folder / "after", newer)
        )

    loose = row(["/meta"], "MAY_DIFFER")
    (first,) = changes("first", [loose, row(["/meta/who"])])
    (second,) = changes("second", [loose])
    assert first.subject == second.subject == "/meta"
    assert first.id != second.id


def test_secrets_and_control_characters_are_not_told(tmp_path: Path) -> None:
    def change(f: Files) -> None:
        vector(f, "V-1")["request"].update(user="Bearer abc.def.ghi")
        vector(f, "V-1")["expected"].update({"a\nb": 1})

    request, expectation = sorted(compared(tmp_path, change), key=lambda c: c.kind, reverse=True)
    assert "abc.def" not in request.told
    assert expectation.subject == "V-1 /a\\u000ab"
