"""Messages: about every keyword of the contract, and never with a caller's value in them."""

from typing import Any

import httpx
import orjson
import pytest

from tests.handlers.test_todos import add, problem
from todo.contract import API, SITE
from todo.contract.names import ALIASES, ELSEWHERE, MISNOMERS
from todo.contract.schemas import as_meant, find_errors, whole_numbers
from todo.errors import InvalidRequest
from todo.http.json_body import parse_json


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        ({"type": "string"}, 1, "must be text"),
        ({"type": "integer"}, "1", "must be a whole number without quotation marks"),
        ({"type": "integer"}, 1.5, "must be a whole number"),
        ({"type": "integer"}, True, "must be a whole number"),
        ({"type": "boolean"}, 1, "must be true or false"),
        ({"type": "array"}, {}, "must be a list"),
        ({"type": "object"}, [], "must be an object"),
        ({"type": "string", "nullable": True}, 1, "must be text or null"),
        ({"enum": ["a", "b", None]}, "c", "must be one of a, b"),
        ({"oneOf": [{"type": "string", "enum": ["a", "b"]}, {"enum": [None]}]}, "c", "must be one of a, b"),
        ({"oneOf": [{"type": "string", "enum": ["a", "b"]}, {"enum": [None]}]}, 1, "must be one of a, b"),
        ({"oneOf": [{"type": "string"}, {"type": "integer", "minimum": 1}]}, 0, "must be at least 1"),
        ({"oneOf": [{"type": "string"}, {"type": "integer"}]}, True, "must be text or a whole number"),
        ({"minimum": 1}, 0, "must be at least 1"),
        ({"maximum": 1}, 2, "must be at most 1"),
        ({"minLength": 1}, "", "must not be empty"),
        ({"minProperties": 1}, {}, "must not be empty"),
        ({"maxLength": 1}, "ab", "must have at most 1 characters"),
        ({"maxItems": 1}, [1, 2], "must have at most 1 items"),
        ({"pattern": "^a$", "example": "a"}, "a\n", "must have the form of this example: a"),
        ({"multipleOf": 2}, 3, "violates multipleOf of the contract"),
        ({"type": "boolean", "nullable": True}, "true", "must be true or false without quotation marks or null"),
        ({"type": "string", "enum": ["a", "b"]}, 1, "must be one of a, b"),
        ({"enum": ["a"], "x-cure": "not b"}, "b", "must be one of a (not b)"),
        (
            {"type": "array", "items": {"type": "string"}, "nullable": True, "example": ["a"]},
            "a",
            'must be a list of texts, such as ["a"] or null',
        ),
        ({"type": "array", "minItems": 1, "example": [{"a": 1}]}, [], 'must not be empty, such as [{"a":1}]'),
        ({"type": "object", "minProperties": 1, "properties": {"a": {}}}, {}, "must not be empty; fields are a"),
        (
            {"type": "string", "pattern": "^a$", "example": "a", "x-cure": "b"},
            "c",
            "must have the form of this example: a (b)",
        ),
    ],
)
def test_message(schema: dict[str, Any], value: Any, message: str) -> None:
    assert [(error.field, error.message) for error in find_errors(schema, value)] == [("body", message)]


def test_null_is_let_through_where_the_contract_says_so() -> None:
    assert find_errors({"type": "string", "nullable": True, "maxLength": 1}, None) == []


def test_strange_names_are_not_repeated() -> None:
    schema = {"type": "object", "properties": {"a": {}}, "additionalProperties": False}
    for name in ("x" * 100, "<script>", "a b", "\n"):
        (error,) = find_errors(schema, {name: 1})
        assert (error.field, error.message) == ("(name withheld)", "is not a known field; known fields are a")


def test_each_field_is_named_once() -> None:
    (error,) = find_errors({"minLength": 1, "pattern": "^a$", "example": "a"}, "")
    assert error.message == "must not be empty"


def schemas_with_a_pattern(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, list):
        return [found for item in node for found in schemas_with_a_pattern(item)]
    if not isinstance(node, dict):
        return []
    here = [node] if isinstance(node.get("pattern"), str) else []
    return here + [found for item in node.values() for found in schemas_with_a_pattern(item)]


