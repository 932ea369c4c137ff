"""One line to stdout for each request: method, path template, status, milliseconds and request id, nothing private."""

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

from todo.http.guard import TEMPLATE, headers_of

REQUEST_ID = "X-Request-ID"
SAFE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
STATUS = "todo.status"  # where those behind the log put a status that tells more than that of their answer
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
STDOUT = 1

_HEADER = REQUEST_ID.lower().encode()


def configure() -> None:
    """Sends the service's other lines, and what libraries warn of, to stdout."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("todo").setLevel(logging.INFO)


class AccessLog:
    """An ASGI app that logs what `app` answers, under the request id that a platform set, or a new one."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._new_ids = _ids()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = headers_of(scope).get(_HEADER, b"").decode("latin-1")
        request_id = given if SAFE_ID.fullmatch(given) else next(self._new_ids)
        method = scope["method"] if scope["method"] in METHODS else "OTHER"
        status: Any = "-"
        start = time.perf_counter()

        def send_with_id(message: Message) -> Awaitable[None]:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (_HEADER, request_id.encode())]
            return send(message)

        try:
            await self.app(scope, receive, send_with_id)
        finally:
            milliseconds = (time.perf_counter() - start) * 1000
            told = scope.get(STATUS, status)
            # An open page asks whether anything has changed every second or two; that nothing has is no news.
            if told != 304:
                _write(f"{method} {scope.get(TEMPLATE, '-')} {told} {milliseconds:.1f}ms {request_id}\n")


def _ids() -> Iterator[str]:
    """Yields ids that no other worker has, as this begins only with the first request that a worker gets."""
    worker = uuid.uuid4().hex[:20]
    for number in itertools.count():
        yield f"{worker}{number:012x}"


def _write(line: str) -> None:
    # Logging would take longer than half of what the service does. A line that cannot be written stops no request.
    with suppress(OSError):
        os.write(STDOUT, line.encode())
