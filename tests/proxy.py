"""A TCP proxy before a server, which can fall silent or go away, as a network does."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

from psycopg.conninfo import conninfo_to_dict

CHUNK = 65536


class Proxy:
    """Forwards to a PostgreSQL server on an event loop of its own; `url` is the address to use instead of its own."""

    def __init__(self, url: str) -> None:
        self._target = conninfo_to_dict(url)
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._forwarding = asyncio.Event()
        self._cut: tuple[bytes, bool] | None = None
        self.port = 0
        self.go_on()
        self.come_back()
        self.url = "postgresql://?" + "&".join(
            f"{name}={value}"
            for name, value in {**self._target, "host": "127.0.0.1", "port": self.port}.items()
            if name != "hostaddr"
        )

    def stall(self) -> None:
        """Forwards nothing from now on; connections stay, and new ones are accepted."""
        self._call(self._forwarding.clear)

    def go_on(self) -> None:
        self._call(self._forwarding.set)

    def cut_at(self, text: bytes, *, arrives: bool) -> None:
        """Ends the next connection over which a client sends this text, which arrives at the server or not."""
        self._cut = (text, arrives)

    def go_away(self) -> None:
        """Ends every connection, and refuses new ones."""

        def end() -> None:
            if self._server:
                self._server.close()
            for writer in self._open:
                writer.transport.abort()

        self._call(end)

    def come_back(self) -> None:
        """Accepts connections, at the port that it had."""
        self._server = self._run(asyncio.start_server(self._serve, "127.0.0.1", self.port))
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        self.go_away()
        self._run(asyncio.sleep(0.1))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def _call(self, function: Callable[[], None]) -> None:
        async def call() -> None:
            function()

        self._run(call())

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, port = str(self._target.get("host") or "127.0.0.1"), self._target.get("port") or 5432
        if host.startswith("/"):
            return await asyncio.open_unix_connection(str(Path(host) / f".s.PGSQL.{port}"))
        return await asyncio.open_connection(host, int(port))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with contextlib.suppress(OSError):
            await self._forwarding.wait()
            there, back = await self._connect()
            self._open.add(back)
            await asyncio.gather(self._pump(reader, back), self._pump(there, writer))
            self._open.discard(back)
        self._open.discard(writer)
        writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                await self._forwarding.wait()
                if self._cut and self._cut[0] in data:
                    await self._end(data, writer)
                writer.write(data)
                await writer.drain()
        writer.close()

    async def _end(self, data: bytes, server: asyncio.StreamWriter) -> None:
        """Ends every connection; the server has done what it was told if that arrives."""
        assert self._cut
        _, arrives = self._cut
        self._cut = None
        clients = [writer for writer in self._open if writer is not server]
        for client in clients:
            client.transport.abort()
        if arrives:
            server.write(data)
            await server.drain()
            await asyncio.sleep(0.2)
        raise ConnectionAbortedError


@contextlib.contextmanager
def proxied(url: str) -> Iterator[Proxy]:
    """Yields a proxy before the server of a database's address."""
    proxy = Proxy(url)
    try:
        yield proxy
    finally:
        proxy.stop()
