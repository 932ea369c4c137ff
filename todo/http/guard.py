"""The outer guard: what must be right about a request before Connexion sees it.

It knows every path of both contracts, so it answers 404 and 405 itself, reads a body of bounded size in bounded time,
and hands Connexion only what Connexion handles well: one spelling of the media type, no `//`, no encoded slash.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import unquote_to_bytes

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from todo.contract import Contract
from todo.errors import InvalidRequest, MethodNotAllowed, NotFound, UnsupportedMediaType
from todo.http.bodies import Bodies
from todo.http.problems import ProblemResponse

# Where those behind the guard find in the scope what it found out.
TEMPLATE, PATH_VALUES, BODY, HEADERS = "todo.path_template", "todo.path_values", "todo.body", "todo.headers"
MEDIA_TYPE = "todo.media_type"
STARTED = "todo.started"  # set once an answer has begun
REFUSED = "todo.refused"  # where the server says why it could not read a request
MAX_BYTES = "x-max-bytes"
WHOLE_NUMBER = "(?:0|[1-9][0-9]{0,17})"  # of a size that int() takes; the contract's own limits come later
SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
)
# RFC 2046 section 5.1.1
UPLOAD = re.compile(r"""\s*multipart/form-data\s*;\s*boundary="?[0-9A-Z'()+_,./:=? -]{1,70}"?\s*""", re.IGNORECASE)
IN_UTF8 = re.compile(r'\s*([\w.+/-]+)\s*(?:;\s*(?:charset\s*=\s*"?utf-?8"?\s*)?)?', re.IGNORECASE)


@dataclass
class Route:
    """One path of a contract: how it looks, which media types a body may have for each method, and its app."""

    template: str
    pattern: re.Pattern[str]
    app: ASGIApp
    methods: dict[str, list[str]] = field(default_factory=dict)
    max_bytes: dict[str, int] = field(default_factory=dict)  # of a body, where the contract allows more than usual

    @property
    def allowed(self) -> list[str]:
        return sorted({*self.methods, "OPTIONS", *({"HEAD"} if "GET" in self.methods else ())})


def routes_of(contract: Contract, app: ASGIApp) -> list[Route]:
    """Returns the routes of a contract, paths without parameters first."""
    routes: dict[str, Route] = {}
    for operation in contract.operations:
        pattern = re.escape(operation.path)
        for parameter in contract.parameters(operation, "path"):
            named = f"(?P<{parameter['name']}>{_segment(parameter['schema'])})"
            pattern = pattern.replace(re.escape(f"{{{parameter['name']}}}"), named)
        route = routes.setdefault(operation.path, Route(operation.path, re.compile(pattern), app))
        route.methods[operation.method] = list(operation.spec.get("requestBody", {}).get("content", {}))
        if MAX_BYTES in operation.spec:
            route.max_bytes[operation.method] = operation.spec[MAX_BYTES]
    return sorted(routes.values(), key=lambda route: "{" in route.template)


def _segment(schema: dict[str, Any]) -> str:
    """Returns what a path parameter can look like at all; Connexion checks the rest."""
    if "enum" in schema:
        return f"(?:{'|'.join(map(re.escape, schema['enum']))})"
    return WHOLE_NUMBER if schema["type"] == "integer" else r"[^/\r\n]+"


class Guard:
    """An ASGI app in front of the apps of both contracts."""

    def __init__(
        self,
        routes: Iterable[Route],
        *,
        refuse: Callable[[Scope, Exception], ProblemResponse],
        bodies: Bodies,
    ) -> None:
        self.routes: dict[int, list[Route]] = {}
        for route in routes:
            self.routes.setdefault(route.template.count("/"), []).append(route)
        self.refuse = refuse
        self.bodies = bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        send = _with_security_headers(scope, send)
        method = scope["method"]
        if method == "HEAD":
            # HEAD is GET without the body of the answer (RFC 9110 section 9.3.2).
            send, method = _without_body(send), "GET"
        try:
            route, scope[BODY] = await self._let_in(scope, method, receive)
            if method == "OPTIONS":
                await _answer(send, HTTPStatus.NO_CONTENT, {"Allow": ", ".join(route.allowed)}, b"")
            else:
                await route.app({**scope, "method": method} if method != scope["method"] else scope, receive, send)
        except ClientDisconnect:
            return
        except Exception as error:
            if STARTED in scope:
                raise
            problem = self.refuse(scope, error)
            await _answer(send, problem.status, problem.headers, problem.body)
        finally:
            self.bodies.forget(scope)

    async def _let_in(self, scope: Scope, method: str, receive: Receive) -> tuple[Route, bytes]:
        """Returns the route of a request and its body. Raises Refusal, ClientDisconnect."""
        if REFUSED in scope:
            raise scope[REFUSED]
        route = self._route(scope)
        check_address(scope)
        if method == "OPTIONS":
            return route, b""
        if method not in route.methods:
            raise MethodNotAllowed(route.allowed)
        headers = headers_of(scope)
        body = b""  # of a request that announces none (RFC 9112 section 6.3)
        if b"content-length" in headers or b"transfer-encoding" in headers:
            body = await self.bodies.read(scope, headers, receive, route.max_bytes.get(method, 0))
        scope[MEDIA_TYPE] = _media_type(headers, route.methods[method], body)
        return route, body

    def _route(self, scope: Scope) -> Route:
        path = scope["path"]
        # An encoded slash would make two segments of one, so the raw path is looked at too.
        if b"%2f" not in scope.get("raw_path", b"").lower():
            for route in self.routes.get(path.count("/"), ()):
                match = route.pattern.fullmatch(path)
                if match:
                    scope[TEMPLATE], scope[PATH_VALUES] = route.template, match.groupdict()
                    return route
        raise NotFound


class ForConnexion:
    """An ASGI app that hands a request behind the guard to a Connexion app in the form that Connexion understands."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = MutableHeaders(raw=list(scope["headers"]))
        del headers["transfer-encoding"]
        headers["content-length"] = str(len(scope[BODY]))
        # The guard has looked at it. Without a body it says nothing, and Connexion would still refuse a wrong one.
        headers["content-type"] = scope[MEDIA_TYPE]
        await self.app({**scope, "headers": headers.raw}, _replay(scope[BODY], receive), send)


