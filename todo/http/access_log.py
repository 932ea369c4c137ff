"""The outermost middleware: adds the request id and security headers, and logs each request to stdout.

A line has the method, path template, status, milliseconds and request id, and no private data.
"""

import asyncio
import itertools
import logging
import os
import re
import sys
import time
import uuid
from collections.abc import Awaitable, Iterator
from contextlib import suppress
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from todo.http.asgi_scope import LOGGED, STARTED, TEMPLATE, headers_of

REQUEST_ID = "X-Request-ID"
SAFE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
)
STDOUT = 1

_HEADER = REQUEST_ID.lower().encode()


def configure() -> None:
    """Sends other log records and library warnings to stdout."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("todo").setLevel(logging.INFO)


class AccessLog:
    """Logs requests under the platform's X-Request-ID, or a new one."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._new_ids = _ids()
        self._lines = Lines()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = headers_of(scope).get(_HEADER, b"").decode("latin-1")
        request_id = given if given and SAFE_ID.fullmatch(given) else next(self._new_ids)
        method = scope["method"] if scope["method"] in METHODS else "OTHER"
        status: Any = "-"
        start = time.perf_counter()

        def send_with_headers(message: Message) -> Awaitable[None]:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                scope[STARTED] = True
                message["headers"] = [*message["headers"], *SECURITY_HEADERS, (_HEADER, request_id.encode())]
            return send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        finally:
            milliseconds = (time.perf_counter() - start) * 1000
            for template, result in scope.get(LOGGED) or [(scope.get(TEMPLATE, "-"), status)]:
                # An open page asks every second or two whether anything has changed; "no" is not logged.
                if result != 304:
                    self._lines.add(f"{method} {template} {result} {milliseconds:.1f}ms {request_id}\n")


class Lines:
    """Buffers log lines and writes them once per event loop iteration, since each write is a system call."""

    def __init__(self) -> None:
        self._waiting: list[str] = []

    def add(self, line: str) -> None:
        """Queues a line, to be written before the event loop handles the next requests."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._write)
        self._waiting.append(line)

    def _write(self) -> None:
        lines, self._waiting = self._waiting, []
        # A line that cannot be written does not fail a request.
        with suppress(OSError):
            os.write(STDOUT, "".join(lines).encode())


def _ids() -> Iterator[str]:
    """Yields ids unique across workers: each worker draws its prefix at its first request, after the fork."""
    worker = uuid.uuid4().hex[:20]
    for number in itertools.count():
        yield f"{worker}{number:012x}"
