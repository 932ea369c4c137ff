"""Connexion's validators, made as strict as the contract.

Stock Connexion quotes the caller's values in its errors, stops at the first wrong field, reads " 5" and "1_0" as
numbers, takes the last of duplicate keys, and allows a line break at the end of a text whose pattern forbids it.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl

from connexion.uri_parsing import OpenAPIURIParser
from connexion.validators.json import JSONRequestBodyValidator
from connexion.validators.parameter import ParameterValidator
from starlette.datastructures import Headers
from starlette.types import Receive, Scope
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import HTTPException
from werkzeug.formparser import FormDataParser

from todo.contract.names import aliases_of
from todo.contract.schemas import as_meant, find_errors
from todo.errors import InvalidRequest
from todo.http.encodings import decode
from todo.http.json_body import parse_json
from todo.http.parameters import parameter_errors, read_headers, read_parameter

MAX_FIELDS = 50  # of a form, not counting those that may come several times
NO_ARRAYS: Mapping[str, int] = {}


class StrictBodyValidator(JSONRequestBodyValidator):
    """Checks a JSON body against its schema and names every wrong field."""

    MUTABLE_VALIDATION = True  # of whole numbers and aliases

    async def _parse(self, stream: AsyncGenerator[bytes, None], scope: Any) -> Any:  # noqa: ARG002
        data = b"".join([chunk async for chunk in stream])
        if not data:
            return None
        value = parse_json(data)
        if value is None and not self._nullable:
            raise InvalidRequest(find_errors(self._schema, value))  # null is a body, unlike a missing one
        return as_meant(self._schema, value)

    def _insert_body(self, receive: Receive, *, body: Any, scope: Scope) -> tuple[Receive, Scope]:
        """Passes the body on even if it is empty: Connexion does not, and the next reader would wait for it."""
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
    """Checks a form like a JSON body. A field that comes twice is refused, unless it is an array."""

    MUTABLE_VALIDATION = False

    async def _parse(self, stream: AsyncGenerator[bytes, None], scope: Any) -> Any:  # noqa: ARG002
        return read_form(b"".join([chunk async for chunk in stream]), self._arrays()) or None

    def _arrays(self) -> dict[str, int]:
        """Returns the fields that may come several times, and how often."""
        fields = self._schema.get("properties", {}).items()
        return {name: field["maxItems"] for name, field in fields if field.get("type") == "array"}

    def _validate(self, body: Any) -> None:
        # Browsers send empty fields too.
        required = self._schema.get("required", [])
        super()._validate({name: value for name, value in (body or {}).items() if value != "" or name in required})


class StrictUploadValidator(StrictFormValidator):
    """Checks a form with files (RFC 7578) in the same way, and that each file is text.

    It runs in a thread, since a file of 16 MB would block the event loop.
    """

    async def _parse(self, stream: AsyncGenerator[bytes, None], scope: Any) -> Any:
        data = b"".join([chunk async for chunk in stream])
        return await asyncio.to_thread(self._check, data, Headers(scope=scope).get("content-type", ""))

    def _validate(self, body: Any) -> None:
        """Does nothing: `_check` has validated it."""

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
        parser = FormDataParser(max_form_memory_size=None, max_form_parts=MAX_FIELDS, silent=False)
        try:
            _, form, files = parser.parse_from_environ(environ)
            fields = [*form.items(multi=True), *((name, read_text(file)) for name, file in files.items(multi=True))]
        except (ValueError, HTTPException):
            raise InvalidRequest.of("body", "must be a form with a file of text, such as CSV or JSON") from None
        if len(dict(fields)) < len(fields):
            raise InvalidRequest.of("body", "must not have the same field twice")
        return dict(fields) or None


def read_form(data: bytes, arrays: Mapping[str, int] = NO_ARRAYS) -> dict[str, Any]:
    """Returns the fields of a URL-encoded form, those that may come several times as lists.

    Raises InvalidRequest, also if another field comes twice.
    """
    most = MAX_FIELDS + sum(arrays.values())
    try:
        fields = parse_qsl(data.decode(), keep_blank_values=True, errors="strict", max_num_fields=most)
    except ValueError:
        raise InvalidRequest.of("body", "must be a form in UTF-8") from None
    single = [(name, value) for name, value in fields if name not in arrays]
    if len(dict(single)) < len(single):
        raise InvalidRequest.of("body", "must not have the same field twice")
    lists: dict[str, list[str]] = {}
    for name, value in fields:
        if name in arrays:
            lists.setdefault(name, []).append(value)
    return {**dict(single), **lists}


def read_text(file: FileStorage) -> str:
    """Returns the text of an uploaded file. Raises ValueError if it is not text."""
    with file.stream as stream:
        return decode(stream.read())


class StrictURIParser(OpenAPIURIParser):
    """Reads the parameters of a URL with `read_parameter`; those of a query also under their aliases."""

    def resolve_params(self, params: dict[str, Any], _in: str) -> dict[str, Any]:
        if _in == "query":
            params = self._by_known_names(params)
        return {
            name: read_parameter(self.param_schemas.get(name, {}), values if _in == "query" else [values])
            for name, values in params.items()
        }

    def _by_known_names(self, params: dict[str, list[str]]) -> dict[str, list[str]]:
        aliases = aliases_of([name for name, definition in self.param_defns.items() if definition["in"] == "query"])
        named: dict[str, list[str]] = {}
        for name, values in params.items():
            named.setdefault(aliases.get(name, name), []).extend(values)
        return named


class FormURIParser(StrictURIParser):
    """Treats an empty parameter as absent: forms send those (RFC 6749 section 3.1 says the same)."""

    def resolve_params(self, params: dict[str, Any], _in: str) -> dict[str, Any]:
        if _in == "query":
            params = {name: values for name, values in params.items() if values != [""]}
        return super().resolve_params(params, _in)


class StrictParameterValidator(ParameterValidator):
    """Checks path, query and header parameters, and names every wrong one."""

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
