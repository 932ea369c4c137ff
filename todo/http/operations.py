"""The compiled contract: each operation of openapi.yaml becomes a callable when the service starts.

Stock Connexion interprets the contract again for every request. This takes Connexion's own Specification, Operation and
Resolver, and plugs in as a Connexion SpecMiddleware in place of all the others. It checks what validators.py checks, in
the same words: a request that fails the fast check here is checked again there, to name each wrong field.
"""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from inspect import signature, unwrap
from typing import Any
from urllib.parse import parse_qsl

import orjson
from connexion.decorators.parameter import pythonic
from connexion.middleware import SpecMiddleware
from connexion.operations import OpenAPIOperation
from connexion.security import NO_VALUE
from connexion.spec import Specification
from connexion.utils import get_function_from_name
from starlette.datastructures import Headers as StarletteHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from todo.accounts.bearer import bearer_token
from todo.contract import API, Contract, Operation
from todo.contract.names import aliases_of
from todo.contract.schemas import as_meant, compile_schema, find_errors
from todo.errors import InvalidRequest
from todo.errors.access import Unauthorized
from todo.http.asgi_scope import BODY, PATH_VALUES, TEMPLATE, Headers
from todo.http.json_body import parse_json
from todo.http.parameters import parameter_errors, read_headers, read_parameter
from todo.http.rate_limits import Kind, RateLimits, writes_of
from todo.startup import CannotStart

Schema = dict[str, Any]
Handler = Callable[..., Awaitable[Response]]
# A token function, a function that compares scopes (for oauth2), and the scopes that the operation needs.
Scheme = tuple[Callable[..., Awaitable[Any]], Callable[[list[str], list[str]], bool] | None, list[str]]
KINDS = ("string", "integer", "boolean")
NO_BODY = object()  # not None, which is JSON's null
MAX_USERNAME = API.schema("Username")["maxLength"]
COUNTED_AS = "x-counted-as"  # the list in the body whose items count for rate limits, instead of the request
RESULT_COUNTED_AS = "x-result-counted-as"  # the list in the response, or its length, that is charged afterwards
PLAIN = "use a string, an integer or a boolean in the path, the query or a header, without style and explode"
REPLAYED = (b"idempotent-replay", b"true")


class CannotCompile(CannotStart):
    """The contract uses a feature that this module does not support; the message names the operation."""


class CompiledContract(SpecMiddleware):
    """The compiled operations of a contract, each an ASGI app."""

    def __init__(self, app: ASGIApp, limits: RateLimits, contract: Contract = API) -> None:
        self.app = app
        self._limits = limits
        self._contract = contract
        self._operations: dict[tuple[str, str], CompiledOperation] = {}

    def add_api(self, specification: Specification, *, resolver: Any, uri_parser_class: Any, **_: Any) -> None:
        """Compiles every operation of a contract. Raises CannotCompile."""
        for path, item in specification["paths"].items():
            for method, spec in item.items():
                operation = OpenAPIOperation.from_spec(
                    specification, path=path, method=method, resolver=resolver, uri_parser_class=uri_parser_class
                )
                compiled = CompiledOperation(operation, self._limits, spec, self._contract)
                self._operations[path, method.upper()] = compiled

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._operations[scope[TEMPLATE], scope["method"]](scope, receive, send)

    def __getitem__(self, operation: Operation) -> "CompiledOperation":
        return self._operations[operation.path, operation.method]


