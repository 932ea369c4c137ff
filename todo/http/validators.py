"""Connexion's own extension points for checking requests, made as strict as the contract is.

Stock Connexion quotes the caller's values in its errors, stops at the first wrong field, reads " 5" and "1_0" as
numbers, lets the last of two equal keys win, and lets a text end in a line break that its pattern forbids.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl

import orjson
from connexion.json_schema import Draft4RequestValidator
from connexion.uri_parsing import OpenAPIURIParser
from connexion.validators.json import JSONRequestBodyValidator
from connexion.validators.parameter import ParameterValidator
from jsonschema import Draft4Validator, FormatChecker, ValidationError
from jsonschema.validators import extend
from starlette.datastructures import Headers
from starlette.types import Receive, Scope
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import HTTPException
from werkzeug.formparser import FormDataParser

from todo.contract.formats import is_visible
from todo.errors import FieldError, InvalidRequest
from todo.http.encodings import decode

MOST_NESTED = 16
MOST_FIELDS = 50  # of a form
WHOLE_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,18})")
NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
STRING_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"\s*(:?)', re.DOTALL)

Check = Callable[[Any, Any, Any, dict[str, Any]], Iterator[ValidationError] | None]

# Formats of our own, beside those of JSON Schema.
FORMATS = {"visible-text": is_visible}

TYPE_NAMES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}


def parse_json(data: bytes) -> Any:
    """Returns the value of a JSON text (RFC 8259). Raises InvalidRequest, also for what parsers disagree on."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise InvalidRequest.of("body", "must be JSON in UTF-8") from None
    keys = 0
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MOST_NESTED):
        keys += sum([len(item) for item in level if isinstance(item, dict)])
        level = [child for item in level for child in _children(item) if isinstance(child, dict | list)]
        if not level:
            break
    else:
        raise InvalidRequest.of("body", "must not be nested so deeply")
    # Where each colon has its key there is none to spare for a key that came twice. Others may stand in texts.
    if keys != data.count(b":") and keys != sum(1 for colon in STRING_TOKEN.findall(data) if colon):
        raise InvalidRequest.of("body", "must not have the same key twice")
    return value


def _children(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value


def whole_numbers(schema: dict[str, Any], value: Any) -> Any:
    """Returns the value with each number without a fraction that the schema wants whole as one: 1.0 as 1.

    JSON has no integers apart from that (RFC 8259 section 6), and JSON Schema takes 1.0 for one.
    """
    if isinstance(value, float):
        return int(value) if schema.get("type") == "integer" and value.is_integer() else value
    if isinstance(value, dict):
        fields = schema.get("properties", {})
        return {name: whole_numbers(fields.get(name, {}), field) for name, field in value.items()}
    return [whole_numbers(schema.get("items", {}), item) for item in value] if isinstance(value, list) else value


def _match_whole(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[ValidationError]:
    """Checks a pattern as ECMA-262 means it: `$` is the very end, where Python's allows one more line break."""
    if isinstance(instance, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), instance):
        yield ValidationError("pattern")


def _within(limit: str, check: Check) -> Check:
    """Returns the check of a keyword for values that keep to `limit` alone: one that is too long is not read at all."""

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
        "pattern": _within("maxLength", _match_whole),
        "format": _within("maxLength", CHECKS["format"]),
        "items": _within("maxItems", CHECKS["items"]),
    },
)


def find_errors(schema: dict[str, Any], value: Any, at: str = "") -> list[FieldError]:
    """Returns what is wrong with `value`, field by field, without quoting any of it; `at` names the value itself."""
    validator = StrictValidator(schema, format_checker=FORMAT_CHECKER)
    found = [explained for error in validator.iter_errors(value) for explained in _explain(error, at)]
    return list({error.field: error for error in reversed(found)}.values())[::-1]  # the first of each field


def _explain(error: ValidationError, at: str) -> Iterator[FieldError]:
    path = ".".join([at, *map(str, error.path)]).strip(".")
    limit = error.validator_value
    if error.validator == "additionalProperties":
        known = ", ".join(error.schema["properties"])
        for name in set(error.instance) - set(error.schema["properties"]):
            yield FieldError(_safe(f"{path}.{name}".strip(".")), f"is not known here; known are {known}")
    elif error.validator == "required":
        for name in set(limit) - set(error.instance):
            yield FieldError(f"{path}.{name}".strip("."), "is required")
    elif error.validator == "oneOf":
        # The first says what the value may be; what stands beside it is null.
        for cause in error.context:
            if cause.schema_path[0] == 0:
                yield from _explain(cause, path)
    else:
        yield FieldError(path or "body", _message(error, limit))


