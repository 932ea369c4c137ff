"""JSON Schema validation: a fast check for valid values, and an error per field for invalid ones."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema_rs
from connexion.json_schema import Draft4RequestValidator
from jsonschema import Draft4Validator, FormatChecker, ValidationError
from jsonschema.validators import extend

from todo.contract import messages
from todo.contract.formats import is_visible
from todo.contract.names import as_known
from todo.errors import FieldError

Schema = dict[str, Any]
Check = Callable[[Any, Any, Any, dict[str, Any]], Iterator[ValidationError] | None]
NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")

# Custom formats, besides those of JSON Schema.
FORMATS = {"visible-text": is_visible}


def compile_schema(schema: Schema) -> Callable[[Any], bool]:
    """Returns a fast check of whether a value is valid under a schema of the contract."""
    # This regex engine runs in linear time; it refuses patterns that need backtracking.
    return jsonschema_rs.Draft4Validator(
        _nullable(schema), validate_formats=True, formats=FORMATS, pattern_options=jsonschema_rs.RegexOptions()
    ).is_valid


def _nullable(schema: Any) -> Any:
    """Returns the schema with OpenAPI's `nullable` as JSON Schema's type null."""
    if isinstance(schema, list):
        return [_nullable(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _nullable(value) for key, value in schema.items() if key != "nullable"}
    if "properties" in schema:
        plain["properties"] = {name: _nullable(value) for name, value in schema["properties"].items()}
    if schema.get("nullable") is True and isinstance(schema.get("type"), str):
        plain["type"] = [schema["type"], "null"]
    return plain


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[ValidationError]:
    """Checks a pattern by ECMA-262's rules: `$` is the very end, where Python's also matches before a line break."""
    if isinstance(instance, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), instance):
        yield ValidationError("pattern")


def _within(limit: str, check: Check) -> Check:
    """Returns the keyword's check, skipped for values over `limit`, so that oversized input costs nothing."""

    def check_within(validator: Any, value: Any, instance: Any, schema: dict[str, Any]) -> Iterator[ValidationError]:
        if limit not in schema or not isinstance(instance, str | list) or len(instance) <= schema[limit]:
            yield from check(validator, value, instance, schema) or ()

    return check_within


FORMAT_CHECKER = FormatChecker()
FORMAT_CHECKER.checkers = {
    **Draft4Validator.FORMAT_CHECKER.checkers,
    **{name: (check, ()) for name, check in FORMATS.items()},
}
CHECKS = Draft4RequestValidator.VALIDATORS
StrictValidator = extend(
    Draft4RequestValidator,
    {
        "pattern": _within("maxLength", _pattern),
        "format": _within("maxLength", CHECKS["format"]),
        "items": _within("maxItems", CHECKS["items"]),
    },
)


def find_errors(schema: dict[str, Any], value: Any, at: str = "") -> list[FieldError]:
    """Returns one error for each wrong field, quoting no value; `at` is the path of `value` itself."""
    validator = StrictValidator(schema, format_checker=FORMAT_CHECKER)
    found = [explained for error in validator.iter_errors(value) for explained in _explain(error, at)]
    return list({error.field: error for error in reversed(found)}.values())[::-1]  # the first error of each field


def _explain(error: ValidationError, at: str) -> Iterator[FieldError]:
    path = ".".join([at, *map(str, error.path)]).strip(".")
    limit = error.validator_value
    if error.validator == "additionalProperties":
        known = error.schema["properties"]
        for name in set(error.instance) - set(known):
            told = messages.of_unknown(name, known, error.instance)
            yield FieldError(safe_name(f"{path}.{name}".strip(".")), told)
    elif error.validator == "required":
        for name in set(limit) - set(error.instance):
            field = error.schema.get("properties", {}).get(name, {})
            yield FieldError(f"{path}.{name}".strip("."), messages.of_missing(field))
    elif error.validator == "oneOf":
        yield from _explain_alternatives(error, path)
    else:
        yield FieldError(path or "body", messages.of_error(error))


def _explain_alternatives(error: ValidationError, path: str) -> Iterator[FieldError]:
    """Explains the first alternative of the value's type; if there is none, names the accepted types."""
    alternatives: dict[int, list[ValidationError]] = {}
    for cause in error.context:
        if cause.schema.get("enum") != [None] or cause.path:
            alternatives.setdefault(cause.schema_path[0], []).append(cause)
    types: list[str] = []
    for causes in alternatives.values():
        wrong = [
            messages.TYPE_NAMES[cause.validator_value]
            for cause in causes
            if cause.validator == "type" and not cause.path
        ]
        if not wrong or len(alternatives) == 1:
            for cause in causes:
                yield from _explain(cause, path)
            return
        types += wrong
    yield FieldError(path or "body", f"must be {' or '.join(dict.fromkeys(types))}")


def safe_name(name: str) -> str:
    """Returns the caller's name for a field if it is safe to repeat, or else "(name withheld)"."""
    return name if NAME.fullmatch(name) else "(name withheld)"


def as_meant(schema: dict[str, Any], value: Any) -> Any:
    """Returns a JSON value as its schema means it: aliases renamed, and floats such as 1.0 as integers."""
    return whole_numbers(schema, as_known(schema, value))


def whole_numbers(schema: dict[str, Any], value: Any) -> Any:
    """Returns the value with floats such as 1.0 turned into integers wherever the schema says integer.

    JSON does not distinguish the two (RFC 8259 section 6), and JSON Schema accepts 1.0 as an integer.
    """
    if isinstance(value, float):
        types = [alternative.get("type") for alternative in (schema, *schema.get("oneOf", ()))]
        return int(value) if "integer" in types and value.is_integer() else value
    if isinstance(value, dict):
        fields = schema.get("properties", {})
        return {name: whole_numbers(fields.get(name, {}), field) for name, field in value.items()}
    return [whole_numbers(schema.get("items", {}), item) for item in value] if isinstance(value, list) else value
