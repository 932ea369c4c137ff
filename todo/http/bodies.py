"""Request bodies: read in full, with limits on size and time, before the operation runs."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from todo.contract import API, SITE
from todo.errors import InvalidRequest, Overloaded, PayloadTooLarge, RequestTimeout
from todo.errors.access import StaleForm
from todo.http.asgi_scope import ARRIVED

MAX_BYTES = API.limit("request_body_bytes")
MAX_IN_FLIGHT = SITE.limit("upload_bytes_in_flight")
BODY_TIMEOUT = 20.0  # seconds
UPLOADED = "todo.uploaded"  # scope key: bytes charged to the budget


class Bodies:
    """Reads bodies. Bodies over the usual limit need an operation that allows them, and `may_upload`.

    Uploads share one memory budget; small bodies are bounded by the number of connections.
    """

    def __init__(self, may_upload: Callable[[Scope], Awaitable[bool]]) -> None:
        self._may_upload = may_upload
        self._in_flight = 0

    async def read(self, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive, larger: int) -> bytes:
        """Returns the body. `larger` is the operation's own limit in bytes, or 0 for the usual one. Raises Refusals.

        Raises ClientDisconnect if the client disconnects before the end: half a body is dropped.
        """
        length = headers.get(b"content-length", b"0")
        if not length.isdigit():
            raise InvalidRequest.of("Content-Length", "must be a whole number")
        if len(length) > 15:
            raise PayloadTooLarge
        most = await self._most(scope, larger, int(length)) if larger else MAX_BYTES
        if int(length) > most:
            raise PayloadTooLarge
        if ARRIVED in scope:
            return self._check(scope, scope.pop(ARRIVED), most)
        try:
            async with asyncio.timeout(BODY_TIMEOUT):
                return await self._read(scope, receive, most)
        except TimeoutError:
            raise RequestTimeout from None

    def forget(self, scope: Scope) -> None:
        """Releases the request's share of the budget."""
        if UPLOADED in scope:
            self._in_flight -= scope.pop(UPLOADED)

    async def _most(self, scope: Scope, larger: int, length: int) -> int:
        """Returns the size limit in bytes. The session is only looked up for operations that accept uploads."""
        if await self._may_upload(scope):
            return larger
        if length > MAX_BYTES:
            refusal = StaleForm()
            refusal.headers["Connection"] = "close"  # the body is not read
            raise refusal
        return MAX_BYTES

    def _check(self, scope: Scope, body: bytes, most: int) -> bytes:
        if len(body) > MAX_BYTES:
            self._count(scope, len(body), most)
        return body

    async def _read(self, scope: Scope, receive: Receive, most: int) -> bytes:
        parts = []
        size = 0
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > MAX_BYTES:
                self._count(scope, size, most)
            more = message.get("more_body", False)
        return b"".join(parts)

    def _count(self, scope: Scope, size: int, most: int) -> None:
        """Charges an upload to the budget. Raises PayloadTooLarge and Overloaded."""
        if size > most:
            raise PayloadTooLarge
        self._in_flight += size - scope.get(UPLOADED, 0)
        scope[UPLOADED] = size
        if self._in_flight > MAX_IN_FLIGHT:
            raise Overloaded