def _message(error: ValidationError, limit: Any) -> str:
    """Returns what the value must be, in words that a model can act on."""
    match error.validator:
        case "type":
            return f"must be {TYPE_NAMES[limit]}" + (" or null" if error.schema.get("nullable") else "")
        case "enum":
            return "must be one of " + ", ".join(str(value) for value in limit if value is not None)
        case "minimum":
            return f"must be at least {limit}"
        case "maximum":
            return f"must be at most {limit}"
        case "minLength" if limit > 1:
            return f"must have at least {limit} characters"
        case "minLength" | "minProperties" | "minItems":
            return "must not be empty"
        case "maxLength":
            return f"must have at most {limit} characters"
        case "maxItems":
            return f"must have at most {limit} items"
        case "pattern":
            return f"must have the form of this example: {error.schema['example']}"
        case "format" if limit == "visible-text":
            return "must not hold invisible characters: controls, bidirectional or zero-width ones"
        case other:
            return f"breaks {other} of the contract"


def _safe(name: str) -> str:
    """Returns a name that the caller made up, unless it could be anything but a name."""
    return name if NAME.fullmatch(name) else "(a name not shown)"


class StrictBodyValidator(JSONRequestBodyValidator):
    """Checks a JSON body against its schema and names every wrong field."""

    MUTABLE_VALIDATION = True  # of whole numbers

    async def _parse(self, stream: AsyncGenerator[bytes, None], scope: Any) -> Any:  # noqa: ARG002
        data = b"".join([chunk async for chunk in stream])
        if not data:
            return None
        value = parse_json(data)
        if value is None and not self._nullable:
            raise InvalidRequest.of("body", "must be an object")  # null is a body, not the lack of one
        return whole_numbers(self._schema, value)

    def _insert_body(self, receive: Receive, *, body: Any, scope: Scope) -> tuple[Receive, Scope]:
        """Hands on what was read, which Connexion's own does not do where the body was empty: the next waits for it."""
        if body is None:
            return self._insert_messages(receive, messages=[{"type": "http.request"}]), scope
        handed_on: tuple[Receive, Scope] = super()._insert_body(receive, body=body, scope=scope)
        return handed_on

    def _validate(self, body: Any) -> None:
        if body is None and not self._required:
            return
        errors = find_errors(self._schema, body)
        if errors:
            raise InvalidRequest(errors)


