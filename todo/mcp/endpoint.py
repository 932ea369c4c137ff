"""The endpoint /mcp: the operations of the contract as tools, over streamable HTTP, in both eras of the protocol.

The official SDK speaks the protocol. A call runs the operation itself, so the same checks, limits and rules apply as
over HTTP. No session is kept: any worker can answer any message.
"""

import re
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any
from urllib.parse import urlsplit

import orjson
from mcp.server.caching import CacheHint
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CLIENT_INFO_META_KEY,
    INVALID_PARAMS,
    PaginatedRequestParams,
)
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from todo.accounts import bearer
from todo.accounts.bearer import Principal
from todo.contract import Contract
from todo.errors import HostNotAllowed, OriginNotAllowed
from todo.errors.access import Challenge, InsufficientScope, Unauthorized
from todo.http.asgi_scope import TEMPLATE, Headers, log_as
from todo.http.guard import Refuse
from todo.http.operations import CompiledContract, caller_of
from todo.http.rate_limits import RateLimits
from todo.http.routes import Route, Target
from todo.mcp.tools import MINE, Tool, tools_of
from todo.mcp.transport import COMPLETE, Transport, Work

JSON = dict[str, Any]
Context = ServerRequestContext[Any, Any]

PATH = "/mcp"
# The tools only change with a release.
FRESH = CacheHint(ttl_ms=3_600_000, scope="private")
DEFAULT_PORTS = {"http": 80, "https": 443}
LOCAL = ("localhost", "127.0.0.1", "[::1]")
CONVERSATION, LOCATION = "openai/session", "openai/userLocation"  # in _meta, what ChatGPT sends as headers over HTTP
# 308 keeps method and body. A URL without a host stays on this origin, so clients send the token again.
SLASHED = Response(status_code=308, headers={"Location": PATH})
MAX_HINT = 200
HINT = re.compile(r"[!-~]+")
WAIT = ("Retry-After", "RateLimit-Policy", "RateLimit")
# This makes ChatGPT ask the person to sign in.
CHALLENGE = "mcp/www_authenticate"


@dataclass
class Caller:
    """The sender of the current message."""

    scope: Scope
    principal: Principal
    scopes: list[str]
    calls: int = 0  # several only in a batch
    # The status and headers of the HTTP response, if the last call was refused.
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def has_account(self) -> bool:
        return self.principal.username is not None


_caller: ContextVar[Caller] = ContextVar("caller")


