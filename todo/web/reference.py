"""The API reference at /docs: operations by tag, and the objects that they take and return."""

import json
import shlex
from collections.abc import Iterator
from typing import Any, NamedTuple

from todo.contract import API, Operation

JSON = dict[str, Any]
REF = "#/components/schemas/"
NAMES = {"string": "text", "integer": "whole number", "boolean": "true or false", "number": "number"}


class Field(NamedTuple):
    """A parameter or a property as the reference shows it."""

    name: str
    kind: str  # in words
    required: bool
    description: str
    object: str  # the schema of its objects, or ""


class Described(NamedTuple):
    """An operation as the reference shows it."""

    id: str
    method: str
    path: str
    spec: JSON
    scope: str
    parameters: list[Field]
    body: str  # its schema, or ""
    answers: list[tuple[str, str, str]]  # status, description and schema
    curl: str


def groups(public_url: str) -> list[tuple[JSON, list[Described]]]:
    """Returns the tags of the contract, each with its operations."""
    described = [_described(operation, public_url) for operation in API.operations]
    return [(tag, [one for one in described if tag["name"] in one.spec["tags"]]) for tag in API.document["tags"]]


def objects() -> list[tuple[str, JSON, list[Field], str]]:
    """Returns the objects of the contract by name, each with its schema, its fields and an example in JSON."""
    return [
        (name, schema, list(_fields(schema)), json.dumps(schema["example"], indent=2, ensure_ascii=False))
        for name, schema in sorted(API.document["components"]["schemas"].items())
        if "properties" in schema
    ]


def _described(operation: Operation, public_url: str) -> Described:
    spec = operation.spec
    parameters = [API.resolve(parameter) for parameter in spec.get("parameters", [])]
    body = API.resolve(spec.get("requestBody", {}))
    return Described(
        operation.id,
        operation.method,
        operation.path,
        spec,
        " ".join(scheme["oauth"][0] for scheme in spec["security"] if "oauth" in scheme),
        [_field(given["name"], given, given["schema"], required=given.get("required", False)) for given in parameters],
        _object(_content(body)),
        [(status, answer["description"], _object(_content(answer))) for status, answer in _answers(spec)],
        _curl(operation, public_url, parameters, body),
    )


def _answers(spec: JSON) -> Iterator[tuple[str, JSON]]:
    return ((status, API.resolve(answer)) for status, answer in spec["responses"].items())


def _content(holder: JSON) -> JSON:
    """Returns the schema of a body, or {}."""
    schema: JSON = next(iter(holder.get("content", {"": {}}).values())).get("schema", {})
    return schema


def _fields(schema: JSON) -> Iterator[Field]:
    for name, given in schema["properties"].items():
        yield _field(name, API.resolve(given), given, required=name in schema.get("required", ()))


def _field(name: str, told: JSON, schema: JSON, *, required: bool) -> Field:
    return Field(name, _kind(schema), required, told.get("description", ""), _object(schema))


def _object(schema: JSON) -> str:
    """Returns the name of the schema of an object, or of the objects in a list, or ""."""
    if "$ref" in schema and "properties" in API.resolve(schema):
        return str(schema["$ref"]).removeprefix(REF)
    found = API.resolve(schema)
    held = [found["items"]] if "items" in found else found.get("oneOf", [])
    return next(filter(None, map(_object, held)), "")


def _kind(schema: JSON) -> str:
    """Returns in words what a value can be."""
    found = API.resolve(schema)
    if "oneOf" in found:
        return " or ".join(map(_kind, found["oneOf"]))
    if "enum" in found:
        kind = ", ".join("null" if value is None else str(value) for value in found["enum"])
    elif found.get("type") == "array":
        kind = f"list of {_kind(found['items'])}"
    else:
        kind = NAMES.get(found.get("type", "object"), "object")
    return kind + "".join(_limits(found))


def _limits(schema: JSON) -> Iterator[str]:
    most = schema.get("maxLength")
    if most:
        yield f", at most {most} characters"
    if "maxItems" in schema:
        yield f", at most {schema['maxItems']}"
    if "minimum" in schema and "maximum" in schema:
        yield f" from {schema['minimum']} to {schema['maximum']}"
    if schema.get("nullable") and "enum" not in schema:
        yield ", or null"
    if "default" in schema:
        yield f"; usually {json.dumps(schema['default'])}"


def _curl(operation: Operation, public_url: str, parameters: list[JSON], body: JSON) -> str:
    """Returns a command to try, with the examples of the contract for the required parameters."""
    path = operation.path
    needed = [given for given in parameters if given.get("required")]
    for given in needed:
        path = path.replace(f"{{{given['name']}}}", str(given["example"]))
    query = "&".join(f"{given['name']}={given['example']}" for given in needed if given["in"] == "query")
    words = ["curl", *(["-X", operation.method] if operation.method not in ("GET", "POST") else [])]
    words.append(shlex.quote(f"{public_url}{path}{'?' if query else ''}{query}".replace(" ", "%20")))
    words.append('-H "Authorization: Bearer $KEY"')
    if operation.method == "POST" or body.get("required"):
        example = API.resolve(_content(body))["example"] if body.get("required") else {}
        words.append("-H 'Content-Type: application/json' -d " + shlex.quote(json.dumps(example, ensure_ascii=False)))
    return " ".join(words)
