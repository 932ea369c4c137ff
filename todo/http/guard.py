"""The guard: checks every request before it reaches an operation.

It answers 404 and 405, reads the body within its limits, and passes on only what Connexion handles well: one spelling
of the media type, no `//`, no encoded slash.
"""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from urllib.parse import unquote_to_bytes

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from todo.errors import InvalidRequest, MethodNotAllowed
from todo.http.asgi_scope import BODY, MEDIA_TYPE, REFUSED, STARTED, headers_of
from todo.http.bodies import Bodies
from todo.http.media_type import media_type_of
from todo.http.problems import ProblemResponse
from todo.http.routes import Route, Routes

Refuse = Callable[[Scope, Exception], ProblemResponse]


class Guard:
    """An ASGI app that routes requests to operations, and turns what they raise into responses."""

    def __init__(self, routes: Iterable[Route], *, refuse: Refuse, bodies: Bodies) -> None:
        self._routes = Routes(routes)
        self._refuse = refuse
        self._bodies = bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        try:
            if scope["method"] == "HEAD":
                # GET without the body of the response (RFC 9110 section 9.3.2).
                app = await self._admit(scope, "GET", receive)
                await app({**scope, "method": "GET"}, receive, _without_body(send))
            else:
                app = await self._admit(scope, scope["method"], receive)
                await app(scope, receive, send)
        except ClientDisconnect:
            return
        except Exception as error:
            if STARTED in scope:
                raise
            problem = self._refuse(scope, error)
            await _respond(send, problem.status, problem.headers, problem.body)
        finally:
            self._bodies.forget(scope)

    async def _admit(self, scope: Scope, method: str, receive: Receive) -> ASGIApp:
        """Reads the body into the scope and returns the app for the request. Raises Refusal and ClientDisconnect."""
        if REFUSED in scope:
            raise scope[REFUSED]
        route = self._routes.find(scope)
        check_encoding(scope)
        target = route.targets.get(method)
        if target is None:
            if method == "OPTIONS":
                return _Options(route)
            raise MethodNotAllowed(route.allowed)
        headers = headers_of(scope)
        body = b""  # the request announces no body (RFC 9112 section 6.3)
        if b"content-length" in headers or b"transfer-encoding" in headers:
            body = await self._bodies.read(scope, headers, receive, target.max_bytes)
        scope[BODY] = body
        scope[MEDIA_TYPE] = media_type_of(headers, target.media_types, body)
        return target.app


class _Options:
    """Answers OPTIONS for a route without an operation for that method."""

    def __init__(self, route: Route) -> None:
        self._headers = {"Allow": ", ".join(route.allowed)}

    async def __call__(self, _: Scope, __: Receive, send: Send) -> None:
        await _respond(send, HTTPStatus.NO_CONTENT, self._headers, b"")


def check_encoding(scope: Scope) -> None:
    """Raises InvalidRequest unless path and query are percent-encoded UTF-8 (RFC 3986 section 2.5)."""
    path, query = scope.get("raw_path", b""), scope["query_string"]
    if b"%" not in path and b"%" not in query and path.isascii() and query.isascii():
        return
    for place, part in (("path", path), ("query", query)):
        if b"%" in part or not part.isascii():
            try:
                unquote_to_bytes(part.decode("ascii")).decode()
            except UnicodeDecodeError:
                raise InvalidRequest.of(place, "must be UTF-8, percent-encoded") from None


def _without_body(send: Send) -> Send:
    async def send_without_body(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return send_without_body


async def _respond(send: Send, status: int, headers: dict[str, str], body: bytes) -> None:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    # RFC 9110 section 8.6: a 204 has no Content-Length.
    raw += [(b"content-length", str(len(body)).encode())] if status != HTTPStatus.NO_CONTENT else []
    await send({"type": "http.response.start", "status": int(status), "headers": raw})
    await send({"type": "http.response.body", "body": body})