class CompiledOperation:
    """One operation, callable over HTTP (as an ASGI app) or directly, by `call`."""

    def __init__(self, operation: OpenAPIOperation, limits: RateLimits, spec: Schema, contract: Contract) -> None:
        self.name = operation.operation_id
        self._limits = limits
        self._contract = contract
        self._kind: Kind = "reads" if operation.method == "get" else "writes"
        self._counted_as, self._result_counted_as = spec.get(COUNTED_AS), spec.get(RESULT_COUNTED_AS)
        self._handler: Handler = operation.function
        self._schemes = self._compile_security(operation)
        self._parameters = operation.parameters
        self._path, self._query, self._headers = map(self._compile_parameters, ("path", "query", "header"))
        self._header_names = [(name, name.lower()) for name in self._headers.schemas]
        self._arguments = {name: pythonic(name) for name in (*self._query.schemas, *self._path.schemas)}
        self._aliases = aliases_of(self._query.schemas)
        self._defaults = {
            self._arguments[name]: schema["default"]
            for name, schema in self._query.schemas.items()
            if "default" in schema
        }
        self._body, self._body_schema, self._body_required = self._compile_body(operation)
        self._check_arguments()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answer(scope)
        await response(scope, receive, send)

    async def _answer(self, scope: Scope) -> Response:
        """Returns the response to an HTTP request. Raises Unauthorized, and what `call` raises."""
        headers = Headers(scope)
        try:
            principal, granted = await self._authenticate(headers)
        except Unauthorized:
            await self._limits.charge_address(self._kind, scope)  # the caller is not known otherwise
            raise
        path = {name: read_parameter(self._path.schemas[name], [text]) for name, text in scope[PATH_VALUES].items()}
        caller = caller_of(principal, path.get("username", ""))
        await self._limits.charge(self._kind, caller)
        self._authorize(granted)
        query = self._read_query(scope["query_string"]) if scope["query_string"] else {}
        arguments = self._check_parameters(path, query, self._read_headers(scope, headers))
        body = parse_json(scope[BODY]) if scope[BODY] and self._body else NO_BODY
        return await self._run(principal, caller, arguments, body)

    async def call(self, principal: Any, scopes: list[str], path: Schema, query: Schema, body: Any) -> Response:
        """Runs the operation for a principal with these scopes, and returns the response that HTTP would get.

        `path` and `query` are parsed values by parameter name; `body` is parsed JSON, or NO_BODY.
        Raises InsufficientScope, RateLimited, InvalidRequest and what the handler raises.
        """
        caller = caller_of(principal, path.get("username", ""))
        await self._limits.charge(self._kind, caller)
        self._authorize(scopes)
        return await self._run(principal, caller, self._check_parameters(path, query, {}), body)

    async def _run(self, principal: Any, caller: str, arguments: Schema, body: Any) -> Response:
        arguments["user"] = principal
        if self._body:
            arguments["body"] = self._check_body(body)
        if self._counted_as:
            await self._limits.charge_more(self._kind, caller, len(arguments["body"][self._counted_as]) - 1)
        response = await self._handler(**arguments)
        if self._result_counted_as and response.status_code == HTTPStatus.OK:
            await self._charge_result(response, caller)
        return response

    async def _charge_result(self, response: Response, caller: str) -> None:
        """Charges for the to-dos in a response, unless they were charged before."""
        answer = orjson.loads(response.body)
        if REPLAYED not in response.raw_headers and "deduplicated" not in answer:
            told = answer[self._result_counted_as]
            todos = told if isinstance(told, int) else len(told) + answer.get("left_out", 0)
            await self._limits.charge_more(self._kind, caller, writes_of(todos))

    async def _authenticate(self, headers: Mapping[str, str]) -> tuple[Any, list[str]]:
        """Returns the principal and its scopes, from the first scheme that accepts the token (RFC 6750 section 2.1)."""
        token, request = bearer_token(headers), _Request(headers)
        refusals: list[Exception] = []
        for authenticate, _, _ in self._schemes:
            try:
                info = await authenticate(token, request)
                if info is not NO_VALUE:
                    return info["sub"], info["scope"]
            except Exception as refusal:
                refusals.append(refusal)
        # Every scheme refuses an unknown kind of token; a known kind is refused only by its own scheme.
        raise refusals[-1] if refusals else Unauthorized

    def _authorize(self, granted: list[str]) -> None:
        """Raises InsufficientScope if the token lacks a scope that the contract requires."""
        for _, require_scope, scopes in self._schemes:
            if require_scope:
                require_scope(scopes, granted)

    def _read_headers(self, scope: Scope, headers: Mapping[str, str]) -> Schema:
        """Returns the contract's header parameters; a repeated one is a list."""
        if len(headers) < len(scope["headers"]):
            return read_headers(StarletteHeaders(scope=scope), self._headers.parameters)
        return {name: headers[key] for name, key in self._header_names if key in headers}

    def _check_parameters(self, path: Schema, query: Schema, headers: Schema) -> Schema:
        """Returns the handler's arguments from path and query, with defaults. Raises InvalidRequest."""
        if not (self._path.allow(path) and self._query.allow(query) and self._headers.allow(headers)):
            errors = parameter_errors(self._parameters, {"path": path, "query": query, "header": headers})
            if errors:
                raise InvalidRequest(errors)
        arguments = dict(self._defaults)
        for given in (path, query):
            for name, value in given.items():
                arguments[self._arguments[name]] = value
        return arguments

    def _read_query(self, query_string: bytes) -> dict[str, Any]:
        values: dict[str, list[str]] = {}
        for name, value in parse_qsl(query_string.decode("latin-1"), keep_blank_values=True):
            values.setdefault(self._aliases.get(name, name), []).append(value)
        return {name: read_parameter(self._query.schemas.get(name, {}), given) for name, given in values.items()}

    def _check_body(self, body: Any) -> Any:
        """Returns the validated body, normalized by its schema: 1.0 as 1, aliases renamed. Raises InvalidRequest."""
        if body is NO_BODY:
            if self._body_required:
                raise InvalidRequest.of("body", "is required")
            return {}
        if not self._body(body):
            body = as_meant(self._body_schema, body)
            errors = find_errors(self._body_schema, body)
            if errors:
                raise InvalidRequest(errors)
        return body

    def _error(self, wrong: str) -> CannotCompile:
        return CannotCompile(str(self._contract.error_of(self.name.rpartition(".")[2], wrong)))

    def _compile_security(self, operation: OpenAPIOperation) -> list[Scheme]:
        """Returns the operation's alternative security schemes, in order."""
        if not operation.security:
            raise self._error("security is empty: name who may call it, as every call is counted for somebody")
        if any(len(alternative) != 1 for alternative in operation.security):
            raise self._error("each alternative of security must name one scheme: write each as an item of its own")
        return [
            self._compile_scheme(name, operation.security_schemes[name], scopes)
            for alternative in operation.security
            for name, scopes in alternative.items()
        ]

    def _compile_scheme(self, name: str, scheme: Schema, scopes: list[str]) -> Scheme:
        kind = scheme["type"], scheme.get("scheme")
        if kind == ("oauth2", None) and {"x-tokenInfoFunc", "x-scopeValidateFunc"} <= scheme.keys():
            require_scope = get_function_from_name(scheme["x-scopeValidateFunc"])
            return get_function_from_name(scheme["x-tokenInfoFunc"]), require_scope, scopes
        if kind == ("http", "bearer") and "x-bearerInfoFunc" in scheme:
            return get_function_from_name(scheme["x-bearerInfoFunc"]), None, scopes
        raise self._error(f"the security scheme {name} is of a kind that is not compiled: use oauth or service_key")

    def _compile_parameters(self, place: str) -> "Parameters":
        for parameter in self._parameters:
            plain = not {"style", "explode", "allowReserved", "content"} & set(parameter)
            known = parameter["in"] in ("path", "query", "header") and parameter["schema"].get("type") in KINDS
            if not (plain and known):
                raise self._error(f"the parameter {parameter['name']} is of a kind that is not compiled: {PLAIN}")
        return Parameters([parameter for parameter in self._parameters if parameter["in"] == place])

    def _compile_body(self, operation: OpenAPIOperation) -> tuple[Any, Schema, bool]:
        if not operation.request_body:
            return None, {}, False
        if operation.consumes != ["application/json"]:
            raise self._error("the body must be application/json alone: remove the other media types")
        schema = operation.request_body["content"]["application/json"]["schema"]
        return compile_schema(schema), schema, operation.request_body.get("required", False)

    def _check_arguments(self) -> None:
        """Raises CannotCompile unless the handler takes exactly the arguments that the contract passes."""
        passed = {*self._arguments.values()}
        passed |= {"user"} | ({"body"} if self._body else set())
        if passed != set(signature(unwrap(self._handler)).parameters):
            raise self._error(f"its handler does not take what the contract passes: {', '.join(sorted(passed))}")


