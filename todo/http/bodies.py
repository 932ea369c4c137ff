"""The bodies of requests: read whole, in bounded size and time, before anybody acts on them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from todo.contract import API, SITE
from todo.errors import InvalidRequest, Overloaded, PayloadTooLarge, RequestTimeout, StaleForm
from todo.http.asgi_scope import ARRIVED

MAX_BYTES = API.limit("request_body_bytes")
MAX_IN_FLIGHT = SITE.limit("upload_bytes_in_flight")
BODY_TIMEOUT = 20.0  # seconds
UPLOADED = "todo.uploaded"  # where the scope says how much of what is in flight is its own


class Bodies:
    """Reads bodies. Larger ones, where the contract allows any, come from those alone who `may_upload`.

    Those that are there at a time are bounded together; the others are so by how many connections there can be.
    """

    def __init__(self, may_upload: Callable[[Scope], Awaitable[bool]]) -> None:
        self._may_upload = may_upload
        self._in_flight = 0

    async def read(self, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive, larger: int) -> bytes:
        """Returns the body; `larger` is what the operation allows beyond the usual, or 0. Raises Refusals.

        Raises ClientDisconnect where the client goes before its end: half a body is not to be acted on.
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
        """Makes room again, once a request is answered."""
        if UPLOADED in scope:
            self._in_flight -= scope.pop(UPLOADED)

    async def _most(self, scope: Scope, larger: int, length: int) -> int:
        """Returns how large a body may be. Only where it may be large is anybody asked who sends it."""
        if await self._may_upload(scope):
            return larger
        if length > MAX_BYTES:
            refusal = StaleForm()
            refusal.headers["Connection"] = "close"  # what comes is not read
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
        """Counts what is there of a large body. Raises PayloadTooLarge, Overloaded."""
        if size > most:
            raise PayloadTooLarge
        self._in_flight += size - scope.get(UPLOADED, 0)
        scope[UPLOADED] = size
        if self._in_flight > MAX_IN_FLIGHT:
            raise Overloaded
