"""The open connections of a worker: limits their number, and decides which to drop.

A sweep each second closes those that are too slow, so that no request needs a timer.
"""

import asyncio
import resource
from collections import Counter
from heapq import nsmallest
from typing import Any

from todo.contract import SITE
from todo.server import memory
from todo.server.connection import HTTPConnection
from todo.server.outbox import Outbox

CONNECTIONS = SITE.limit("connections")
RESERVED = 256  # file descriptors for the database, files and simultaneous new connections
FREED_AT_ONCE = 0.05  # share of all connections, so that new connections rarely pay for the search
CROWD = 100  # connections; when most of at least this many have closed, memory is released
NEW_SECONDS = 1  # during which a new connection does not count as waiting


class Connections:
    """The open connections of a worker. Uvicorn calls it to create one."""

    def __init__(self) -> None:
        self.outbox = Outbox()
        self._open: dict[HTTPConnection, None] = {}  # the oldest first
        self._sweeping: asyncio.TimerHandle | None = None
        self._peak = 0  # since memory was last released
        descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self.most = min(CONNECTIONS, max(descriptors - RESERVED, descriptors // 2))

    def __call__(self, **given: Any) -> HTTPConnection:
        return HTTPConnection(self, **given)

    def add(self, connection: HTTPConnection) -> None:
        """Adds a connection, and drops others if there are too many."""
        self._open[connection] = None
        self._peak = max(self._peak, len(self._open))
        if len(self._open) > self.most:
            self._make_room(connection)
        if self._sweeping is None:
            self._sweeping = connection.loop.call_later(1, self._sweep, connection.loop)

    def remove(self, connection: HTTPConnection) -> None:
        self._open.pop(connection, None)

    def _make_room(self, newcomer: HTTPConnection) -> None:
        """Drops the connections that have waited longest for their clients, then those of the peers with the most.

        Connections made this second do not count as waiting. Behind a proxy all are one peer: then the oldest go.
        """
        wanted = 1 + int(self.most * FREED_AT_ONCE)
        before = newcomer.since - NEW_SECONDS
        waiting = [connection for connection in self._open if (connection.waits_since or before) < before]
        dropped = nsmallest(wanted, waiting, key=HTTPConnection.order)
        if len(dropped) < wanted:
            self._drop(dropped)
            peers = Counter(connection.peer for connection in self._open)
            others = [connection for connection in self._open if connection is not newcomer]
            dropped = nsmallest(wanted - len(dropped), others, key=lambda connection: -peers[connection.peer])
        self._drop(dropped)

    def _drop(self, connections: list[HTTPConnection]) -> None:
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
            memory.release()
