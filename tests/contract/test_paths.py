"""An address is at one path: where two paths differ by what their parameters may be, their types tell them apart."""

import re
from itertools import combinations
from typing import Any

import pytest

from tests.resolved import resolved
from todo.contract import API, SITE, Contract
from todo.contract.schemas import find_errors

JSON = dict[str, Any]
PARAMETER = re.compile(r"(.*)\{(\w+)\}(.*)")


def paths_of(contract: Contract) -> dict[str, dict[str, JSON]]:
    """Returns each path with the schemas of its parameters."""
    paths = resolved(contract)["paths"]
    return {
        operation.path: {
            parameter["name"]: parameter["schema"]
            for parameter in paths[operation.path][operation.method.lower()].get("parameters", [])
            if parameter["in"] == "path"
        }
        for operation in contract.operations
    }


def takes(segment: str, word: str, schemas: dict[str, JSON]) -> bool:
    """Returns whether a word may be in the place of a path's segment."""
    if not (parameter := PARAMETER.fullmatch(segment)):
        return segment == word
    before, name, after = parameter.groups()
    if not (word.startswith(before) and word.endswith(after) and len(word) > len(before + after)):
        return False
    value = word[len(before) : len(word) - len(after)]
    schema = schemas[name]
    return value.isdigit() if schema["type"] == "integer" else not find_errors(schema, value)


def is_ambiguous(one: str, other: str, paths: dict[str, dict[str, JSON]]) -> bool:
    """Returns whether an address may be at both paths, and neither is the more concrete one.

    Of two that differ in parameters of one of them only, the one without is taken (OpenAPI 3.0.3, Paths Object).
    """
    pairs = [(a, b) for a, b in zip(one.split("/"), other.split("/"), strict=False) if a != b]
    if one.count("/") != other.count("/"):
        return False
    if not any("{" in a and "{" not in b for a, b in pairs) or not any("{" in b and "{" not in a for a, b in pairs):
        return False
    return all(takes(a, b, paths[one]) or takes(b, a, paths[other]) or ("{" in a and "{" in b) for a, b in pairs)


def ambiguous(paths: dict[str, dict[str, JSON]]) -> list[tuple[str, str]]:
    return [(one, other) for one, other in combinations(paths, 2) if is_ambiguous(one, other, paths)]


@pytest.mark.parametrize("contract", [API, SITE], ids=lambda contract: contract.name)
def test_every_address_is_at_one_path(contract: Contract) -> None:
    assert ambiguous(paths_of(contract)) == []


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "integer"}, False),
        ({"type": "string", "pattern": "^[1-9]+$", "example": "12"}, False),
        ({"type": "string", "enum": ["search"]}, True),
        ({"type": "string"}, True),
    ],
)
def test_a_type_tells_two_paths_apart(schema: JSON, expected: bool) -> None:
    number: JSON = {"type": "string"}
    paths = {
        "/{name}/{id}/complete": {"name": number, "id": schema},
        "/{name}/search/{id}": {"name": number, "id": number},
    }
    assert bool(ambiguous(paths)) is expected


def test_the_more_concrete_path_is_taken() -> None:
    text: JSON = {"type": "string"}
    assert ambiguous({"/a/{x}/{y}": {"x": text, "y": text}, "/a/b/c": {}, "/a/{x}/c": {"x": text}}) == []


def test_two_parameters_in_one_place_are_the_same_to_an_address() -> None:
    text: JSON = {"type": "string"}
    paths = {"/{a}/{x}/complete": {"a": text, "x": text}, "/{b}/search/{y}": {"b": text, "y": text}}
    assert len(ambiguous(paths)) == 1
