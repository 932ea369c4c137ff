"""Responses of a busy worker, written together once per event loop iteration.

Written one by one, each would wake a client on this machine, such as a proxy, which takes a quarter of the CPU time of
a read. Written together, they wake it once.
"""

import asyncio

BUSY = 8  # requests in progress; with fewer, a response is written at once, as its client may be waiting for it alone


class Outbox:
    """Complete responses that are not yet written. A connection must flush it before it closes its transport."""

    def __init__(self) -> None:
        self._waiting: list[tuple[asyncio.Transport, bytes]] = []

    def add(self, transport: asyncio.Transport, data: bytes) -> None:
        """Queues data, to be written before the event loop runs any task that is started from now on."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self.flush)
        self._waiting.append((transport, data))

    def flush(self) -> None:
        """Writes what is queued, except to clients that have gone."""
        waiting, self._waiting = self._waiting, []
        for transport, data in waiting:
            if not transport.is_closing():
                transport.write(data)
