"""Documents against the schemas that the package ships, with problems a person can act on."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Any, Final

import msgspec

from pytest_ffparity.formats.pointer import join

if TYPE_CHECKING:
    import jsonschema_rs

SUFFIX: Final = ".schema.json"
_LONGEST: Final = 60


class Problem(msgspec.Struct, frozen=True):
    """What is wrong at a pointer: what was found, and what was expected."""

    pointer: str
    sentence: str


def names() -> tuple[str, ...]:
    """Give the names of the shipped schemas, such as `decision.v1`."""
    found = (entry.name for entry in _folder().iterdir())
    return tuple(sorted(name.removesuffix(SUFFIX) for name in found if name.endswith(SUFFIX)))


@cache
def text(name: str) -> str:
    """Give the text of a shipped schema."""
    return (_folder() / f"{name}{SUFFIX}").read_text(encoding="utf-8")


def problems(name: str, document: Any) -> list[Problem]:
    """Check a document against a shipped schema.

    Returns:
        Every problem once; `[]` for a sound document.
    """
    schema, validator = _compiled(name)
    # A branch of if/then/else repeats what its parent has found.
    return list(dict.fromkeys(_told(validator.iter_errors(document), schema)))


def found_text(value: Any) -> str:
    """Say what was found: the kind of a JSON value, and the value itself when it is short."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, dict):
        return "an object" if value else "an empty object"
    if isinstance(value, list):
        return "an array" if value else "an empty array"
    kind = "the text" if isinstance(value, str) else "the number"
    shown = json.dumps(value, ensure_ascii=False)
    return f"{kind} {shown if len(shown) <= _LONGEST else shown[:_LONGEST] + '…'}"


def guess(name: str, known: Iterable[str]) -> str:
    """Give ` (did you mean "x"?)` where a known name is close, else nothing."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f' (did you mean "{close[0]}"?)' if close else ""


def _folder() -> Traversable:
    return resources.files("pytest_ffparity") / "schemas"


@cache
def _compiled(name: str) -> tuple[dict[str, Any], jsonschema_rs.Validator]:
    # Loaded here, so that a run which reads no file does not pay for the validator.
    import jsonschema_rs  # noqa: PLC0415

    schema = json.loads(text(name))
    return schema, jsonschema_rs.validator_for(schema)


def _told(
    errors: Iterable[jsonschema_rs.ValidationError], schema: dict[str, Any]
) -> Iterator[Problem]:
    for error in errors:
        yield from _tell(error, schema)


def _tell(error: jsonschema_rs.ValidationError, schema: dict[str, Any]) -> Iterator[Problem]:
    path = error.instance_path
    kind = error.kind.name
    facts = error.kind.as_dict()
    if kind == "oneOf" and not all(facts["context"]):
        # It fits more than one alternative: none of them has an error to tell.
        sentence = f"found {found_text(error.instance)} that fits several alternatives, expected "
        keys = {key for one in _at(schema, error.schema_path) for key in one.get("required", ())}
        named = f"one alone of the keys {_listed(sorted(keys))}" if keys else "one alone"
        yield Problem(join(path), sentence + named)
    elif kind in {"anyOf", "oneOf"} and "context" in facts:
        yield from _told(_closest(facts["context"], len(path)), schema)
    elif kind in {"additionalProperties", "unevaluatedProperties"}:
        known = sorted(_at(schema, error.schema_path[:-1]).get("properties", {}))
        for key in facts["unexpected"]:
            sentence = f"found an unknown key{guess(key, known)}, expected one of {_listed(known)}"
            yield Problem(join([*path, key]), sentence)
    elif kind == "propertyNames":
        name = facts["error"].instance
        rule = _expected(facts["error"], _at(schema, error.schema_path[:-1]))
        yield Problem(join([*path, name]), f"found the key {json.dumps(name)}, expected {rule}")
    else:
        parent = _at(schema, error.schema_path[:-1])
        found = "nothing" if kind == "required" else found_text(error.instance)
        pointer = join([*path, facts["property"]] if kind == "required" else path)
        if kind == "falseSchema":
            parent = _at(schema, error.schema_path)
        yield Problem(pointer, f"found {found}, expected {_expected(error, parent)}")


def _closest(
    branches: list[list[jsonschema_rs.ValidationError]], depth: int
) -> list[jsonschema_rs.ValidationError]:
    """Choose the alternative that the document meant: of the right kind, then least wrong."""

    def distance(branch: list[jsonschema_rs.ValidationError]) -> tuple[bool, int]:
        wrong_kind = any(
            len(e.instance_path) == depth and e.kind.name in {"type", "const", "enum"}
            for e in branch
        )
        return wrong_kind, len(branch)

    return min(branches, key=distance)


def _expected(error: jsonschema_rs.ValidationError, parent: Any) -> str:
    """Say what a schema expects, by its own words (`description`) where it has some."""
    facts = error.kind.as_dict()
    kind = error.kind.name
    described = str(parent.get("description") or "") if isinstance(parent, dict) else ""
    if kind in _LIMITS:
        return _LIMITS[kind].format(facts["limit"])
    match kind:
        case "type":
            return " or ".join(_KINDS[name] for name in sorted(facts["types"], reverse=True))
        case "enum":
            return "one of " + ", ".join(map(json.dumps, facts["options"]))
        case "const":
            return json.dumps(facts["expected_value"])
        case "uniqueItems":
            return "each item once"
        case "required":
            return f"the key {json.dumps(facts['property'])}"
        case "pattern":
            return f"{described or 'text'} (pattern {facts['pattern']})"
        case "falseSchema":
            return "no such key here"
    return described or f"what the schema's {kind} asks for"


_KINDS: Final = {
    "array": "an array",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
    "number": "a number",
    "object": "an object",
    "string": "text",
}
_LIMITS: Final = {
    "minItems": "{} or more items",
    "maxItems": "{} or fewer items",
    "minProperties": "{} or more keys",
    "maxProperties": "{} or fewer keys",
    "minLength": "{} or more characters",
    "maxLength": "{} or fewer characters",
    "minimum": "{} or more",
    "maximum": "{} or less",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
}


def _at(schema: Any, path: Iterable[str | int]) -> Any:
    for segment in path:
        schema = schema[segment]
    return schema


def _listed(known: list[str]) -> str:
    return ", ".join(known) if known else "no keys at all"