def check_address(scope: Scope) -> None:
    """Raises InvalidRequest where path or query is not UTF-8, percent-encoded (RFC 3986 section 2.5)."""
    path, query = scope.get("raw_path", b""), scope["query_string"]
    if b"%" not in path and b"%" not in query and path.isascii() and query.isascii():
        return
    for place, part in (("path", path), ("query", query)):
        if b"%" in part or not part.isascii():
            try:
                unquote_to_bytes(part.decode("ascii")).decode()
            except UnicodeDecodeError:
                raise InvalidRequest.of(place, "must be UTF-8, percent-encoded") from None


def headers_of(scope: Scope) -> dict[bytes, bytes]:
    """Returns the headers of a request by their names in lower case; the first counts where one came twice."""
    if HEADERS not in scope:
        scope[HEADERS] = dict(reversed(scope["headers"]))
    return cast(dict[bytes, bytes], scope[HEADERS])


def _media_type(headers: dict[bytes, bytes], accepted: list[str], body: bytes) -> str:
    """Returns the media type of the body. Raises UnsupportedMediaType unless it is accepted, in UTF-8 and as it is.

    One without a type is taken for the first that is accepted; without a body the type says nothing.
    """
    usual = accepted[0] if accepted else "application/json"
    if not (body and accepted and b"content-type" in headers):
        given = usual
    else:
        text = headers[b"content-type"].decode("latin-1")
        match = IN_UTF8.fullmatch(text)
        given = match[1].lower() if match else ""
        if "multipart/form-data" in accepted and UPLOAD.fullmatch(text):
            return text  # whose parameter says where its parts end
    is_plain = headers.get(b"content-encoding", b"identity").lower() == b"identity"
    if body and accepted and not (given in accepted and is_plain):
        raise UnsupportedMediaType
    return given


def _replay(body: bytes, receive: Receive) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay


def _with_security_headers(scope: Scope, send: Send) -> Send:
    def send_with_headers(message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *SECURITY_HEADERS]
            scope[STARTED] = True
        return send(message)

    return send_with_headers


def _without_body(send: Send) -> Send:
    async def send_without_body(message: MutableMapping[str, Any]) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return send_without_body


async def _answer(send: Send, status: int, headers: dict[str, str], body: bytes) -> None:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    # RFC 9110 section 8.6: no Content-Length goes with 204.
    raw += [(b"content-length", str(len(body)).encode())] if status != HTTPStatus.NO_CONTENT else []
    await send({"type": "http.response.start", "status": int(status), "headers": raw})
    await send({"type": "http.response.body", "body": body})
