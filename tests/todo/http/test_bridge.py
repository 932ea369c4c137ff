"""The bridge from ASGI to Flask: what a thread is given, and that none waits for a client."""

import asyncio
import threading
from contextvars import ContextVar
from typing import Any

import pytest
from starlette.types import Message

from todo.errors import Overloaded
from todo.http.bridge import THREADS_PER_ADDRESS, WAITING_PER_ADDRESS, Bridge, Environ

SCOPE = {
    "type": "http",
    "method": "POST",
    "path": "/caf\N{LATIN SMALL LETTER E WITH ACUTE}",
    "query_string": b"a=1",
    "http_version": "1.1",
    "client": ("192.0.2.1", 50000),
    "headers": [(b"content-type", b"text/plain"), (b"x-real", b"1"), (b"x-real", b"2"), (b"x_real", b"3")],
}


def call(app: Any, *, proxies: int = 0, **changed: Any) -> list[Message]:
    """Returns what the bridge sends."""
    return asyncio.run(send_to(Bridge(app, proxies), **changed))


async def send_to(bridge: Bridge, **changed: Any) -> list[Message]:
    sent: list[Message] = []
    body = [b"the ", b"body"]

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": body.pop(0), "more_body": bool(body)}

    await bridge({**SCOPE, **changed}, receive, send)
    return sent


def test_passes_on_what_was_asked_and_answered() -> None:
    def app(environ: Environ, start_response: Any) -> list[bytes]:
        seen.update(environ, body=environ["wsgi.input"].read())
        start_response("201 CREATED", [("Content-Type", "text/plain"), ("Content-Length", "4")])
        return [b"do", b"ne"]

    seen: Environ = {}
    start, body = call(app)
    assert (start["status"], start["headers"]) == (201, [(b"content-type", b"text/plain"), (b"content-length", b"4")])
    assert body == {"type": "http.response.body", "body": b"done"}
    assert seen["body"] == b"the body"
    assert seen["PATH_INFO"] == "/caf\xc3\xa9"
    assert (seen["CONTENT_TYPE"], seen["HTTP_X_REAL"], seen["REMOTE_ADDR"]) == ("text/plain", "1,2", "192.0.2.1")


def test_raises_what_the_app_raises() -> None:
    def app(environ: Environ, start_response: Any) -> list[bytes]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        call(app)


def test_closes_what_it_has_read() -> None:
    class Parts(list[bytes]):
        closed = False

        def close(self) -> None:
            Parts.closed = True

    def app(environ: Environ, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return Parts()

    call(app)
    assert Parts.closed


def test_context_is_the_requests_own() -> None:
    name: ContextVar[str] = ContextVar("name")

    def app(environ: Environ, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [name.get().encode()]

    async def ask(value: str) -> Any:
        name.set(value)
        return (await send_to(bridge))[1]["body"]

    async def run() -> Any:
        return await asyncio.gather(*(ask(str(number)) for number in range(20)))

    bridge = Bridge(app, 0)
    assert asyncio.run(run()) == [str(number).encode() for number in range(20)]


def test_one_address_leaves_threads_to_others() -> None:
    at_work: list[str] = []
    go_on = threading.Event()

    def app(environ: Environ, start_response: Any) -> list[bytes]:
        at_work.append(environ["REMOTE_ADDR"])
        if environ["REMOTE_ADDR"] == "192.0.2.1":
            assert go_on.wait(10)
        start_response("200 OK", [])
        return [b""]

    async def run() -> None:
        bridge = Bridge(app, 0)
        greedy = [asyncio.create_task(send_to(bridge)) for _ in range(30)]
        await asyncio.sleep(0.1)
        assert at_work == ["192.0.2.1"] * THREADS_PER_ADDRESS
        await asyncio.wait_for(send_to(bridge, client=("192.0.2.2", 50000)), 5)
        go_on.set()
        await asyncio.gather(*greedy)
        assert at_work.count("192.0.2.1") == 30

    asyncio.run(run())


def test_too_many_of_one_address_are_refused() -> None:
    go_on = threading.Event()

    def app(environ: Environ, start_response: Any) -> list[bytes]:
        assert go_on.wait(10)
        start_response("200 OK", [])
        return [b""]

    async def run() -> list[Any]:
        bridge = Bridge(app, 0)
        greedy = [asyncio.create_task(send_to(bridge)) for _ in range(THREADS_PER_ADDRESS + WAITING_PER_ADDRESS)]
        await asyncio.sleep(0.1)
        with pytest.raises(Overloaded):
            await asyncio.wait_for(send_to(bridge), 1)
        other = asyncio.create_task(send_to(bridge, client=("192.0.2.2", 50000)))
        await asyncio.sleep(0)
        go_on.set()
        return await asyncio.gather(other, *greedy)

    assert len(asyncio.run(run())) == 1 + THREADS_PER_ADDRESS + WAITING_PER_ADDRESS