def caller_of(principal: Any, username: Any = "") -> str:
    """Returns the caller for rate limits: the assistant's grant or, with the service key, the list.

    Not the address: a host calls for many people from a few addresses. `username` is not validated yet: it may be any
    JSON of any length. Requests with the service key that name no list count together.
    """
    if principal.grant_id:
        return f"grant {principal.grant_id}"
    return f"list {str(username).lower()[:MAX_USERNAME]}"


class Parameters:
    """The parameters of an operation in one location: path, query or header."""

    def __init__(self, parameters: list[Schema]) -> None:
        self.parameters = parameters
        self.schemas = {parameter["name"]: parameter["schema"] for parameter in parameters}
        self._required = {parameter["name"] for parameter in parameters if parameter.get("required")}
        never_null = {name: {**schema, "nullable": False} for name, schema in self.schemas.items()}
        self._validators = {name: compile_schema(schema) for name, schema in never_null.items()}

    def allow(self, given: Mapping[str, Any]) -> bool:
        """A fast check that all values are valid; a False is checked again in detail."""
        if not given:
            return not self._required
        for name, value in given.items():
            is_valid = self._validators.get(name)
            if not is_valid or not is_valid(value):
                return False
        return self._required <= given.keys()


class _Request:
    """The part of a request that token functions read."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self.headers = headers
