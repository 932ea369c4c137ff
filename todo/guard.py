"""The outer guard: what must be right about a request before Connexion sees it.

It knows every path of both contracts, so it answers 404 and 405 itself, reads a body of bounded size in bounded time,
and hands Connexion only what Connexion handles well: one spelling of the media type, no `//`, no encoded slash.
"""

import asyncio
import re
from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from todo.contract import Contract
from todo.errors import (
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    Refusal,
    RequestTimeout,
    UnsupportedMediaType,
    problem_response,
)

BODY_TIMEOUT = 20.0  # seconds
# Where those behind the guard find in the scope what it found out.
TEMPLATE, PATH_VALUES, BODY = "todo.path_template", "todo.path_values", "todo.body"
WHOLE_NUMBER = "(?:0|[1-9][0-9]{0,17})"  # of a size that int() takes; the contract's own limits come later
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}


@dataclass
class Route:
    """One path of a contract: how it looks, its methods, which of them take a body, and the app that serves it."""

    template: str
    pattern: re.Pattern[str]
    app: ASGIApp
    methods: dict[str, bool] = field(default_factory=dict)

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
        route.methods[operation.method] = "requestBody" in operation.spec
    return sorted(routes.values(), key=lambda route: "{" in route.template)


def _segment(schema: dict[str, Any]) -> str:
    """Returns what a path parameter can look like at all; Connexion checks the rest."""
    if "enum" in schema:
        return f"(?:{'|'.join(map(re.escape, schema['enum']))})"
    return WHOLE_NUMBER if schema["type"] == "integer" else r"[^/\r\n]+"


class Guard:
    """An ASGI app in front of the apps of both contracts."""

    def __init__(self, routes: Iterable[Route], *, public_url: str, most_bytes: int) -> None:
        self.routes = list(routes)
        self.public_url = public_url
        self.most_bytes = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        send = _with_headers(send, SECURITY_HEADERS)
        method = scope["method"]
        if method == "HEAD":
            # HEAD is GET without the body of the answer (RFC 9110 section 9.3.2).
            send, method = _without_body(send), "GET"
        try:
            route = self._route(scope)
            if method == "OPTIONS":
                await _answer(send, HTTPStatus.NO_CONTENT, {"Allow": ", ".join(route.allowed)}, b"")
                return
            if method not in route.methods:
                raise MethodNotAllowed(route.allowed)
            body = await self._body(scope, receive)
            headers = _normal_headers(scope, body, takes_body=route.methods[method])
        except Refusal as refusal:
            problem = problem_response(refusal, self.public_url)
            await _answer(send, problem.status, problem.headers, problem.body)
            return
        except ClientDisconnect:
            return
        scope = {**scope, "method": method, "headers": headers, BODY: body}
        await route.app(scope, _replay(body, receive), send)

    def _route(self, scope: Scope) -> Route:
        # An encoded slash would make two segments of one, so the raw path is looked at too.
        if b"%2f" not in scope.get("raw_path", b"").lower():
            for route in self.routes:
                match = route.pattern.fullmatch(scope["path"])
                if match:
                    scope[TEMPLATE], scope[PATH_VALUES] = route.template, match.groupdict()
                    return route
        raise NotFound

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        length = Headers(scope=scope).get("content-length", "0")
        if not (length.isascii() and length.isdigit()):
            raise InvalidRequest.of("Content-Length", "must be a whole number")
        if len(length) > 15 or int(length) > self.most_bytes:
            raise PayloadTooLarge
        try:
            return await asyncio.wait_for(self._read(receive), BODY_TIMEOUT)
        except TimeoutError:
            raise RequestTimeout from None

    async def _read(self, receive: Receive) -> bytes:
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                # Half a body is not to be acted on.
                raise ClientDisconnect
            body += message.get("body", b"")
            if len(body) > self.most_bytes:
                raise PayloadTooLarge
            more = message.get("more_body", False)
        return bytes(body)


def _normal_headers(scope: Scope, body: bytes, *, takes_body: bool) -> list[tuple[bytes, bytes]]:
    """Returns the headers as Connexion understands them. Raises UnsupportedMediaType."""
    headers = MutableHeaders(raw=list(scope["headers"]))
    media_type, _, parameters = headers.get("content-type", "application/json").partition(";")
    charset = re.fullmatch(r'\s*(?:charset\s*=\s*"?([\w-]+)"?\s*)?', parameters, re.IGNORECASE)
    if takes_body and body:
        is_json = media_type.strip().lower() == "application/json"
        is_utf8 = charset is not None and (charset[1] or "utf-8").lower() in ("utf-8", "utf8")
        if not (is_json and is_utf8) or headers.get("content-encoding", "identity").lower() != "identity":
            raise UnsupportedMediaType
    del headers["transfer-encoding"]
    headers["content-length"] = str(len(body))
    # Without a body the type says nothing, and Connexion would still refuse a wrong one.
    headers["content-type"] = "application/json"
    return headers.raw


def _replay(body: bytes, receive: Receive) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay


def _with_headers(send: Send, headers: dict[str, str]) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            present = MutableHeaders(scope=message)
            for name, value in headers.items():
                present.setdefault(name, value)
        await send(message)

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