class Endpoint:
    """The ASGI app at /mcp, which offers the operations of a contract as tools."""

    def __init__(
        self,
        contract: Contract,
        operations: CompiledContract,
        *,
        public_url: str,
        origins: Iterable[str],
        refuse: Refuse,
        limits: RateLimits,
    ) -> None:
        self.tools = tools_of(contract)
        # One list for people's own tokens and one for the service key.
        self._lists = {
            has_account: [tool.definition(for_service=not has_account) for tool in self.tools.values()]
            for has_account in (True, False)
        }
        self._operations = operations
        self._refuse = refuse
        self._limits = limits
        self._public_url = public_url
        self._hosts = _hosts_of(public_url)
        self._origins = {public_url, *origins}
        self._transport = Transport(self._build_server(contract.document["info"]), self._call_of)

    @property
    def routes(self) -> list[Route]:
        """Returns the routes for the guard, which refuses every method but POST."""
        slashed = f"{PATH}/"
        return [
            Route(PATH, re.compile(PATH), {"POST": Target(self, ["application/json"])}),
            Route(slashed, re.compile(slashed), {"POST": Target(SLASHED)}),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope)
        try:
            self._check_address(headers)
            caller = await self._identify(scope, headers)
            _caller.set(caller)
            response = await self._transport.answer(scope, headers, partial(self._count, caller.principal))
        except Exception as error:
            response = self._refused(scope, error)
        else:
            # Not for a batch: a client that sends it again would repeat the other calls.
            if caller.headers and caller.calls == 1:
                response.status_code = caller.status
                response.headers.update(caller.headers)
        await response(scope, receive, send)

    async def _identify(self, scope: Scope, headers: Headers) -> Caller:
        """Returns the caller. An invalid token is charged to the address. Raises Unauthorized and RateLimited."""
        try:
            info = await bearer.authenticate(headers)
        except Unauthorized:
            await self._limits.charge_address("reads", scope)
            raise
        principal: Principal = info["sub"]
        if principal.idempotency_key is not None:
            principal = principal._replace(idempotency_key=None)  # one header cannot identify several calls
        return Caller(scope, principal, info["scope"])

    async def _count(self, principal: Principal, messages: int) -> None:
        """Charges a read for each of the messages that call no operation. Raises RateLimited."""
        caller = caller_of(principal)
        await self._limits.charge("reads", caller)
        await self._limits.charge_more("reads", caller, messages - 1)

    def _build_server(self, info: JSON) -> Server[Any]:
        server: Server[Any] = Server(
            info["x-plugin"]["name_for_model"],
            version=info["version"],
            title=info["title"],
            instructions=info["x-mcp"]["instructions"],
            website_url=self._public_url,
            cache_hints={"tools/list": FRESH, "server/discover": FRESH},
            on_list_tools=self._list_tools,
        )
        server.middleware.clear()  # OpenTelemetry, which this service does not export
        return server

    def _check_address(self, headers: Mapping[str, str]) -> None:
        """Refuses cross-origin requests and DNS rebinding (MCP 2026-07-28, streamable HTTP)."""
        if headers.get("host", "").lower() not in self._hosts:
            raise HostNotAllowed
        if headers.get("origin", self._public_url) not in self._origins:
            raise OriginNotAllowed

    async def _list_tools(self, _: Context, __: PaginatedRequestParams | None) -> Any:
        return {"tools": self._lists[_caller.get().has_account], **COMPLETE}

    def _call_of(self, params: Mapping[str, Any]) -> Work:
        """Returns the work of a tool call. Raises MCPError for an unknown tool, or arguments that are not an object."""
        name, arguments, meta = params.get("name"), params.get("arguments") or {}, params.get("_meta") or {}
        tool = self.tools.get(name) if isinstance(name, str) else None
        if tool is None:
            raise MCPError(INVALID_PARAMS, f"There is no such tool; there are {', '.join(self.tools)}.")
        if not isinstance(arguments, dict) or not isinstance(meta, dict):
            raise MCPError(INVALID_PARAMS, "arguments and _meta must be objects.")
        return partial(self._call_tool, tool, arguments, meta)

    async def _call_tool(self, tool: Tool, arguments: JSON, meta: JSON) -> JSON:
        """Runs the operation and returns its result; a refusal is a result too, so that a model can fix its call."""
        caller = _caller.get()
        caller.calls += 1
        try:
            response = await self._run(tool, arguments, caller, meta)
        except Exception as error:
            result, status = self._refusal(tool, error, caller)
        else:
            result, status = _result(response.body), response.status_code
        log_as(caller.scope, f"{PATH}#{tool.name}", status)
        return result

    async def _run(self, tool: Tool, arguments: JSON, caller: Caller, meta: JSON) -> Response:
        principal = caller.principal
        if hints := _hints(meta):
            principal = bearer.with_hints(principal, **hints)
        call = tool.call(arguments, username=MINE if caller.has_account else None)
        operation = self._operations[tool.operation]
        return await operation.call(principal, caller.scopes, call.path, call.query, call.body)

    def _refusal(self, tool: Tool, error: Exception, caller: Caller) -> tuple[JSON, int]:
        """Returns the result for a refused call, and its HTTP status."""
        problem = self._refuse({"method": tool.operation.method, TEMPLATE: tool.operation.path}, error)
        told = orjson.loads(problem.body)
        if "Retry-After" in problem.headers:
            told["retry_after"] = int(problem.headers["Retry-After"])
        # Not as structuredContent: some hosts check that against the outputSchema even if isError is set.
        result: JSON = {"content": _text(orjson.dumps(told)), "isError": True}
        caller.headers = {name: problem.headers[name] for name in WAIT if name in problem.headers}
        if isinstance(error, Unauthorized | InsufficientScope):
            # A host acts on this status; with any other except 200, the model would not see the result.
            caller.status, caller.headers["WWW-Authenticate"] = problem.status, self._challenge(error)
            result["_meta"] = {CHALLENGE: [self._challenge(error)]}
        return result, problem.status

    def _challenge(self, refusal: Challenge) -> str:
        return refusal.challenge(self._public_url, PATH)

    def _refused(self, scope: Scope, error: Exception) -> Response:
        """Returns the HTTP response to a refused message."""
        problem = self._refuse(scope, error)
        challenge = {"WWW-Authenticate": self._challenge(error)} if isinstance(error, Challenge) else {}
        return Response(problem.body, problem.status, {**problem.headers, **challenge})


def _result(body: bytes | memoryview) -> JSON:
    return {"content": _text(body), "structuredContent": orjson.Fragment(bytes(body)), "isError": False}


def _hosts_of(public_url: str) -> set[str]:
    """Returns the allowed values of Host: PUBLIC_URL's host, without its port if that is the default."""
    parts = urlsplit(public_url)
    port = parts.port or DEFAULT_PORTS[parts.scheme]
    names = LOCAL if parts.hostname in ("localhost", "127.0.0.1", "::1") else (parts.netloc.partition(":")[0].lower(),)
    return {parts.netloc.lower(), *(f"{name}:{port}" for name in names)}


def _hints(meta: Mapping[str, Any]) -> Mapping[str, str]:
    """Returns the hints in a call's _meta: client, conversation and region. All of them can be forged."""
    client, location = meta.get(CLIENT_INFO_META_KEY), meta.get(LOCATION)
    return _valid_hints(
        _text_or_none(client.get("name") if isinstance(client, dict) else None),
        _text_or_none(meta.get(CONVERSATION)),
        _text_or_none(location.get("country") if isinstance(location, dict) else None),
    )


def _text_or_none(value: Any) -> str | None:
    return value if isinstance(value, str) and len(value) <= MAX_HINT else None


@lru_cache(maxsize=256)
def _valid_hints(user_agent: str | None, conversation: str | None, region: str | None) -> Mapping[str, str]:
    given = {"user_agent": user_agent, "conversation": conversation, "region": region}
    texts = {name: value.replace(" ", "-") for name, value in given.items() if value}
    return {name: text for name, text in texts.items() if HINT.fullmatch(text)}


def _text(json: bytes | memoryview) -> list[JSON]:
    return [{"type": "text", "text": bytes(json).decode()}]
