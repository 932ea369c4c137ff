"""Messages for invalid values: what the value must be, in words that a model can act on. They never quote the value."""

from collections.abc import Collection
from typing import Any

import orjson
from jsonschema import ValidationError

from todo.contract.names import suggestion

Schema = dict[str, Any]

TYPE_NAMES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}
ITEM_NAMES = {"string": "texts", "object": "objects"}
CURE = "x-cure"  # in a schema, what else helps to fix a wrong value


def of_error(error: ValidationError) -> str:
    """Returns the message for a validation error, such as "must be at least 1"."""
    cure = error.schema.get(CURE)
    return _requirement(error, error.validator_value) + (f" ({cure})" if cure else "")


def of_missing(schema: Schema) -> str:
    """Returns the message for a missing field, such as "is required; it must be a whole number"."""
    schema = schema.get("oneOf", [schema])[0]
    if "type" not in schema:
        return "is required"
    cure = schema.get(CURE)
    return f"is required; it {_type(schema)}" + (f" ({cure})" if cure else "")


def of_unknown(name: str, known: Collection[str], given: Collection[str]) -> str:
    """Returns the message for an unknown field, with a suggestion and the known fields."""
    return f"is not a known field{suggestion(name, known, given)}; known fields are {', '.join(known)}"


def _requirement(error: ValidationError, limit: Any) -> str:
    schema = error.schema
    match error.validator:
        case "type":
            quoted = isinstance(error.instance, str) and limit in ("integer", "number", "boolean")
            null = " or null" if schema.get("nullable") else ""
            return _type(schema) + (" without quotation marks" if quoted else "") + null
        case "enum":
            return _one_of(limit)
        case "minimum":
            return f"must be at least {limit}"
        case "maximum":
            return f"must be at most {limit}"
        case "minLength" if limit > 1:
            return f"must have at least {limit} characters"
        case "minProperties" if "properties" in schema:
            return f"must not be empty; fields are {', '.join(schema['properties'])}"
        case "minLength" | "minProperties" | "minItems":
            return "must not be empty" + _such_as(schema)
        case "maxLength":
            return f"must have at most {limit} characters"
        case "maxItems":
            return f"must have at most {limit} items"
        case "pattern":
            return f"must have the form of this example: {schema['example']}"
        case "format" if limit == "visible-text":
            return "must not hold invisible characters: controls, bidirectional or zero-width ones"
        case other:
            return f"violates {other} of the contract"


def _type(schema: Schema) -> str:
    if "enum" in schema:
        return _one_of(schema["enum"])
    if schema["type"] == "object" and "example" in schema:
        return f"must be an object, such as {orjson.dumps(schema['example']).decode()}"
    items = ITEM_NAMES.get(schema.get("items", {}).get("type", ""))
    return f"must be {TYPE_NAMES[schema['type']]}" + (f" of {items}{_such_as(schema)}" if items else "")


def _one_of(values: list[Any]) -> str:
    return "must be one of " + ", ".join(str(value) for value in values if value is not None)


def _such_as(schema: Schema) -> str:
    """Returns the example of a list, as JSON."""
    example = schema.get("example")
    return f", such as {orjson.dumps(example).decode()}" if schema.get("type") == "array" and example else ""
