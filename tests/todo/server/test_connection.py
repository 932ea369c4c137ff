"""Connections in one worker: what each holds, that nothing of it stays once its client has gone, and that no response
is lost on its way out."""

import asyncio
import gc
import re
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from weakref import WeakSet

import pytest
import uvloop
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.server import ServerState

from todo.contract import SITE
from todo.server.connection import HTTPConnection
from todo.server.connections import Connections
from todo.server.outbox import BUSY, Outbox

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

    uvloop.run(vanish())


def test_bodies_that_wait_are_bounded() -> None:
    post = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % ENOUGH + b"x" * ENOUGH

    async def pipeline() -> list[int]:
        async with serving() as (address, connections):
            with socket.create_connection(address) as client:
                client.sendall(post * 4)
                await until(lambda: any(connection.is_closing for connection in connections))
            (connection,) = connections
            return [len(cycle.body) for cycle, _ in connection.pipeline]

    assert uvloop.run(pipeline()) == [ENOUGH]


def test_responses_of_a_busy_worker_are_written_together_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    together: list[int] = []
    flush = Outbox.flush

    def note_and_flush(outbox: Outbox) -> None:
        together.append(len(outbox._waiting))
        flush(outbox)

    monkeypatch.setattr(Outbox, "flush", note_and_flush)
    paths = [f"/{number}" for number in range(5)]

    async def ask() -> list[list[str]]:
        async with serving(answering_together(BUSY)) as (address, _):
            return await asyncio.gather(*(answers(address, paths) for _ in range(BUSY)))

    assert uvloop.run(ask()) == [paths] * BUSY
    assert max(together) == BUSY


def test_with_few_requests_each_response_is_written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Outbox, "add", lambda *_: pytest.fail("a response was queued"))

    async def ask() -> list[list[str]]:
        async with serving(answering_together(BUSY - 1)) as (address, _):
            return await asyncio.gather(*(answers(address, ["/x"]) for _ in range(BUSY - 1)))

    assert uvloop.run(ask()) == [["/x"]] * (BUSY - 1)


def end_of_input(connection: HTTPConnection) -> None:
    connection.eof_received()
    connection.transport.close()


ENDS: dict[str, Callable[[HTTPConnection], None]] = {
    "the client sends no more": end_of_input,
    "the worker stops": HTTPConnection.shutdown,
    "it was kept alive long enough": lambda connection: connection.check(connection.loop.time() + 1000),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
def test_a_response_that_waits_is_written_before_its_connection_closes(end: Callable[[HTTPConnection], None]) -> None:
    """Each connection ends right after its response was sent, before the event loop does anything else."""

    async def ask() -> list[list[str]]:
        answer = answering_together(BUSY)

        async def answer_and_end(scope: Scope, receive: Receive, send: Send) -> None:
            await answer(scope, receive, send)
            (connection,) = (each for each in connections if each.scope is scope)
            assert connection.transport in [transport for transport, _ in connection.all.outbox._waiting]
            end(connection)
            assert connection.transport.is_closing()

        async with serving(answer_and_end) as (address, connections):
            return await asyncio.gather(*(answers(address, ["/x"]) for _ in range(BUSY)))

    assert uvloop.run(ask()) == [["/x"]] * BUSY


class Pipe(asyncio.Transport):
    """A transport that keeps what is written to it. Like uvloop's, it raises once it is closed."""

    def __init__(self, *, closed: bool) -> None:
        super().__init__()
        self.closed, self.written = closed, b""

    def is_closing(self) -> bool:
        return self.closed

    def write(self, data: bytes) -> None:  # type: ignore[override]
        if self.closed:
            raise RuntimeError("the handler is closed")
        self.written += data


def test_a_client_that_has_gone_does_not_hold_up_the_others() -> None:
    gone, there = Pipe(closed=True), Pipe(closed=False)

    async def write_to_both() -> None:
        outbox = Outbox()
        outbox.add(gone, b"lost")
        outbox.add(there, b"sent")
        await asyncio.sleep(0.01)

    uvloop.run(write_to_both())
    assert there.written == b"sent"


@pytest.mark.parametrize(
    ("status", "headers", "head"),
    [
        (200, [], b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
        (204, [(b"a", b"1"), (b"a", b"")], b"HTTP/1.1 204 No Content\r\na: 1\r\na: \r\nconnection: close\r\n\r\n"),
        (204, [(b"connection", b"close")], b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n"),
        *((200, [(b"a", value)], b"") for value in (b"1\nb: 2", b"1\r\nb: 2", b"1\r", b"1\r\n\r\n2", b"\0")),
    ],
)
def test_the_head_of_a_response_has_its_headers_or_is_not_sent(
    status: int, headers: list[tuple[bytes, bytes]], head: bytes
) -> None:
    """One that holds a line break could begin another header, or another response."""
    assert uvloop.run(sent_by(answering(status, headers), GET.replace(b"1.1", b"1.0"))) == head


def test_a_response_without_headers_keeps_the_connection() -> None:
    two = uvloop.run(sent_by(answering(204, []), GET + GET.replace(b"1.1", b"1.0")))
    assert two.startswith(b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 204 No Content\r\n")


def answering(status: int, headers: list[tuple[bytes, bytes]]) -> ASGIApp:
    """Returns an app that answers with these headers and no body."""

    async def answer(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    return answer


async def sent_by(app: ASGIApp, requests: bytes) -> bytes:
    """Returns all that is sent in answer to requests, until the connection is closed."""
    async with serving(app) as (address, _), asyncio.timeout(5):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(requests)
        try:
            return await reader.read()
        finally:
            writer.close()


def answering_together(count: int) -> ASGIApp:
    """Returns an app that answers with the path, each time that this many requests are in progress."""
    barrier = asyncio.Barrier(count)

    async def answer(scope: Scope, _: Receive, send: Send) -> None:
        await barrier.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["path"].encode()})

    return answer


async def answers(address: tuple[str, int], paths: list[str]) -> list[str]:
    """Sends requests for all paths at once, over one connection, and returns the bodies of the responses."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"".join(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for path in paths))
    try:
        return [await body(reader) for _ in paths]
    finally:
        writer.close()


async def body(reader: asyncio.StreamReader) -> str:
    async with asyncio.timeout(5):
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        assert length
        return (await reader.readexactly(int(length[1]))).decode()


@asynccontextmanager
async def serving(app: ASGIApp | None = None) -> AsyncIterator[tuple[tuple[str, int], WeakSet[HTTPConnection]]]:
    """Yields the address of a server, and the connections that something still refers to. It answers only by an app."""
    loop = asyncio.get_running_loop()
    all_connections = Connections()
    config = Config(app or wait_for_the_end, log_config=None, ws="none")
    state = ServerState()
    connections = WeakSet[HTTPConnection]()

    def connect() -> HTTPConnection:
        connection = all_connections(config=config, server_state=state, app_state={}, _loop=loop)
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