def test_every_pattern_has_the_example_that_its_message_shows() -> None:
    found = schemas_with_a_pattern([API.document, SITE.document])
    assert found
    assert all("example" in schema for schema in found)


@pytest.mark.parametrize("depth", [0, 15])
def test_nesting_that_any_parser_can_take(depth: int) -> None:
    assert parse_json(b"[" * depth + b"1" + b"]" * depth)


@pytest.mark.parametrize(
    "data",
    [b'{"a": {"b": 1, "b": 2}}', b'[{"a": 1}, {"a" : 1, "\\u0061"\n: 2}]', b"[" * 16 + b"]" * 16 + b" ", b"[1", b"-"],
)
def test_texts_that_are_refused(data: bytes) -> None:
    if data.startswith(b"[[["):
        data = b"[" + data.strip() + b"]"
    with pytest.raises(InvalidRequest):
        parse_json(data)


def test_equal_keys_of_different_objects_are_fine() -> None:
    assert parse_json(b'[{"a": "\\"a\\": 1"}, {"a": {"a": 2}}]') == [{"a": '"a": 1'}, {"a": {"a": 2}}]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"a": 1.0}, {"a": 1}),
        ({"a": -0.0}, {"a": 0}),
        ({"a": 1.5}, {"a": 1.5}),
        ({"a": "1.0"}, {"a": "1.0"}),
        ({"b": 1.0, "c": 1.0}, {"b": 1.0, "c": 1.0}),
        ({"d": [{"a": 2.0}, 3.0]}, {"d": [{"a": 2}, 3.0]}),
        ([2.0], [2.0]),
        (None, None),
    ],
)
def test_numbers_without_a_fraction_are_whole_where_the_contract_says_integer(given: Any, wanted: Any) -> None:
    whole, text = {"type": "integer"}, {"type": "string"}
    schema = {"properties": {"a": whole, "b": text, "d": {"items": {"type": "object", "properties": {"a": whole}}}}}
    # As JSON, since 1.0 equals 1.
    assert orjson.dumps(whole_numbers(schema, given)) == orjson.dumps(wanted)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"todo_id": 1}, {"id": 1}),
        ({"id": 1, "todo_id": 2}, {"id": 1, "todo_id": 2}),
        ({"d": [{"todo_id": 1.0}, {"query": "a"}]}, {"d": [{"id": 1}, {"query": "a"}]}),
        ([{"todo_id": 1}], [{"todo_id": 1}]),
        (5, 5),
    ],
)
def test_a_field_may_come_under_its_other_name(given: Any, wanted: Any) -> None:
    fields = {"id": {"type": "integer"}}
    schema = {"properties": {**fields, "d": {"items": {"properties": fields}}}}
    assert orjson.dumps(as_meant(schema, given)) == orjson.dumps(wanted)


def test_other_names_are_none_of_a_field() -> None:
    for contract in (API, SITE):
        for schema in contract.document["components"]["schemas"].values():
            names = schema.get("properties", {}).keys() & ALIASES.keys()
            assert not any(ALIASES[name] in names for name in names)


def test_made_up_names_are_of_fields_that_there_are() -> None:
    fields = {
        name for schema in API.document["components"]["schemas"].values() for name in schema.get("properties", {})
    }
    parameters = {parameter["name"] for parameter in API.document["components"]["parameters"].values()}
    assert fields | parameters >= MISNOMERS.keys()
    assert all(name not in names for name, names in MISNOMERS.items())
    tools = {operation.id for operation in API.operations}
    assert tools >= {tool for named in ELSEWHERE for tool in named.split(" or ")}


@pytest.mark.parametrize("query", ["q=milk", "query=milk"])
def test_both_names_of_a_parameter_find_the_same(client: httpx.Client, name: str, query: str) -> None:
    add(client, name)
    add(client, name, "other")
    assert client.get(f"/todos/{name}?{query}").json()["total"] == 1
    (found,) = client.get(f"/todos/{name}/search?{query}").json()["results"]
    assert found["id"] == "1"


def test_both_names_of_a_parameter_at_once_are_refused(client: httpx.Client, name: str) -> None:
    for path in (f"/todos/{name}", f"/todos/{name}/search"):
        answer = problem(client.get(f"{path}?q=a&query=b"), 400, "invalid_request")
        assert [error["message"] for error in answer["errors"]] == ["must be one value, given only once"]
