"""The two hand-written OpenAPI contracts in spec/, read once: the only source of limits, enums and routes."""

import re
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import yaml

from todo.contract_rules import LOADER, METHODS, SPEC, ContractError, mistakes, parse, sentence

ON_THE_LOOP = "x-on-the-loop"  # served on the event loop, without a thread
ANY_ORIGIN = "x-any-origin"  # may be called from any web page (CORS): tokens and metadata

JSON = dict[str, Any]


@dataclass(frozen=True)
class Operation:
    """One operation: its method in upper case, its path template and its Operation Object (OpenAPI 3.0.3)."""

    method: str
    path: str
    spec: JSON

    @property
    def id(self) -> str:
        return str(self.spec["operationId"])

    @property
    def handler(self) -> str:
        """Returns the full name of the handler function."""
        return f"{self.spec['x-openapi-router-controller']}.{self.id}"


class Contract:
    """One OpenAPI file: `text` as written, `document` parsed. Components of `shared` are merged into the document.

    Raises ContractError for a mistake that would keep the service from starting.
    """

    def __init__(self, file: Path, shared: "Contract | None" = None) -> None:
        self.name = file.name
        self.text = file.read_text(encoding="utf-8")
        self.document: JSON = parse(self.name, self.text)
        if shared:
            self.document = _localize(self.document, shared.name)
            for kind, components in shared.document["components"].items():
                self.document.setdefault("components", {}).setdefault(kind, {}).update(components)
        for mistake in mistakes(self.name, self.text, self.document):
            raise ContractError(mistake)

    @cached_property
    def operations(self) -> list[Operation]:
        """Returns all operations, in file order."""
        return [
            Operation(method.upper(), path, spec)
            for path, item in self.document["paths"].items()
            for method, spec in item.items()
            if method in METHODS
        ]

    def without(self, extension: str) -> "Contract":
        """Returns a copy without the operations that have this x- extension."""
        return self._filtered(lambda operation: extension not in operation.spec)

    def only(self, extension: str) -> "Contract":
        """Returns a copy with only the operations that have this x- extension."""
        return self._filtered(lambda operation: extension in operation.spec)

    def _filtered(self, wanted: Callable[[Operation], bool]) -> "Contract":
        paths: JSON = {}
        for operation in filter(wanted, self.operations):
            paths.setdefault(operation.path, {})[operation.method.lower()] = operation.spec
        reduced = copy(self)
        reduced.document = {**self.document, "paths": paths}
        reduced.__dict__.pop("operations", None)
        return reduced

    def resolve(self, node: JSON) -> JSON:
        """Returns the node that a local $ref points to, or `node` if it has none."""
        while "$ref" in node:
            target: Any = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node

    def parameters(self, operation: Operation, place: str) -> Iterator[JSON]:
        """Yields the operation's parameters in `place` (path or query), with their schemas resolved."""
        for parameter in map(self.resolve, operation.spec.get("parameters", [])):
            if parameter["in"] == place:
                yield {**parameter, "schema": self.resolve(parameter["schema"])}

    def schema(self, name: str) -> JSON:
        """Returns the named schema of components, with its $refs."""
        schemas = self.document["components"]["schemas"]
        if name not in schemas:
            raise self.error(("components", "schemas"), f"the schema {name} is missing: the service reads it")
        return dict(schemas[name])

    def resolved_schema(self, name: str) -> JSON:
        """Returns the named schema of components, with all $refs resolved."""
        return dict(self._resolved(self.schema(name)))

    def _resolved(self, node: Any) -> Any:
        if isinstance(node, dict):
            return {key: self._resolved(value) for key, value in self.resolve(node).items()}
        return [self._resolved(item) for item in node] if isinstance(node, list) else node

    def enum(self, name: str) -> list[str]:
        """Returns the values of the named enum schema, in file order, without null."""
        return [value for value in self.schema(name)["enum"] if value is not None]

    def limit(self, name: str) -> int:
        """Returns a value of info.x-limits; the unit is part of the name."""
        limits = self.document["info"].get("x-limits", {})
        if not isinstance(limits.get(name), int):
            raise self.error(("info", "x-limits"), f"{name} is missing or no whole number: the service reads it")
        return int(limits[name])

    def error(self, place: Sequence[str | int], wrong: str) -> ContractError:
        """Returns a ContractError for a mistake at `place`, the path of keys in the file."""
        return ContractError(sentence(self.name, self.text, place, wrong))

    def error_of(self, operation_id: str, wrong: str) -> ContractError:
        """Returns a ContractError for a mistake in an operation."""
        for operation in self.operations:
            if operation.id == operation_id:
                return self.error(("paths", operation.path, operation.method.lower()), wrong)
        return ContractError(f"spec/{self.name}, {operation_id}: {wrong}.")

    @property
    def scopes(self) -> dict[str, str]:
        """Returns the OAuth scopes, each with its description for people."""
        flows = self.document["components"]["securitySchemes"]["oauth"]["flows"]
        return dict(flows["authorizationCode"]["scopes"])

    def text_for(self, server_url: str) -> str:
        """Returns the file byte for byte, except for this server's URL in `servers` and in the oauth scheme."""
        written = self.document["servers"][0]["url"]
        return re.sub(
            rf"^( +(?:- url|authorizationUrl|tokenUrl|refreshUrl): ){re.escape(written)}",
            lambda found: found[1] + server_url,
            self.text,
            flags=re.MULTILINE,
        )

    def document_for(self, server_url: str) -> JSON:
        """Returns the contract as a dict, with this server's URL."""
        return _parse(self.text_for(server_url))


@lru_cache(maxsize=4)
def _parse(text: str) -> JSON:
    return dict(yaml.load(text, Loader=LOADER))  # noqa: S506


def _localize(node: Any, file: str) -> Any:
    """Returns `node` with $refs into `file` made local, the only kind that Connexion resolves."""
    if isinstance(node, dict):
        return {
            key: value.removeprefix(file) if key == "$ref" else _localize(value, file) for key, value in node.items()
        }
    return [_localize(item, file) for item in node] if isinstance(node, list) else node


API = Contract(SPEC / "openapi.yaml")
SITE = Contract(SPEC / "site.yaml", shared=API)