class StrictFormValidator(StrictBodyValidator):
    """Checks a form as a JSON body is checked. A field that came twice is refused, as two keys are."""

    MUTABLE_VALIDATION = False

    async def _parse(self, stream: AsyncGenerator[bytes, None], scope: Any) -> Any:  # noqa: ARG002
        data = b"".join([chunk async for chunk in stream])
        try:
            fields = parse_qsl(data.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
        except ValueError:
            raise InvalidRequest.of("body", "must be a form in UTF-8") from None
        if len(dict(fields)) < len(fields):
            raise InvalidRequest.of("body", "must not have the same field twice")
        return dict(fields) or None

    def _validate(self, body: Any) -> None:
        # Browsers send what was left empty too.
        required = self._schema.get("required", [])
        super()._validate({name: value for name, value in (body or {}).items() if value != "" or name in required})


class StrictUploadValidator(StrictFormValidator):
    """Checks a form with files (RFC 7578) in the same way; of a file, that it is text.

    It is done in a thread, as a file of 16 MB would hold up the event loop.
    """

    async def _parse(self, stream: AsyncGenerator[bytes, None], scope: Any) -> Any:
        data = b"".join([chunk async for chunk in stream])
        return await asyncio.to_thread(self._check, data, Headers(scope=scope).get("content-type", ""))

    def _validate(self, body: Any) -> None:
        """Leaves it at what `_check` has found."""

    def _check(self, data: bytes, content_type: str) -> Any:
        fields = self._fields(data, content_type)
        super()._validate(fields)
        return fields

    def _fields(self, data: bytes, content_type: str) -> Any:
        environ = {
            "REQUEST_METHOD": "POST",
            "CONTENT_TYPE": content_type,
            "CONTENT_LENGTH": str(len(data)),
            "wsgi.input": BytesIO(data),
        }
        parser = FormDataParser(max_form_memory_size=None, max_form_parts=MOST_FIELDS, silent=False)
        try:
            _, form, files = parser.parse_from_environ(environ)
            fields = [*form.items(multi=True), *((name, read_text(file)) for name, file in files.items(multi=True))]
        except (ValueError, HTTPException):
            raise InvalidRequest.of("body", "must be a form with a file of text, such as CSV or JSON") from None
        if len(dict(fields)) < len(fields):
            raise InvalidRequest.of("body", "must not have the same field twice")
        return dict(fields) or None


def read_text(file: FileStorage) -> str:
    """Returns what an uploaded file says. Raises ValueError where it is no text."""
    with file.stream as stream:
        return decode(stream.read())


def read_parameter(schema: dict[str, Any], values: list[str]) -> Any:
    """Returns a parameter's value, a whole number only where it is written as one, and a list where it came twice."""
    if len(values) > 1:
        return values
    (value,) = values
    if schema.get("type") == "integer" and isinstance(value, str) and WHOLE_NUMBER.fullmatch(value):
        return int(value)
    return value


def read_headers(headers: Headers, parameters: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Returns the headers that the contract names, by its spelling, a list where one came twice."""
    found = {parameter["name"]: headers.getlist(parameter["name"]) for parameter in parameters}
    return {name: read_parameter({}, values) for name, values in found.items() if values}


def parameter_errors(parameters: list[dict[str, Any]], given: dict[str, dict[str, Any]]) -> list[FieldError]:
    """Returns what is wrong with the values that were given in path, query and header."""
    names = [parameter["name"] for parameter in parameters if parameter["in"] == "query"]
    known = f"known are {', '.join(names)}" if names else "this operation has no query parameters"
    unknown = [] if any(map(_takes_others, parameters)) else [name for name in given["query"] if name not in names]
    errors = [FieldError(_safe(name), f"is not known here; {known}") for name in unknown]
    for place in ("path", "query", "header"):
        for parameter in parameters:
            if parameter["in"] == place:
                errors += _parameter_errors(parameter, given[place])
    return errors


def _takes_others(parameter: dict[str, Any]) -> bool:
    """Whether it stands for all parameters that have no name in the contract: an object, exploded."""
    return bool(parameter["in"] == "query" and parameter["schema"].get("type") == "object")


def _parameter_errors(parameter: dict[str, Any], given: dict[str, Any]) -> list[FieldError]:
    name = parameter["name"]
    if name not in given:
        return [FieldError(name, "is required")] if parameter.get("required") else []
    if isinstance(given[name], list):
        return [FieldError(name, "must be given only once")]
    # What is null in a body has no form in a URL.
    return find_errors({**parameter["schema"], "nullable": False}, given[name], at=name)


class StrictURIParser(OpenAPIURIParser):
    """Reads the parameters of a URL as `read_parameter` does."""

    def resolve_params(self, params: dict[str, Any], _in: str) -> dict[str, Any]:
        return {
            name: read_parameter(self.param_schemas.get(name, {}), values if _in == "query" else [values])
            for name, values in params.items()
        }


class FormURIParser(StrictURIParser):
    """Takes an empty parameter for one that was left out, as forms send them and RFC 6749 section 3.1 has it."""

    def resolve_params(self, params: dict[str, Any], _in: str) -> dict[str, Any]:
        if _in == "query":
            params = {name: values for name, values in params.items() if values != [""]}
        return super().resolve_params(params, _in)


class StrictParameterValidator(ParameterValidator):
    """Checks path, query and header parameters and names every wrong one."""

    def validate_request(self, request: Any) -> None:
        parameters = [parameter for place in self.parameters.values() for parameter in place]
        given = {
            "path": request.path_params,
            "query": request.query_params,
            "header": read_headers(request.headers, self.parameters.get("header", [])),
        }
        errors = parameter_errors(parameters, given)
        if errors:
            raise InvalidRequest(errors)


VALIDATORS = {
    "body": {
        "application/json": StrictBodyValidator,
        "application/x-www-form-urlencoded": StrictFormValidator,
        "multipart/form-data": StrictUploadValidator,
    },
    "parameter": StrictParameterValidator,
}
