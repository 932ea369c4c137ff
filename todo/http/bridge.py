"""Runs a WSGI app in threads. A thread renders the whole response and never waits for a client."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import copy_context
from io import BytesIO
from typing import Any, NamedTuple

from starlette.types import Receive, Scope, Send

from todo.contract import SITE
from todo.errors import Overloaded
from todo.http.client_address import address_of

THREADS = 10
THREADS_PER_ADDRESS = THREADS // 2  # so that a caller with many requests leaves some threads to others
WAITING_PER_ADDRESS = SITE.limit("waiting_per_address")

Environ = dict[str, Any]
WSGIApp = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class Answer(NamedTuple):
    """A complete response of a WSGI app."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Bridge:
    """An ASGI app that runs a WSGI app (PEP 3333) in threads, behind the guard."""

    def __init__(self, app: WSGIApp, proxies: int) -> None:
        self._app = app
        self._proxies = proxies
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="flask")
        self._turns = Turns(THREADS_PER_ADDRESS, WAITING_PER_ADDRESS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = address_of(scope, self._proxies)
        environ = environ_of(scope, address, await body_of(receive))
        async with self._turns.of(address):
            run = copy_context().run  # the thread gets the context variables of this request
            answer = await asyncio.get_running_loop().run_in_executor(self._pool, run, answer_of, self._app, environ)
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": answer.body})


class Turns:
    """Limits concurrent requests per address; a limited number of others wait, first come, first served."""

    def __init__(self, each: int, waiting: int) -> None:
        self._each = each
        self._most = each + waiting
        self._taken: dict[str, int] = {}  # by requests that run and requests that wait
        self._free: dict[str, asyncio.Semaphore] = {}

    @asynccontextmanager
    async def of(self, address: str) -> AsyncIterator[None]:
        """Acquires a slot for an address and releases it afterwards. Raises Overloaded if too many are waiting."""
        if self._taken.get(address, 0) >= self._most:
            raise Overloaded
        free = self._free.setdefault(address, asyncio.Semaphore(self._each))
        self._taken[address] = self._taken.get(address, 0) + 1
        try:
            async with free:
                yield
        finally:
            self._taken[address] -= 1
            if not self._taken[address]:
                del self._taken[address], self._free[address]


def answer_of(app: WSGIApp, environ: Environ) -> Answer:
    """Runs a WSGI app and returns its response. Raises what it raises."""
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
        if exc_info:
            raise exc_info[1].with_traceback(exc_info[2])
        started[:] = status, headers
        return written.append

    written: list[bytes] = []
    parts = app(environ, start_response)
    try:
        body = b"".join([*written, *parts]) if parts is not None else b""
    finally:
        getattr(parts, "close", lambda: None)()
    status, headers = started
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    return Answer(int(status.split(" ", 1)[0]), raw, body)


async def body_of(receive: Receive) -> bytes:
    """Returns the request body as Connexion passes it on: it serializes JSON again, so 1.0 may have become 1."""
    parts = []
    more = True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def environ_of(scope: Scope, address: str, body: bytes) -> Environ:
    """Returns the WSGI environ of a request. REMOTE_ADDR is the client's address, not a proxy's."""
    server = scope.get("server") or ("localhost", 80)
    environ = {
        "asgi.scope": scope,  # Connexion reads it here
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode().decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1] or 0),
        "REMOTE_ADDR": address,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    return environ | _headers(scope)


def _headers(scope: Scope) -> Environ:
    """Returns the headers under their CGI names. Those with underscores are dropped: X_Real would be X-Real."""
    values: dict[bytes, list[bytes]] = {}
    for name, value in scope["headers"]:
        if b"_" not in name:
            values.setdefault(name, []).append(value)
    return {_environ_name(name.decode("latin-1")): b",".join(given).decode("latin-1") for name, given in values.items()}


def _environ_name(name: str) -> str:
    plain = name.upper().replace("-", "_")
    return plain if plain in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{plain}"
