"""The open connections of one worker: how many there may be, and who has to go when there are more.

One look a second at all of them ends those that are too slow: no request starts a timer.
"""

import asyncio
import resource
from collections import Counter
from heapq import nsmallest
from typing import Any

from todo.contract import SITE
from todo.server import memory
from todo.server.connection import Connection

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

    def __call__(self, **given: Any) -> Connection:
        return Connection(self, **given)

    def add(self, connection: Connection) -> None:
        """Counts a new connection, and drops others where there are too many."""
        self._open[connection] = None
        self._peak = max(self._peak, len(self._open))
        if len(self._open) > self.most:
            self._make_room(connection)
        if self._sweeping is None:
            self._sweeping = connection.loop.call_later(1, self._sweep, connection.loop)

    def remove(self, connection: Connection) -> None:
        self._open.pop(connection, None)

    def _make_room(self, newcomer: Connection) -> None:
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

    def _drop(self, connections: list[Connection]) -> None:
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
