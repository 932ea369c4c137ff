"""A request and its response. Head and body are sent in one write, since each write is a system call."""

from collections.abc import Callable
from http import HTTPStatus

from starlette.types import Message
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from todo.http.asgi_scope import ARRIVED

MAX_COPIED = 65_536  # bytes; larger bodies are sent as they are, so that many slow clients share one copy of a file
WITHOUT_BODY = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)


class Cycle(RequestResponseCycle):
    """Uvicorn's cycle, except that it keeps the head of a response until the body is there."""

    write_soon: Callable[[bytes], None]  # sends a complete response after which the connection stays open
    _start: Message | None = None

    async def run_asgi(self, app: ASGI3Application) -> None:
        """Runs the app. A body that has arrived already is passed in the scope, so nobody waits for it with a timer."""
        if not (self.more_body or self.disconnected):
            self.scope[ARRIVED] = bytes(self.body)  # type: ignore[literal-required]
            self.body = bytearray()
            self.message_event.clear()
        try:
            await super().run_asgi(app)
        finally:
            del self.write_soon  # breaks a reference cycle, as uvicorn does for `on_response`

    async def send(self, message: Message) -> None:  # type: ignore[override]
        """Sends the start or the body of a response. Raises RuntimeError for an invalid response."""
        if not self.response_started and message["type"] == "http.response.start":
            self.response_started = True
            self.waiting_for_100_continue = False
            self._start = message
            return
        start, self._start = self._start, None
        if start is None:
            await super().send(message)  # type: ignore[arg-type]
        elif message.get("more_body"):
            self.response_started = False
            await super().send(start)  # type: ignore[arg-type]
            await super().send(message)  # type: ignore[arg-type]
        else:
            if self.flow.write_paused and not self.disconnected:
                await self.flow.drain()
            if not self.disconnected:
                self._write(start, message.get("body", b""))

    def _write(self, start: Message, body: bytes) -> None:
        """Writes a complete response, and ends the cycle."""
        head = self._head(start, len(body))
        if self.scope["method"] == "HEAD":
            body = b""
        if len(body) > MAX_COPIED:
            self.transport.write(head)
            self.transport.write(body)
        elif self.keep_alive:
            self.write_soon(head + body)
        else:
            self.transport.write(head + body)
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()

    def _head(self, start: Message, length: int) -> bytes:
        pairs = [*self.default_headers, *start["headers"]]
        headers = dict(pairs)
        lines = [*map(b": ".join, pairs)]
        if b"content-length" not in headers:
            if start["status"] not in WITHOUT_BODY:
                lines.append(b"content-length: %d" % length)
        elif int(headers[b"content-length"]) != length and self.scope["method"] != "HEAD" and start["status"] != 304:
            raise RuntimeError("The body is not as long as Content-Length says.")
        if b"close" in headers.get(b"connection", b"").lower():
            self.keep_alive = False
        elif not self.keep_alive:
            lines.append(b"connection: close")
        lines += [b"", b""]  # the line break of the last header, and the empty line
        head = STATUS_LINE[start["status"]] + b"\r\n".join(lines)
        # Response splitting: one scan of the whole head is faster than two patterns for each header.
        if head.count(b"\n") != len(lines) or head.count(b"\r") != len(lines) or b"\0" in head:
            raise RuntimeError("A header holds a line break.")
        return head
