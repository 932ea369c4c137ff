"""The contract, compiled: each operation of openapi.yaml becomes one callable when the service starts.

Stock Connexion works out again for every request what the contract says. This takes Connexion's own Specification,
Operation and Resolver, and plugs in as a Connexion SpecMiddleware in place of all the others. It checks what
validation.py checks and says it in the same words: a request that passes the fast check here goes on, and one that does
not is looked at again there, to name each wrong field.
"""

from collections.abc import Awaitable, Callable, Mapping
from inspect import signature, unwrap
from typing import Any
from urllib.parse import parse_qsl

from connexion.decorators.parameter import pythonic
from connexion.middleware import SpecMiddleware
from connexion.operations import OpenAPIOperation
from connexion.security import NO_VALUE
from connexion.spec import Specification
from connexion.utils import get_function_from_name
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from todo.accounts.bearer import bearer_token
from todo.contract.schemas import compile_schema, find_errors, whole_numbers
from todo.errors import InvalidRequest, Unauthorized
from todo.http.guard import BODY, PATH_VALUES, TEMPLATE, headers_of
from todo.http.json import parse_json
from todo.http.parameters import parameter_errors, read_headers, read_parameter
from todo.http.rate_limits import Kind, RateLimits

Schema = dict[str, Any]
Handler = Callable[..., Awaitable[Response]]
# A token function, for oauth2 the one that compares scopes, and the scopes that the operation needs.
Scheme = tuple[Callable[..., Awaitable[Any]], Callable[[list[str], list[str]], bool] | None, list[str]]
KINDS = ("string", "integer", "boolean")
COUNTED_AS = "x-counted-as"  # the list in the body whose items rate limits count, in place of the request


class CannotCompile(Exception):
    """The contract says something that this module does not know; the message names the operation."""


class CompiledContract(SpecMiddleware):
    """An ASGI app that serves the operations of the contracts that are added to it, and nothing else."""

    def __init__(self, app: ASGIApp, refuse: Callable[[Scope, Exception], Response], limits: RateLimits) -> None:
        self.app = app
        self.refuse = refuse
        self.limits = limits
        self.operations: dict[tuple[str, str], CompiledOperation] = {}

    def add_api(self, specification: Specification, *, resolver: Any, uri_parser_class: Any, **_: Any) -> None:
        """Compiles every operation of a contract. Raises CannotCompile."""
        for path, item in specification["paths"].items():
            for method, spec in item.items():
                operation = OpenAPIOperation.from_spec(
                    specification, path=path, method=method, resolver=resolver, uri_parser_class=uri_parser_class
                )
                self.operations[path, method.upper()] = CompiledOperation(operation, self.limits, spec.get(COUNTED_AS))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        operation = self.operations[scope[TEMPLATE], scope["method"]]
        try:
            response = await operation.answer(scope)
        except Exception as error:
            response = self.refuse(scope, error)
        await response(scope, receive, send)


