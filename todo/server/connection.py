"""One connection: uvicorn's, with limits on what its client may ask of it and how long it may take.

httptools reads headers of any size at any pace, and uvicorn keeps what a client does not read for as long as it likes.
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
from todo.server.send_buffer import unsent_bytes

if TYPE_CHECKING:
    from todo.server.connections import Connections

HEADER_BYTES = SITE.limit("header_bytes")
HEADER_SECONDS = SITE.limit("header_seconds")
SEND_BYTES, SEND_SECONDS = SITE.limit("send_bytes"), SITE.limit("send_seconds")
PIPELINED, PIPELINED_BYTES = SITE.limit("pipelined_requests"), SITE.limit("pipelined_bytes")


class Connection(HttpToolsProtocol):
    """One connection, from its first byte to its last."""

    def __init__(self, connections: "Connections", **given: Any) -> None:
        super().__init__(**given)
        self.all = connections
        self.since = 0.0  # when it began to wait for its client
        self.stuck_since: float | None = None  # when the client last took some of what is ready for it
        self.left = 0  # of that, then
        self.in_head = False  # of a request
        self.piece = 0  # bytes that came last
        self.heard = 0  # bytes in all pieces after the one in which a body last went on, or a request ended
        self.heard_before = 0  # bytes of that one
        self.deaf = False  # to what else comes: the answers under way are its last
        self.answering: RequestResponseCycle | None = None

    @property
    def peer(self) -> str:
        """Returns the network address that it comes from, be it that of a proxy."""
        return address_of({"client": self.client}, 0)

    @property
    def is_idle(self) -> bool:
        """Whether no request is being answered, or waits to be."""
        return self.cycle is None or self.cycle.response_complete

    @property
    def waits_since(self) -> float | None:
        """Returns since when it has been waiting for its client, or None where the client waits for us."""
        if self.stuck_since is not None:
            return self.stuck_since
        return self.since if self.is_idle or self.cycle.more_body else None

    @staticmethod
    def order(connection: "Connection") -> float:
        return connection.waits_since or 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.since = self.loop.time()
        self.all.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wakes everybody who answers or would have answered a request of it; uvicorn wakes the last alone."""
        self.all.remove(self)
        for cycle in (self.answering, *(cycle for cycle, _ in self.pipeline)):
            if cycle and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        self.pipeline.clear()
        super().connection_lost(exc)
        self.cycle = None  # type: ignore[assignment]  # one that was never answered knows the connection, and holds it

    def data_received(self, data: bytes) -> None:
        if self.deaf:
            return
        self.piece = len(data)
        self.heard += self.piece
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._hear_no_more()  # what follows is of a protocol that we do not speak
        except httptools.HttpParserError as error:
            if not isinstance(error.__context__, StopHearing):
                self._refuse(InvalidRequest.of("request", "must be HTTP/1.1"))
        if self.heard > HEADER_BYTES and not self.deaf:
            self._refuse(HeadersTooLarge())

    def on_message_begin(self) -> None:
        if self.pipeline and self._waits_enough:
            self._hear_no_more()
            raise StopHearing
        super().on_message_begin()
        self.in_head = True
        if self.cycle:  # the first has had the same time since the connection was made
            self.since = self.loop.time()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Takes a header in, unless its name could pass for another one's: X_Forwarded_For in what CGI makes of it.

        What comes after the body, a trailer, is no header (RFC 9110 section 6.5.1).
        """
        if self.in_head and b"_" not in name:
            name = name.lower()
            if name == b"expect" and value.lower() == b"100-continue":
                self.expect_100_continue = True
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Has the app answer the request, after those before it."""
        self.in_head = False
        if self.heard + self.heard_before > HEADER_BYTES and self._head_bytes > HEADER_BYTES:
            self._refuse(HeadersTooLarge())
            raise StopHearing
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
        return Cycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,  # ours says more, and less
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=expect_100_continue,
            keep_alive=keep_alive,
            on_response=self.on_response_complete,
        )

    def _answer(self, cycle: RequestResponseCycle) -> None:
        self.answering = cycle
        self._start_asgi_task(cycle, self.app)

    def on_body(self, body: bytes) -> None:
        self.heard, self.heard_before = 0, self.piece
        super().on_body(body)

    def on_message_complete(self) -> None:
        self.heard, self.heard_before = 0, self.piece
        if not self.cycle.response_complete:
            self.cycle.more_body = False
            self.cycle.message_event.set()

    def on_response_complete(self) -> None:
        """Goes on to the next request. As uvicorn does, but without a timer for each: the sweep looks at `since`."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.since = self.loop.time()
        self.flow.resume_reading()
        if self.pipeline:
            cycle, _ = self.pipeline.pop()
            self._answer(cycle)

    def check(self, now: float) -> None:
        """Ends the connection if its client takes too long."""
        if self.transport.get_write_buffer_size():
            self._check_reading(now)
            return
        self.stuck_since = None
        waited = now - self.since
        if not self.is_idle:
            return  # the guard looks after bodies
        if self.flow.read_paused:
            self.since = now
        elif self.in_head and waited > HEADER_SECONDS:
            self._refuse(RequestTimeout())
        elif not self.in_head and waited > (self.timeout_keep_alive if self.cycle else HEADER_SECONDS):
            self.transport.close()

    def _check_reading(self, now: float) -> None:
        """Ends the connection if its client does not read."""
        left = unsent_bytes(self.transport)
        if self.stuck_since is None or left <= self.left - SEND_BYTES:
            self.stuck_since, self.left = now, left
        elif now - self.stuck_since > SEND_SECONDS:
            self.transport.abort()
        self.left = max(left, self.left)  # more may have become ready

    @property
    def _waits_enough(self) -> bool:
        """Whether as many requests wait, or as much of their bodies, as may."""
        return len(self.pipeline) >= PIPELINED or sum(len(cycle.body) for cycle, _ in self.pipeline) >= PIPELINED_BYTES

    @property
    def _head_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _hear_no_more(self) -> None:
        """Ends the connection after the answers under way."""
        self.deaf = True
        self.cycle.keep_alive = False

    def _refuse(self, refusal: Refusal) -> None:
        """Has the app answer a request that cannot be read, after those before it, and ends the connection."""
        self._give_up_half_a_request()
        is_next = self.is_idle
        super().on_message_begin()
        about = {"method": "-", "path": "/", "raw_path": b"/", "query_string": b"", REFUSED: refusal}
        self.cycle = self._new_cycle({**self.scope, **about}, keep_alive=False)
        self.cycle.more_body = False
        self.deaf = True
        if is_next:
            self._answer(self.cycle)
        else:
            self.pipeline.appendleft((self.cycle, self.app))

    def _give_up_half_a_request(self) -> None:
        """Tells whoever reads a body that goes wrong that there is no more; one that nobody reads is forgotten."""
        if self.is_idle or not self.cycle.more_body:
            return
        self.cycle.disconnected = True
        self.cycle.message_event.set()
        if self.pipeline:
            self.pipeline.popleft()
            self.cycle = self.pipeline[0][0] if self.pipeline else self.answering  # type: ignore[assignment]
        elif self.cycle.response_started:
            self.transport.close()
        else:
            self.cycle = None  # type: ignore[assignment]


class StopHearing(Exception):
    """Makes the parser stop in the middle of what has come."""
