"""MCP tools, made from the contract's operations: their schemas and hints, and how arguments are passed on."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from todo.contract import Contract, Operation
from todo.contract.names import aliases_of, rename
from todo.contract.schemas import whole_numbers
from todo.http.operations import NO_BODY
from todo.http.parameters import read_parameter

JSON = dict[str, Any]

# With a user's own token, the username is known.
USERNAME, MINE = "username", "me"
# What a model needs to make a call. Patterns and lengths are left out, as a refusal says what is wrong.
KEPT_ON_THE_WAY_IN = ("type", "default", "enum")
TOLD_ELSEWHERE = "x-told-elsewhere"  # fields of an operation that other tools describe: their types are enough
# Idempotent methods; x-idempotent marks operations of other methods.
IDEMPOTENT_METHODS = ("GET", "PATCH", "PUT", "DELETE")
NAME = "x-mcp-name"  # the name of a tool, if the operation has another


class Call(NamedTuple):
    """The arguments of a tool call as its operation takes them: parameters by name, and a body or NO_BODY."""

    path: JSON
    query: JSON
    body: Any


class Tool:
    """One operation of a contract as a tool."""

    def __init__(self, contract: Contract, operation: Operation) -> None:
        self.contract = contract
        self.operation = operation
        self.name = name_of(operation)
        self._path = {parameter["name"]: parameter for parameter in contract.parameters(operation, "path")}
        self._query = {parameter["name"]: parameter for parameter in contract.parameters(operation, "query")}
        self._body = self._body_schema()
        self._needs_body = bool(operation.spec.get("requestBody", {}).get("required"))
        # The arguments of every write, and the username, are described once, in the instructions.
        self._told = {USERNAME, *contract.schema("WriteOptions")["properties"]}
        self._bare = set(operation.spec.get(TOLD_ELSEWHERE, ()))
        self._aliases = aliases_of({*self._path, *self._query, *self._body_fields})
        if len({*self._path, *self._query, *self._body_fields}) < sum(map(len, self._places)):
            raise ValueError(f"{self.name}: two of its parameters and fields have the same name.")

    def definition(self, *, for_service: bool) -> JSON:
        """Returns the tool as tools/list shows it. With the service key, username is an argument."""
        return {
            "name": self.name,
            "title": self.operation.spec["summary"],
            "description": self.operation.spec["description"],
            "inputSchema": self._input_schema(with_username=for_service),
            "outputSchema": self._output_schema(),
            "annotations": self._hints(),
            # With the service key, hosts do not ask people to sign in.
            **({} if for_service else {"_meta": {"securitySchemes": list(self._security_schemes())}}),
        }

    def call(self, arguments: Mapping[str, Any], username: str | None = None) -> Call:
        """Returns the operation's arguments; `username` is used if none is given.

        Null means not set, so it is left out. The operation validates the rest.
        """
        given = {**({USERNAME: username} if username else {}), **rename(_without_null(arguments), self._aliases)}
        path, query, body = {}, {}, {}
        for name, value in given.items():
            if name in self._path:
                path[name] = _parameter(self._path[name]["schema"], value)
            elif name in self._query:
                query[name] = _parameter(self._query[name]["schema"], value)
            elif self._body is None:
                query[name] = value  # the operation refuses it as unknown
            else:
                body[name] = value
        return Call(path, query, body if body or self._needs_body else NO_BODY)

    @property
    def _body_fields(self) -> JSON:
        return self._body["properties"] if self._body else {}

    @property
    def _places(self) -> tuple[JSON, JSON, JSON]:
        return self._path, self._query, self._body_fields

    def _body_schema(self) -> JSON | None:
        if "requestBody" not in self.operation.spec:
            return None
        body = self.contract.resolve(self.operation.spec["requestBody"])
        return self.contract.resolve(body["content"]["application/json"]["schema"])

    def _input_schema(self, *, with_username: bool) -> JSON:
        """Returns the JSON Schema of all parameters and body fields as one object."""
        parameters = {
            name: parameter
            for name, parameter in {**self._path, **self._query}.items()
            if with_username or name != USERNAME
        }
        properties = {name: self._described(name, parameter) for name, parameter in parameters.items()}
        properties |= {
            name: self._field(name, field, described=name not in self._told)
            for name, field in self._body_fields.items()
        }
        required = [name for name, parameter in parameters.items() if parameter.get("required")]
        required += (self._body or {}).get("required", [])
        return {"type": "object", "properties": properties, **({"required": required} if required else {})}

    def _described(self, name: str, parameter: JSON) -> JSON:
        """Returns the schema of a parameter with the parameter's description."""
        plain = self._plain(parameter["schema"], described=False)
        return plain if name in self._told else {**plain, "description": parameter["description"]}

    def _field(self, name: str, schema: JSON, *, described: bool) -> JSON:
        """Returns the schema of a field of the body."""
        if name not in self._bare:
            return self._plain(schema, described=described)
        schema = self.contract.resolve(schema)
        schema = self.contract.resolve(schema.get("oneOf", [schema])[0])
        return {"type": schema["type"]} | ({"items": self._type(schema["items"])} if "items" in schema else {})

    def _plain(self, schema: JSON, *, described: bool = True) -> JSON:
        """Returns a schema in the form that hosts accept: no $ref, no null, no constraints.

        Nested fields have no description: an action's fields are those of the single-to-do tools.
        """
        schema = self.contract.resolve(schema)
        schema = {**schema, **self.contract.resolve(schema.get("oneOf", [{}])[0])}  # the other alternative is null
        plain = {key: schema[key] for key in KEPT_ON_THE_WAY_IN if schema.get(key)}
        if "enum" in plain:
            del plain["type"]  # the values imply it
        if described:
            plain["description"] = schema["description"]
        if "items" in schema:
            plain["items"] = self._plain(schema["items"], described=False)
        if "properties" in schema:
            fields = schema["properties"].items()
            plain["properties"] = {name: self._field(name, field, described=False) for name, field in fields}
            plain |= {"required": schema["required"]} if "required" in schema else {}
        return plain

    def _output_schema(self) -> JSON:
        """Returns the schema of successful results: the fields that every result has, and those of the items in its
        lists.

        The rest is left out, as models see it in results: describing it would take a third of the token budget.
        """
        responses = self.operation.spec["responses"]
        success = self.contract.resolve(next(answer for status, answer in responses.items() if status < "300"))
        schema = self.contract.resolve(success["content"]["application/json"]["schema"])
        always = {name: self.contract.resolve(schema["properties"][name]) for name in schema["required"]}
        told = {name: self._type(field) for name, field in always.items() if "items" in field}
        # Typed clients drop unknown fields unless additionalProperties is true.
        more = {"required": schema["required"], "additionalProperties": True}
        return {"type": "object", **({"properties": told} if told else {}), **more}

    def _type(self, schema: JSON) -> JSON:
        """Returns the type of a field, with the items of a list, or the fields that an object always has."""
        schema = self.contract.resolve(schema)
        told = {key: schema[key] for key in ("type", "required") if key in schema}
        return told | ({"items": self._type(schema["items"])} if "items" in schema else {})

    def _hints(self) -> JSON:
        """Returns the tool annotations, by which hosts decide when to ask for confirmation."""
        spec, method = self.operation.spec, self.operation.method
        return {
            "readOnlyHint": method == "GET",
            "destructiveHint": method != "GET" and spec["x-openai-isConsequential"],
            "idempotentHint": method in IDEMPOTENT_METHODS or spec.get("x-idempotent", False),
            "openWorldHint": False,  # it only concerns the list
        }

    def _security_schemes(self) -> Iterator[JSON]:
        """Yields ChatGPT's securitySchemes; it has none for a service key."""
        kinds = self.contract.document["components"]["securitySchemes"]
        for alternative in self.operation.spec["security"]:
            for name, scopes in alternative.items():
                if kinds[name]["type"] == "oauth2":
                    yield {"type": "oauth2", "scopes": scopes}


def tools_of(contract: Contract) -> dict[str, Tool]:
    """Returns the tools of a contract by name: its operations in order, without deprecated ones."""
    operations = [operation for operation in contract.operations if not operation.spec.get("deprecated")]
    return {name_of(operation): Tool(contract, operation) for operation in operations}


def name_of(operation: Operation) -> str:
    """Returns the tool's name: the operationId, unless the contract sets another."""
    return str(operation.spec.get(NAME, operation.id))


def _parameter(schema: JSON, value: Any) -> Any:
    """Returns an argument as if it came in a URL, where numbers are text.

    Lists and objects stay as they are; the operation refuses them.
    """
    if isinstance(value, list | dict):
        return value
    text = value if isinstance(value, str) else json.dumps(whole_numbers(schema, value))
    return read_parameter(schema, [text])


def _without_null(value: Any) -> Any:
    """Returns a value without null fields, at any depth. List items stay: [null] is not [], which clears."""
    if isinstance(value, dict):
        return {name: _without_null(field) for name, field in value.items() if field is not None}
    return [_without_null(item) for item in value] if isinstance(value, list) else value
