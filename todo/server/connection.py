"""A connection: uvicorn's protocol, with limits on size, time and pipelining.

httptools has no limit on the size or pace of headers, and uvicorn keeps unread responses forever.
"""

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from todo.contract import SITE
from todo.errors import HeadersTooLarge, InvalidRequest, Refusal, RequestTimeout
from todo.http.asgi_scope import REFUSED
from todo.http.client_address import address_of
from todo.server.cycle import Cycle
from todo.server.outbox import BUSY
from todo.server.send_buffer import unsent_bytes

if TYPE_CHECKING:
    from todo.server.connections import Connections

HEADER_BYTES = SITE.limit("header_bytes")
HEADER_SECONDS = SITE.limit("header_seconds")
SEND_BYTES, SEND_SECONDS = SITE.limit("send_bytes"), SITE.limit("send_seconds")
PIPELINED, PIPELINED_BYTES = SITE.limit("pipelined_requests"), SITE.limit("pipelined_bytes")


class HTTPConnection(HttpToolsProtocol):
    """One connection and the requests on it."""

    def __init__(self, connections: "Connections", **given: Any) -> None:
        super().__init__(**given)
        self.all = connections
        self.since = 0.0  # start of waiting for the client, in loop time
        self.stuck_since: float | None = None  # when the client last read some of a pending response
        self.left = 0  # bytes that were unread then
        self.in_head = False  # while the head of a request is arriving
        self.chunk_bytes = 0  # in the last chunk received
        self.head_received = 0  # bytes since the last chunk that continued a body or ended a request
        self.bytes_before = 0  # in that chunk
        self.is_closing = False  # no further requests are read
        self.answering: RequestResponseCycle | None = None

    @property
    def peer(self) -> str:
        """Returns the network address of the other end, which may be a proxy."""
        return address_of({"client": self.client}, 0)

    @property
    def is_idle(self) -> bool:
        """Whether no request is in progress or queued."""
        return self.cycle is None or self.cycle.response_complete

    @property
    def waits_since(self) -> float | None:
        """Returns since when we have been waiting for the client; None if the client is waiting for us."""
        if self.stuck_since is not None:
            return self.stuck_since
        return self.since if self.is_idle or self.cycle.more_body else None

    @staticmethod
    def order(connection: "HTTPConnection") -> float:
        return connection.waits_since or 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.since = self.loop.time()
        self.all.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wakes all requests in progress or queued; uvicorn wakes only the last."""
        self.all.remove(self)
        for cycle in (self.answering, *(cycle for cycle, _ in self.pipeline)):
            if cycle and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        self.pipeline.clear()
        super().connection_lost(exc)
        self.cycle = None  # type: ignore[assignment]  # breaks a reference cycle that would keep bodies until the next garbage collection

    def eof_received(self) -> None:
        """Writes what is queued: the transport is closed next, though its client may still be reading."""
        self.all.outbox.flush()

    def shutdown(self) -> None:
        self.all.outbox.flush()
        super().shutdown()

    def data_received(self, data: bytes) -> None:
        if self.is_closing:
            return
        self.chunk_bytes = len(data)
        self.head_received += self.chunk_bytes
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._stop_reading()  # upgrades are not supported
        except httptools.HttpParserError as error:
            if not isinstance(error.__context__, StopReading):
                self._refuse(InvalidRequest.of("request", "must be HTTP/1.1"))
        if self.head_received > HEADER_BYTES and not self.is_closing:
            self._refuse(HeadersTooLarge())

    def on_message_begin(self) -> None:
        if self.pipeline and self._queue_is_full:
            self._stop_reading()
            raise StopReading
        super().on_message_begin()
        self.in_head = True
        if self.cycle:  # the first request's time began with the connection
            self.since = self.loop.time()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Adds a header, unless its name has an underscore: CGI does not distinguish X_Forwarded_For from
        X-Forwarded-For.

        Trailers are not headers (RFC 9110 section 6.5.1), so they are dropped.
        """
        if self.in_head and b"_" not in name:
            name = name.lower()
            if name == b"expect" and value.lower() == b"100-continue":
                self.expect_100_continue = True
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Starts the request, or queues it behind earlier ones."""
        self.in_head = False
        if self.head_received + self.bytes_before > HEADER_BYTES and self._head_bytes > HEADER_BYTES:
            self._refuse(HeadersTooLarge())
            raise StopReading
        url, version = httptools.parse_url(self.url), self.parser.get_http_version()
        path = url.path.decode("ascii")
        scope: dict[str, Any] = self.scope  # type: ignore[assignment]
        scope.update(
            method=self.parser.get_method().decode("ascii"),
            http_version=version,
            path=unquote(path) if "%" in path else path,
            raw_path=url.path,
            query_string=url.query or b"",
        )
        is_next = self.is_idle
        keep_alive = version != "1.0" and self.parser.should_keep_alive()
        self.cycle = self._new_cycle(scope, keep_alive=keep_alive, expect_100_continue=self.expect_100_continue)
        if is_next:
            self._answer(self.cycle)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def _new_cycle(self, scope: Any, *, keep_alive: bool, expect_100_continue: bool = False) -> Cycle:
        cycle = Cycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,  # the service has its own
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=expect_100_continue,
            keep_alive=keep_alive,
            on_response=self.on_response_complete,
        )
        cycle.write_soon = self._write_soon
        return cycle

    def _write_soon(self, data: bytes) -> None:
        if len(self.tasks) < BUSY:
            self.transport.write(data)
        else:
            self.all.outbox.add(self.transport, data)

    def _close(self) -> None:
        self.all.outbox.flush()
        self.transport.close()

    def _answer(self, cycle: RequestResponseCycle) -> None:
        self.answering = cycle
        self._start_asgi_task(cycle, self.app)

    def on_body(self, body: bytes) -> None:
        self.head_received, self.bytes_before = 0, self.chunk_bytes
        super().on_body(body)

    def on_message_complete(self) -> None:
        self.head_received, self.bytes_before = 0, self.chunk_bytes
        if not self.cycle.response_complete:
            self.cycle.more_body = False
            self.cycle.message_event.set()

    def on_response_complete(self) -> None:
        """Starts the next request. Unlike uvicorn, no keep-alive timer is set: the sweep checks `since`."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.since = self.loop.time()
        self.flow.resume_reading()
        if self.pipeline:
            cycle, _ = self.pipeline.pop()
            self._answer(cycle)

    def check(self, now: float) -> None:
        """Closes the connection if its client is too slow."""
        if self.transport.get_write_buffer_size():
            self._check_reading(now)
            return
        self.stuck_since = None
        waited = now - self.since
        if not self.is_idle:
            return  # the guard times bodies
        if self.flow.read_paused:
            self.since = now
        elif self.in_head and waited > HEADER_SECONDS:
            self._refuse(RequestTimeout())
        elif not self.in_head and waited > (self.timeout_keep_alive if self.cycle else HEADER_SECONDS):
            self._close()

    def _check_reading(self, now: float) -> None:
        """Aborts the connection if its client does not read."""
        left = unsent_bytes(self.transport)
        if self.stuck_since is None or left <= self.left - SEND_BYTES:
            self.stuck_since, self.left = now, left
        elif now - self.stuck_since > SEND_SECONDS:
            self.transport.abort()
        self.left = max(left, self.left)  # more may have become ready

    @property
    def _queue_is_full(self) -> bool:
        """Whether the queue is full, by requests or by bytes of bodies."""
        return len(self.pipeline) >= PIPELINED or sum(len(cycle.body) for cycle, _ in self.pipeline) >= PIPELINED_BYTES

    @property
    def _head_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _stop_reading(self) -> None:
        """Closes the connection after the requests in progress."""
        self.is_closing = True
        self.cycle.keep_alive = False

    def _refuse(self, refusal: Refusal) -> None:
        """Has the app refuse a request that could not be parsed, after earlier ones, and closes the connection."""
        self._drop_incomplete_request()
        is_next = self.is_idle
        super().on_message_begin()
        about = {"method": "-", "path": "/", "raw_path": b"/", "query_string": b"", REFUSED: refusal}
        self.cycle = self._new_cycle({**self.scope, **about}, keep_alive=False)
        self.cycle.more_body = False
        self.is_closing = True
        if is_next:
            self._answer(self.cycle)
        else:
            self.pipeline.appendleft((self.cycle, self.app))

    def _drop_incomplete_request(self) -> None:
        """Ends the body of a request that is still arriving; if nobody is reading it, the request is dropped."""
        if self.is_idle or not self.cycle.more_body:
            return
        self.cycle.disconnected = True
        self.cycle.message_event.set()
        if self.pipeline:
            self.pipeline.popleft()
            self.cycle = self.pipeline[0][0] if self.pipeline else self.answering  # type: ignore[assignment]
        elif self.cycle.response_started:
            self._close()
        else:
            self.cycle = None  # type: ignore[assignment]


class StopReading(Exception):
    """Stops the parser in the middle of the received data."""
