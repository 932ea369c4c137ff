"""The endpoint /mcp: the operations of the contract as tools, over streamable HTTP, in both eras of the protocol.

The official SDK speaks the protocol. A call becomes a request to this very service, with the caller's own token, so
that one place checks, limits and logs. Nothing is kept between two messages: any worker can answer any of them.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast
from urllib.parse import unquote, urlsplit

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
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from todo.accounts import bearer
from todo.accounts.bearer import Principal
from todo.contract import Contract
from todo.errors import HostNotAllowed, InvalidRequest, OriginNotAllowed, RateLimited, Unauthorized, metadata_url
from todo.http.access_log import STATUS
from todo.http.guard import TEMPLATE, Route, headers_of
from todo.http.problems import ProblemResponse
from todo.http.rate_limits import RateLimits
from todo.mcp import transport
from todo.mcp.tools import MINE, Call, tools_of

JSON = dict[str, Any]
Refuse = Callable[[Scope, Exception], ProblemResponse]
Context = ServerRequestContext[Any, Any]

PATH = "/mcp"
# The tools change with a release alone.
FRESH = CacheHint(ttl_ms=3_600_000, scope="private")
DEFAULT_PORTS = {"http": 80, "https": 443}
LOCAL = ("localhost", "127.0.0.1", "[::1]")
KEPT_OF_THE_SCOPE = ("type", "asgi", "http_version", "scheme", "server", "client")
# What a caller says of itself in headers, and where ChatGPT says it over MCP: hints, which can all be forged.
PASSED_ON = ("authorization", "user-agent", "openai-conversation-id", "openai-subdivision-1-iso-code")
CONVERSATION, LOCATION = "openai/session", "openai/userLocation"
# 308 keeps method and body. An address without a host stays where the token may go too.
SLASHED = Response(status_code=308, headers={"Location": PATH})
HINT = re.compile(r"[!-~]{1,200}")
# By this ChatGPT has the person sign in.
CHALLENGE = "mcp/www_authenticate"


@dataclass
class Answer:
    """What the service answered to a call."""

    status: int
    headers: Headers
    body: bytes

    @property
    def is_about_the_token(self) -> bool:
        """Whether another token would help: then the answer to the message itself says so (RFC 6750 section 3.1)."""
        if self.status not in (401, 403):
            return False
        return self.status == 401 or 'error="insufficient_scope"' in self.headers.get("www-authenticate", "")


@dataclass
class Caller:
    """Who sent the message that is being answered, and the answers to the calls in it: several only in a batch."""

    scope: Scope
    headers: Mapping[str, str]
    has_account: bool
    answers: list[Answer] = field(default_factory=list)

    @property
    def refused(self) -> Answer | None:
        """The one answer that another token would help. A batch has none: who sends it again would repeat the rest."""
        return self.answers[0] if len(self.answers) == 1 and self.answers[0].is_about_the_token else None


_caller: ContextVar[Caller] = ContextVar("caller")


class Endpoint:
    """The ASGI app at /mcp. Calls go to `service`, the app that it is a part of, which create_app sets."""

    service: ASGIApp

    def __init__(
        self, contract: Contract, *, public_url: str, origins: Iterable[str], refuse: Refuse, limits: RateLimits
    ) -> None:
        self.tools = tools_of(contract)
        # One list for people's own tokens and one for the service key, made once: they hang on nothing that is stored.
        self._lists = {
            has_account: [tool.definition(for_service=not has_account) for tool in self.tools.values()]
            for has_account in (True, False)
        }
        self._refuse = refuse
        self._limits = limits
        self._public_url = public_url
        self._hosts = _hosts_of(public_url)
        self._origins = {public_url, *origins}
        self._server = self._build_server(contract.document["info"])

    @property
    def routes(self) -> list[Route]:
        """Returns the routes for the guard, which refuses every method but POST."""
        slashed = f"{PATH}/"
        return [
            Route(PATH, re.compile(PATH), self, {"POST": ["application/json"]}),
            Route(slashed, re.compile(slashed), SLASHED, {"POST": []}),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers_of(scope).items()}
        try:
            self._check_address(headers)
            principal = await self._known(headers, scope)
        except Exception as error:
            await self._send_problem(self._refuse(scope, error), send)
            return
        caller = Caller(scope, headers, has_account=principal.username is not None)
        _caller.set(caller)
        count = partial(self._count, principal)
        try:
            response = await transport.answer(self._server, self._call_tool, count, scope, headers)
        except RateLimited as refusal:
            await self._send_problem(self._refuse(scope, refusal), send)
            return
        response.headers["cache-control"] = "no-store"
        if caller.refused:
            response.status_code = caller.refused.status
            response.headers["www-authenticate"] = self._challenge(caller.refused.headers)
        await response(scope, receive, send)

    async def _known(self, headers: Mapping[str, str], scope: Scope) -> Principal:
        """Returns who calls; who brings no good token is counted by the address. Raises Unauthorized, RateLimited."""
        try:
            return cast(Principal, (await bearer.authenticate(headers))["sub"])
        except Unauthorized:
            await self._limits.charge_address("reads", scope)
            raise

    async def _count(self, principal: Principal) -> None:
        """Counts a message that is no call of a tool, of a person's assistant. Raises RateLimited."""
        if principal.grant_id:
            await self._limits.charge("reads", f"grant {principal.grant_id}")

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
        server.middleware.clear()  # it holds OpenTelemetry, which nobody here exports
        return server

    def _check_address(self, headers: Mapping[str, str]) -> None:
        """Refuses what a web page elsewhere may have caused (MCP 2026-07-28, streamable HTTP, DNS rebinding)."""
        if headers.get("host", "").lower() not in self._hosts:
            raise HostNotAllowed
        if headers.get("origin", self._public_url) not in self._origins:
            raise OriginNotAllowed

    async def _list_tools(self, _: Context, __: PaginatedRequestParams | None) -> Any:
        return {"tools": self._lists[_caller.get().has_account], **transport.COMPLETE}

    async def _call_tool(self, params: Mapping[str, Any]) -> JSON:
        """Returns the answer of the service as a result, also a refusal, so that a model can mend its call."""
        name, arguments, meta = params.get("name"), params.get("arguments") or {}, params.get("_meta") or {}
        tool = self.tools.get(name) if isinstance(name, str) else None
        if tool is None:
            raise MCPError(INVALID_PARAMS, f"There is no such tool; there are {', '.join(self.tools)}.")
        if not isinstance(arguments, dict) or not isinstance(meta, dict):
            raise MCPError(INVALID_PARAMS, "arguments and _meta must be objects.")
        caller = _caller.get()
        try:
            call = tool.call(arguments, username=MINE if caller.has_account else None)
        except InvalidRequest as refusal:
            problem = self._refuse({"method": tool.operation.method}, refusal)
            answer = Answer(problem.status, Headers(problem.headers), problem.body)
        else:
            answer = await self._ask(call, caller, meta)
        caller.answers.append(answer)
        # The log tells which tool it was, and what became of the call.
        caller.scope[TEMPLATE], caller.scope[STATUS] = f"{PATH}#{tool.name}", answer.status
        return self._result(answer)

    async def _ask(self, call: Call, caller: Caller, meta: Mapping[str, Any]) -> Answer:
        """Returns what the service answers to a request of this caller."""
        scope = caller.scope
        headers = {
            **{name: value for name, value in caller.headers.items() if name in PASSED_ON},
            **dict(_hints(meta)),
            **({"content-length": str(len(call.body))} if call.body else {}),
        }
        request = {
            **{key: scope[key] for key in KEPT_OF_THE_SCOPE if key in scope},
            "method": call.method,
            "path": unquote(call.path),
            "raw_path": call.path.encode(),
            "query_string": call.query.encode(),
            "root_path": "",
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
        }
        answer = Answer(500, Headers(), b"")
        messages: list[Message] = [{"type": "http.request", "body": call.body, "more_body": False}]

        async def receive() -> Message:
            return messages.pop() if messages else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status, answer.headers = message["status"], Headers(raw=message["headers"])
            else:
                answer.body += message.get("body", b"")

        await self.service(request, receive, send)
        return answer

    def _result(self, answer: Answer) -> JSON:
        if answer.status < 400:
            return {"content": _text(answer.body), "structuredContent": orjson.Fragment(answer.body), "isError": False}
        told = orjson.loads(answer.body)
        if "retry-after" in answer.headers:
            told["retry_after"] = int(answer.headers["retry-after"])
        # Not as structuredContent: some hosts hold that against the outputSchema even where isError is set.
        result: JSON = {"content": _text(orjson.dumps(told)), "isError": True}
        return result | ({"_meta": {CHALLENGE: [self._challenge(answer.headers)]}} if answer.is_about_the_token else {})

    def _challenge(self, headers: Mapping[str, str]) -> str:
        """Returns the challenge of an answer, as one for /mcp (RFC 9728 section 5.1)."""
        own, ours = metadata_url(self._public_url), metadata_url(self._public_url, PATH)
        return headers["www-authenticate"].replace(f'"{own}"', f'"{ours}"')

    async def _send_problem(self, problem: ProblemResponse, send: Send) -> None:
        headers = {name.lower(): value for name, value in problem.headers.items()}
        if "www-authenticate" in headers:
            headers["www-authenticate"] = self._challenge(headers)
        headers["content-length"] = str(len(problem.body))
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": problem.status, "headers": raw})
        await send({"type": "http.response.body", "body": problem.body})


def _hosts_of(public_url: str) -> set[str]:
    """Returns what Host may be: that of the address, with its port or without the usual one."""
    parts = urlsplit(public_url)
    port = parts.port or DEFAULT_PORTS[parts.scheme]
    names = LOCAL if parts.hostname in ("localhost", "127.0.0.1", "::1") else (parts.netloc.partition(":")[0].lower(),)
    return {parts.netloc.lower(), *(f"{name}:{port}" for name in names)}


def _hints(meta: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Yields what a call says of itself, as the headers in which others say it."""
    client, location = meta.get(CLIENT_INFO_META_KEY), meta.get(LOCATION)
    said = {
        "user-agent": client.get("name") if isinstance(client, dict) else None,
        "openai-conversation-id": meta.get(CONVERSATION),
        "openai-subdivision-1-iso-code": location.get("country") if isinstance(location, dict) else None,
    }
    for name, value in said.items():
        if isinstance(value, str) and HINT.fullmatch(value.replace(" ", "-")):
            yield name, value.replace(" ", "-")


def _text(json: bytes) -> list[JSON]:
    return [{"type": "text", "text": json.decode()}]
