from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from pytest_ffparity.formats import schema
from pytest_ffparity.paths.token_faults import TOKEN_FAULTS

OURS = (
    "acknowledgements.v1",
    "audit_envelope.v1",
    "cutover_parity_matrix.v1",
    "decision.v1",
    "parity_test_matrix.v1",
    "request.v1",
    "world.v1",
)


def objects(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Walk every schema that describes an object's properties; conditions only refine one."""
    if isinstance(node, dict):
        if "properties" in node:
            yield path, node
        for key, member in node.items():
            if key not in {"if", "then", "else"}:
                yield from objects(member, f"{path}/{key}")
    elif isinstance(node, list):
        for index, member in enumerate(node):
            yield from objects(member, f"{path}/{index}")


def sentences(name: str, document: Any) -> dict[str, str]:
    return {p.pointer: p.sentence for p in schema.problems(name, document)}


def matrix(**row: Any) -> dict[str, Any]:
    sound = {
        "id": "R-1",
        "document": "decision",
        "fields": ["/a"],
        "rule": "MUST_MATCH",
        "why": ".",
    }
    return {"schema_version": "1", "required": [], "rows": [{**sound, **row}]}


@pytest.mark.parametrize("name", schema.names())
def test_every_shipped_schema_is_a_schema_with_an_id_of_its_own(name: str) -> None:
    document = json.loads(schema.text(name))
    jsonschema_rs.meta.validate(document)
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert [n for n in schema.names() if json.loads(schema.text(n))["$id"] == document["$id"]] == [
        name
    ]


@pytest.mark.parametrize("name", OURS)
def test_every_object_that_is_ours_is_closed(name: str) -> None:
    is_open = {
        path
        for path, node in objects(json.loads(schema.text(name)))
        if node.get("additionalProperties") is not False
    }
    # A world is the user's own shape; only its `$` keys are ours.
    assert is_open == ({"/$defs/world"} if name == "parity_test_matrix.v1" else set())


@pytest.mark.parametrize("name", OURS)
def test_every_schema_says_what_it_describes(name: str) -> None:
    document = json.loads(schema.text(name))
    assert document["title"]
    assert document["description"]
    if "examples" in document:
        assert all(not schema.problems(name, example) for example in document["examples"])


def test_the_request_schema_knows_the_faults_that_a_token_can_have() -> None:
    bearer = json.loads(schema.text("request.v1"))["$defs"]["bearer"]
    known = bearer["properties"]["$bearer"]["properties"]["faults"]["items"]["enum"]
    assert sorted(known) == sorted(TOKEN_FAULTS)


@pytest.mark.parametrize(
    ("row", "pointer", "sentence"),
    [
        ({"id": 1}, "/rows/0/id", "found the number 1, expected text"),
        ({"fields": []}, "/rows/0/fields", "found an empty array, expected 1 or more items"),
        ({"fields": ["/a", "/a"]}, "/rows/0/fields", "found an array, expected each item once"),
        ({"why": ""}, "/rows/0/why", 'found the text "", expected 1 or more characters'),
        (
            {"rule": "MATCH"},
            "/rows/0/rule",
            'found the text "MATCH", expected one of "MUST_MATCH", "MUST_DIFFER", "MAY_DIFFER"',
        ),
        (
            {"feilds": []},
            "/rows/0/feilds",
            (
                'found an unknown key (did you mean "fields"?), expected one of compare, '
                "document, fields, id, rule, tolerance, values, why"
            ),
        ),
        (
            {"fields": ["a"]},
            "/rows/0/fields/0",
            (
                'found the text "a", expected a JSON pointer, with * for any one segment '
                "(pattern ^(/([^~/]|~[01])*)*$)"
            ),
        ),
        (
            {"compare": "tolerance"},
            "/rows/0/tolerance",
            'found nothing, expected the key "tolerance"',
        ),
        (
            {"compare": "tolerance", "tolerance": 0},
            "/rows/0/tolerance",
            "found the number 0, expected more than 0",
        ),
        (
            {"tolerance": 1},
            "/rows/0/tolerance",
            'found the number 1, expected a tolerance only with compare "tolerance"',
        ),
        (
            {"rule": "MAY_DIFFER", "compare": "exact"},
            "/rows/0/compare",
            'found the text "exact", expected a compare only with MUST_MATCH',
        ),
        (
            {"values": {"file": 1}},
            "/rows/0/values",
            "found an object, expected values only with MUST_DIFFER",
        ),
    ],
)
def test_a_problem_says_what_was_found_and_what_was_expected(
    row: dict[str, Any], pointer: str, sentence: str
) -> None:
    assert sentences("cutover_parity_matrix.v1", matrix(**row)) == {pointer: sentence}


def test_a_long_text_is_cut() -> None:
    (sentence,) = sentences("cutover_parity_matrix.v1", matrix(rule="x" * 1000)).values()
    assert len(sentence) < 160
    assert "…" in sentence


def test_the_alternative_that_was_meant_tells_its_problem() -> None:
    world = {
        "now": "2026-04-19",
        "flags": [
            {
                "flag_key": "f",
                "value_type": "bool",
                "default_value": True,
                "safe_value": False,
                "version": 1,
                "rollout": {"percentage": 101, "value": True, "salty": ""},
            }
        ],
    }
    found = sentences("world.v1", world)
    assert found["/flags/0/rollout/percentage"] == "found the number 101, expected 100 or less"
    assert 'did you mean "salt"' in found["/flags/0/rollout/salty"]
    assert found["/now"].startswith(
        'found the text "2026-04-19", expected an instant with an offset'
    )
    assert len(found) == 3


def test_a_sound_document_has_no_problems() -> None:
    assert schema.problems("cutover_parity_matrix.v1", matrix()) == []