class CompiledOperation:
    """One operation, ready to be called: token function, parameters, body and handler."""

    def __init__(self, operation: OpenAPIOperation, limits: RateLimits, counted_as: str | None) -> None:
        self.name = operation.operation_id
        self._limits = limits
        self._kind: Kind = "reads" if operation.method == "get" else "writes"
        self._counted_as = counted_as
        self._handler: Handler = operation.function
        self._schemes = self._compile_security(operation)
        self._parameters = operation.parameters
        self._path, self._query, self._headers = map(self._compile_parameters, ("path", "query", "header"))
        self._header_names = [(name, name.lower()) for name in self._headers.schemas]
        self._arguments = {name: pythonic(name) for name in (*self._query.schemas, *self._path.schemas)}
        self._defaults = {
            self._arguments[name]: schema["default"]
            for name, schema in self._query.schemas.items()
            if "default" in schema
        }
        self._body, self._body_schema, self._body_required = self._compile_body(operation)
        self._check_arguments()

    async def answer(self, scope: Scope) -> Response:
        """Returns the handler's answer. Raises InvalidRequest, Unauthorized, RateLimited and what it raises."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers_of(scope).items()}
        try:
            principal = await self._principal(headers) if self._schemes else None
        except Unauthorized:
            await self._limits.charge_address(self._kind, scope)  # who brings no good token is counted by it
            raise
        caller = _caller(principal, scope)
        await self._limits.charge(self._kind, caller)
        arguments = self._read_parameters(scope, headers)
        if principal:
            arguments["user"] = principal
        if self._body:
            arguments["body"] = self._read_body(scope[BODY])
        if self._counted_as:
            await self._limits.charge_more(self._kind, caller, len(arguments["body"][self._counted_as]) - 1)
        return await self._handler(**arguments)

    async def _principal(self, headers: Mapping[str, str]) -> Any:
        """Returns who calls (RFC 6750 section 2.1): the first scheme that takes the token says so, as in Connexion."""
        token, request = bearer_token(headers), _Request(headers)
        refusals: list[Exception] = []
        for authenticate, require_scope, scopes in self._schemes:
            try:
                info = await authenticate(token, request)
                if info is not NO_VALUE and (require_scope is None or require_scope(scopes, info["scope"])):
                    return info["sub"]
            except Exception as refusal:
                refusals.append(refusal)
        # Both refuse a token that is of no kind; one that is of a kind is refused by its own scheme alone.
        raise refusals[-1] if refusals else Unauthorized

    def _read_parameters(self, scope: Scope, headers: Mapping[str, str]) -> dict[str, Any]:
        """Returns path and query parameters, by the names of the handler's arguments, with the contract's defaults."""
        path = {name: read_parameter(self._path.schemas[name], [text]) for name, text in scope[PATH_VALUES].items()}
        query = self._read_query(scope["query_string"]) if scope["query_string"] else {}
        named = {name: headers[key] for name, key in self._header_names if key in headers}
        if len(headers) < len(scope["headers"]):
            # One of them came twice, and it may be one that the contract knows.
            named = read_headers(Headers(scope=scope), self._headers.parameters)
        if not (self._path.allow(path) and self._query.allow(query) and self._headers.allow(named)):
            errors = parameter_errors(self._parameters, {"path": path, "query": query, "header": named})
            if errors:
                raise InvalidRequest(errors)
        return self._defaults | {self._arguments[name]: value for name, value in (path | query).items()}

    def _read_query(self, query_string: bytes) -> dict[str, Any]:
        values: dict[str, list[str]] = {}
        for name, value in parse_qsl(query_string.decode("latin-1"), keep_blank_values=True):
            values.setdefault(name, []).append(value)
        return {name: read_parameter(self._query.schemas.get(name, {}), given) for name, given in values.items()}

    def _read_body(self, data: bytes) -> Any:
        if not data:
            if self._body_required:
                raise InvalidRequest.of("body", "is required")
            return {}
        value = parse_json(data)
        if not self._body(value):
            value = whole_numbers(self._body_schema, value)
            errors = find_errors(self._body_schema, value)
            if errors:
                raise InvalidRequest(errors)
        return value

    def _compile_security(self, operation: OpenAPIOperation) -> list[Scheme]:
        """Returns the schemes that the operation takes instead of each other, in its order."""
        if any(len(alternative) != 1 for alternative in operation.security or []):
            raise CannotCompile(f"{self.name}: each alternative of security must name one scheme.")
        return [
            self._compile_scheme(name, operation.security_schemes[name], scopes)
            for alternative in operation.security or []
            for name, scopes in alternative.items()
        ]

    def _compile_scheme(self, name: str, scheme: Schema, scopes: list[str]) -> Scheme:
        kind = scheme["type"], scheme.get("scheme")
        if kind == ("oauth2", None) and {"x-tokenInfoFunc", "x-scopeValidateFunc"} <= scheme.keys():
            require_scope = get_function_from_name(scheme["x-scopeValidateFunc"])
            return get_function_from_name(scheme["x-tokenInfoFunc"]), require_scope, scopes
        if kind == ("http", "bearer") and "x-bearerInfoFunc" in scheme:
            return get_function_from_name(scheme["x-bearerInfoFunc"]), None, scopes
        raise CannotCompile(f"{self.name}: the security scheme {name} is of a kind that is not compiled.")

    def _compile_parameters(self, place: str) -> "Parameters":
        for parameter in self._parameters:
            plain = not {"style", "explode", "allowReserved", "content"} & set(parameter)
            known = parameter["in"] in ("path", "query", "header") and parameter["schema"].get("type") in KINDS
            if not (plain and known):
                raise CannotCompile(
                    f"{self.name}: the parameter {parameter['name']} is of a kind that is not compiled."
                )
        return Parameters([parameter for parameter in self._parameters if parameter["in"] == place])

    def _compile_body(self, operation: OpenAPIOperation) -> tuple[Any, Schema, bool]:
        if not operation.request_body:
            return None, {}, False
        if operation.consumes != ["application/json"]:
            raise CannotCompile(f"{self.name}: the body must be application/json alone.")
        schema = operation.request_body["content"]["application/json"]["schema"]
        return compile_schema(schema), schema, operation.request_body.get("required", False)

    def _check_arguments(self) -> None:
        """Raises CannotCompile where the handler takes other arguments than the contract passes."""
        passed = {*self._arguments.values()}
        passed |= {"user"} if self._schemes else set()
        passed |= {"body"} if self._body else set()
        if passed != set(signature(unwrap(self._handler)).parameters):
            raise CannotCompile(f"{self.name}: its handler does not take what the contract passes.")


def _caller(principal: Any, scope: Scope) -> str:
    """Returns who is counted: the grant of an assistant or, with the service key, the list.

    Not an address: a host calls for many people from a few.
    """
    if principal.grant_id:
        return f"grant {principal.grant_id}"
    return f"list {scope[PATH_VALUES].get('username', '').lower()}"


class Parameters:
    """The parameters of one operation that stand in one place: path, query or header."""

    def __init__(self, parameters: list[Schema]) -> None:
        self.parameters = parameters
        self.schemas = {parameter["name"]: parameter["schema"] for parameter in parameters}
        self._required = {parameter["name"] for parameter in parameters if parameter.get("required")}
        never_null = {name: {**schema, "nullable": False} for name, schema in self.schemas.items()}
        self._validators = {name: compile_schema(schema) for name, schema in never_null.items()}

    def allow(self, given: Mapping[str, Any]) -> bool:
        """Whether nothing is missing, unknown or wrong; a quick yes, and a no that is looked at again."""
        if not given:
            return not self._required
        for name, value in given.items():
            is_valid = self._validators.get(name)
            if not is_valid or not is_valid(value):
                return False
        return self._required <= given.keys()


class _Request:
    """What a token function may look at."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self.headers = headers
