"""The rules that a contract must meet before the service starts; `make spec` shows every violation."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from todo.startup import CannotStart

SPEC = Path(__file__).parent.parent / "spec"

Place = Sequence[str | int]

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the safe loader in C, if PyYAML has it
# What each operation must have, and how to write it.
REQUIRED = {
    "operationId": "write verb_noun, the name of its handler",
    "summary": "write one line that says what it does",
    "tags": "write the one tag that it belongs to, a list of one",
    "x-openapi-router-controller": "write handlers. and its tag",
    "responses": "describe each answer",
}


class ContractError(CannotStart):
    """A contract in spec/ is wrong; the message names the file, the line, the operation and the cure."""


def parse(name: str, text: str) -> dict[str, Any]:
    """Returns the document. Raises ContractError."""
    try:
        document = yaml.load(text, Loader=LOADER)  # noqa: S506
    except yaml.YAMLError as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise ContractError(f"spec/{name}{line}: this is not YAML ({problem}): correct that line.") from None
    if not isinstance(document, dict):
        raise ContractError(f"spec/{name}: this is not an OpenAPI document: begin it with `openapi: 3.0.3`.")
    return document


def sentence(name: str, text: str, place: Place, wrong: str) -> str:
    """Returns the sentence for a mistake in a file; `place` is the path of keys that leads to it."""
    return f"spec/{name}, line {line_of(text, place)}{_operation_at(text, place)}: {wrong}."


def forbidden(message: str) -> str:
    """Returns a message from OpenAPI's own schema, shortened, since some quote half of the file."""
    return f"{' '.join(message.split())[:200].rstrip('.')}: see the OpenAPI 3.0.3 specification"


def repeated_keys(name: str, text: str) -> Iterator[str]:
    """Yields a sentence for each duplicate key in a mapping, of which YAML would take the last."""
    nodes = [yaml.compose(text, Loader=LOADER)]
    while nodes:
        node = nodes.pop()
        if isinstance(node, yaml.SequenceNode):
            nodes += node.value
        if not isinstance(node, yaml.MappingNode):
            continue
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                yield f"spec/{name}, line {key.start_mark.line + 1}: {key.value} is there twice: remove one of them."
            seen.add(key.value)
            nodes.append(value)


def line_of(text: str, place: Place) -> int:
    """Returns the line of the last key of `place` that the file has."""
    node, line = yaml.compose(text, Loader=LOADER), 1
    for key in place:
        if isinstance(node, yaml.MappingNode):
            found = [(name, value) for name, value in node.value if name.value == str(key)]
            if not found:
                break
            line, node = found[0][0].start_mark.line + 1, found[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
            line = node.start_mark.line + 1
        else:
            break
    return line


def _operation_at(text: str, place: Place) -> str:
    if len(place) < 3 or place[0] != "paths":
        return ""
    operation = yaml.load(text, Loader=LOADER)["paths"][place[1]][place[2]]  # noqa: S506
    name = operation.get("operationId") if isinstance(operation, dict) else None
    return f", {name or f'{str(place[2]).upper()} {place[1]}'}"


def mistakes(name: str, text: str, document: dict[str, Any]) -> Iterator[str]:
    """Yields a sentence for each mistake that would keep the service from starting."""
    for place, wrong in (*_of_document(text, document), *missing_references(document), *_of_operations(document)):
        yield sentence(name, text, place, wrong)


def _of_document(text: str, document: dict[str, Any]) -> Iterator[tuple[Place, str]]:
    if not str(document.get("openapi", "")).startswith("3.0."):
        yield ("openapi",), "openapi must be 3.0.3, which Connexion reads"
    for key in ("info", "servers", "paths", "components", "tags"):
        if not document.get(key):
            yield (key,), f"{key} is missing: a contract needs it"
    if "{{" in text:
        yield (), "the file has two opening braces together, which Connexion reads as a template: separate them"


def missing_references(document: dict[str, Any]) -> Iterator[tuple[Place, str]]:
    """Yields the place of each $ref that leads nowhere, and what is wrong with it."""
    for place, node in _walk(document, ()):
        reference = node.get("$ref")
        if isinstance(reference, str) and reference.startswith("#/") and not _has(document, reference):
            yield place, f"$ref leads to {reference}, which does not exist: add it, or correct the name"


def _walk(node: Any, place: tuple[str | int, ...]) -> Iterator[tuple[Place, dict[str, Any]]]:
    if isinstance(node, dict):
        yield place, node
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in children:
        if key != "example":
            yield from _walk(child, (*place, key))


def _has(document: Any, reference: str) -> bool:
    for part in reference.removeprefix("#/").split("/"):
        if not isinstance(document, dict) or part not in document:
            return False
        document = document[part]
    return True


def _of_operations(document: dict[str, Any]) -> Iterator[tuple[Place, str]]:
    seen: dict[str, str] = {}
    declared = {tag.get("name") for tag in document.get("tags") or [] if isinstance(tag, dict)}
    for path, item in (document.get("paths") or {}).items():
        for method, operation in (item or {}).items():
            place = ("paths", path, method)
            if method not in METHODS:
                yield place, f"{method} is not an HTTP method: write parameters on each operation"
            elif not isinstance(operation, dict):
                yield place, "the operation is empty: describe it, or remove the method"
            else:
                yield from _of_operation(place, operation, declared)
                known = seen.setdefault(str(operation.get("operationId")), f"{method.upper()} {path}")
                if known != f"{method.upper()} {path}":
                    yield (*place, "operationId"), f"{known} has this operationId already: choose another"


def _of_operation(
    place: tuple[str, str, str], operation: dict[str, Any], declared: set[Any]
) -> Iterator[tuple[Place, str]]:
    for key, cure in REQUIRED.items():
        if not operation.get(key):
            yield place, f"{key} is missing: {cure}"
    for tag in operation.get("tags") or []:
        if tag not in declared:
            yield (*place, "tags"), f"the tag {tag} is not declared: add it to the tags of the document, or correct it"
    controller, tags = operation.get("x-openapi-router-controller"), operation.get("tags") or [""]
    if controller and tags[0] and controller != f"handlers.{tags[0]}":
        yield (*place, "x-openapi-router-controller"), f"it must be handlers.{tags[0]}, after the tag"
    parameters = operation.get("parameters") or []
    written = {p.get("name") for p in parameters if isinstance(p, dict) and p.get("in") == "path"}
    missing = set(re.findall(r"\{(.+?)\}", place[1])) - written
    if missing and not any("$ref" in p for p in parameters if isinstance(p, dict)):
        yield (*place, "parameters"), f"{', '.join(sorted(missing))} of the path is not a parameter: describe it"
