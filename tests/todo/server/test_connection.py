"""Connections in one worker: what each holds, and that nothing of it stays once its client has gone."""

import asyncio
import gc
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from weakref import WeakSet

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.server import ServerState

from todo.contract import SITE
from todo.server.connection import HTTPConnection
from todo.server.connections import Connections

ENOUGH = SITE.limit("pipelined_bytes")
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def without_gc() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("without_gc")
def test_what_vanishes_with_requests_that_wait_is_no_garbage() -> None:
    """A worker looks for garbage after many requests only, and this would hold their bodies until then."""

    async def vanish() -> None:
        async with serving() as (address, connections):
            with socket.create_connection(address) as client:
                client.sendall(GET * 3)
                await until(lambda: [len(connection.pipeline) for connection in connections] == [2])
            await until(lambda: not connections)

    asyncio.run(vanish())


def test_bodies_that_wait_are_bounded() -> None:
    post = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % ENOUGH + b"x" * ENOUGH

    async def pipeline() -> list[int]:
        async with serving() as (address, connections):
            with socket.create_connection(address) as client:
                client.sendall(post * 4)
                await until(lambda: any(connection.is_closing for connection in connections))
            (connection,) = connections
            return [len(cycle.body) for cycle, _ in connection.pipeline]

    assert asyncio.run(pipeline()) == [ENOUGH]


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[tuple[str, int], WeakSet[HTTPConnection]]]:
    """Yields the address of a server that answers nothing, and the connections that something still refers to."""
    loop = asyncio.get_running_loop()
    all_connections = Connections()
    config = Config(wait_for_the_end, log_config=None, ws="none")
    connections = WeakSet[HTTPConnection]()

    def connect() -> HTTPConnection:
        connection = all_connections(config=config, server_state=ServerState(), app_state={}, _loop=loop)
        connections.add(connection)
        return connection

    async with await loop.create_server(connect, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname(), connections


async def wait_for_the_end(_: Scope, receive: Receive, __: Send) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
