"""The server in each worker: uvicorn's, with limits on what a connection may ask of it and how long it may take.

httptools reads headers of any size at any pace, and uvicorn keeps what a client does not read for as long as it likes.
One look a second at all connections ends those that are too slow: no request starts a timer.
"""

import asyncio
import resource
from collections import Counter
from heapq import nsmallest
from typing import Any, ClassVar

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn_worker import UvicornWorker

from todo.contract import SITE
from todo.errors import HeadersTooLarge, InvalidRequest, Refusal, RequestTimeout
from todo.http import memory
from todo.http.address import address_of
from todo.http.scope import REFUSED
from todo.http.unsent import unsent_bytes

HEADER_BYTES = SITE.limit("header_bytes")
HEADER_SECONDS = SITE.limit("header_seconds")
SEND_BYTES, SEND_SECONDS = SITE.limit("send_bytes"), SITE.limit("send_seconds")
PIPELINED, PIPELINED_BYTES = SITE.limit("pipelined_requests"), SITE.limit("pipelined_bytes")
CONNECTIONS = SITE.limit("connections")
RESERVED = 256  # descriptors for the database, files, and those who come at the same moment
FREED_AT_ONCE = 0.05  # of all connections, so that to look for them costs each newcomer little
CROWD = 100  # connections, whose memory is worth giving back once most of them have gone
NEW_SECONDS = 1  # in which a newcomer is not taken for one that waits


class Connections:
    """The open connections of one worker. Called by uvicorn with what each new one needs."""

    def __init__(self) -> None:
        self._open: dict[Connection, None] = {}  # the oldest first
        self._sweeping: asyncio.TimerHandle | None = None
        self._peak = 0  # of open connections, since memory was last given back
        descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self.most = min(CONNECTIONS, max(descriptors - RESERVED, descriptors // 2))

    def __call__(self, **given: Any) -> "Connection":
        return Connection(self, **given)

    def add(self, connection: "Connection") -> None:
        """Counts a new connection, and drops others where there are too many."""
        self._open[connection] = None
        self._peak = max(self._peak, len(self._open))
        if len(self._open) > self.most:
            self._make_room(connection)
        if self._sweeping is None:
            self._sweeping = connection.loop.call_later(1, self._sweep, connection.loop)

    def remove(self, connection: "Connection") -> None:
        self._open.pop(connection, None)

    def _make_room(self, newcomer: "Connection") -> None:
        """Drops those that have been waiting longest for their clients, and where they are too few, of those who crowd.

        Who came this second is not waiting yet. All who come through one proxy are one peer: then its oldest go.
        """
        wanted = 1 + int(self.most * FREED_AT_ONCE)
        before = newcomer.since - NEW_SECONDS
        waiting = [connection for connection in self._open if (connection.waits_since or before) < before]
        dropped = nsmallest(wanted, waiting, key=Connection.order)
        if len(dropped) < wanted:
            self._drop(dropped)
            peers = Counter(connection.peer for connection in self._open)
            others = [connection for connection in self._open if connection is not newcomer]
            dropped = nsmallest(wanted - len(dropped), others, key=lambda connection: -peers[connection.peer])
        self._drop(dropped)

    def _drop(self, connections: "list[Connection]") -> None:
        for connection in connections:
            self.remove(connection)
            connection.transport.abort()

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        self._sweeping = loop.call_later(1, self._sweep, loop) if self._open else None
        now = loop.time()
        for connection in list(self._open):
            connection.check(now)
        if self._peak >= CROWD and len(self._open) < self._peak / 2:
            self._peak = len(self._open)
            memory.give_back()


class Connection(HttpToolsProtocol):
    """One connection, from its first byte to its last."""

    def __init__(self, connections: Connections, **given: Any) -> None:
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
        self.in_head = False
        if self.heard + self.heard_before > HEADER_BYTES and self._head_bytes > HEADER_BYTES:
            self._refuse(HeadersTooLarge())
            raise StopHearing
        super().on_headers_complete()
        if not self.pipeline:
            self.answering = self.cycle

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
            self.answering, app = self.pipeline.pop()
            self._start_asgi_task(self.answering, app)

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
        self.cycle = RequestResponseCycle(
            scope={**self.scope, **about},  # type: ignore[typeddict-item]
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=False,
            on_response=self.on_response_complete,
        )
        self.cycle.more_body = False
        self.deaf = True
        if is_next:
            self.answering = self.cycle
            self._start_asgi_task(self.cycle, self.app)
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


class Worker(UvicornWorker):
    """What gunicorn runs: uvicorn with these limits. WebSockets are not spoken, and so not logged either."""

    CONFIG_KWARGS: ClassVar[dict[str, Any]] = {"loop": "auto", "ws": "none"}

    def init_process(self) -> None:
        _set_limit()
        self.config.http = Connections()
        super().init_process()


def _set_limit() -> None:
    """Lets the worker open as many files and connections as it may need, where the system does, as Go and nginx do."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = CONNECTIONS + RESERVED
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))
