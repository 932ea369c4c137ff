"""Checks an answer against the contracts: status, media type, required headers and body, and nothing beyond them."""

import re
from typing import Any

import httpx
from openapi_schema_validator import OAS30ReadValidator, oas30_format_checker

from tests.resolved import resolved
from todo.contract import API, SITE
from todo.http.navigation import is_navigation
from todo.http.routes import Route, routes_of

PROBLEM = "application/problem+json"
PAGE = "text/html; charset=utf-8"
BY_THE_GUARD = {404, 405, 408, 413, 431}  # before the contract knows which operation is meant


async def _unused(*_: Any) -> None: ...


def _closed(schema: Any) -> Any:
    """Returns the schema with every object closed, so that a property without a description fails a test."""
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and "type" in schema:
        closed.setdefault("additionalProperties", False)
    return closed


DOCUMENTS = [_closed(resolved(c)) for c in (API, SITE)]
ROUTES = [
    (route, document)
    for contract, document in zip((API, SITE), DOCUMENTS, strict=True)
    for route in sorted(routes_of(contract, lambda _: _unused), key=lambda route: "{" in route.template)
]
VALIDATORS: dict[int, OAS30ReadValidator] = {}
PROBLEM_SCHEMA = DOCUMENTS[0]["components"]["schemas"]["Problem"]


def check_answer(response: httpx.Response) -> None:
    """Raises AssertionError unless the contracts promise this answer."""
    response.read()
    request = response.request
    assert "x-request-id" in response.headers
    if request.method == "OPTIONS" or request.url.path in ("/mcp", "/mcp/"):
        return  # what /mcp answers is MCP's to say
    found = next(((r, d) for r, d in ROUTES if r.pattern.fullmatch(request.url.path)), None)
    operation = None
    if found:
        route, document = found
        method = "get" if request.method == "HEAD" else request.method.lower()
        operation = document["paths"][route.template].get(method)
    promised = operation["responses"].get(str(response.status_code), {}) if operation else {}
    if response.status_code >= 400 and PROBLEM in promised.get("content", {PROBLEM: {}}):
        if _opens_a_page(request, found):
            assert response.headers["content-type"] == PAGE
            return
        assert response.headers["content-type"] == PROBLEM
        _check_problem(response, head=request.method == "HEAD")
    if response.status_code == 303 and operation is None and "text/html" in request.headers.get("accept", ""):
        # A browser that loads the address of a form is led to the page of the form.
        assert found
        assert "303" in document["paths"][route.template]["post"]["responses"]
        return
    if operation is None or (
        response.status_code in BY_THE_GUARD and str(response.status_code) not in operation["responses"]
    ):
        assert response.status_code in BY_THE_GUARD, f"nobody promised {response.status_code}"
        return
    _check_promised(response, operation, head=request.method == "HEAD")


def _opens_a_page(request: httpx.Request, found: tuple[Route, Any] | None) -> bool:
    """Whether a refusal is told as a page: to a browser, other than at the addresses for assistants."""
    headers = [(name.lower(), value) for name, value in request.headers.raw]
    return is_navigation({"method": request.method, "headers": headers}) and not (found and found[1] is DOCUMENTS[0])


def _check_promised(response: httpx.Response, operation: dict[str, Any], *, head: bool) -> None:
    promised = operation["responses"].get(str(response.status_code))
    assert promised, f"{operation['operationId']} does not promise {response.status_code}: {response.text[:300]}"
    media_type = re.split(r"\s*;", response.headers.get("content-type", ""))[0]
    assert media_type in (promised["content"] or [""]), f"{operation['operationId']} does not promise {media_type}"
    for header, description in promised.get("headers", {}).items():
        assert not description.get("required") or header in response.headers, f"{header} is missing"
    if media_type.endswith("json") and not head:
        _validate(response.json(), promised["content"][media_type]["schema"])


def _check_problem(response: httpx.Response, *, head: bool) -> None:
    if not head:
        problem = response.json()
        _validate(problem, PROBLEM_SCHEMA)
        assert problem["status"] == response.status_code
        assert len(response.content) <= 4096


def _validate(value: Any, schema: dict[str, Any]) -> None:
    # The schemas live as long as the tests run, so each is made ready once.
    if id(schema) not in VALIDATORS:
        VALIDATORS[id(schema)] = OAS30ReadValidator(schema, format_checker=oas30_format_checker)
    VALIDATORS[id(schema)].validate(value)
