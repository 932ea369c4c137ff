"""Asks an app in this process, in one step on its event loop's thread; Starlette's own client takes eight."""

import asyncio
from typing import Any

import httpx2
from starlette import testclient
from starlette.types import ASGIApp, Message

PORTS = {"http": 80, "https": 443}
_ask_in_steps = testclient._TestClientTransport.handle_request


def ask(transport: Any, request: httpx2.Request) -> httpx2.Response:
    """Returns the whole answer to a request, in place of what a TestClient does. Raises what the app raises."""
    if request.url.scheme not in PORTS:  # a WebSocket's
        return _ask_in_steps(transport, request)
    with transport.portal_factory() as portal:
        return portal.call(_answer, transport.app, request, transport.client)


async def _answer(app: ASGIApp, request: httpx2.Request, client: tuple[str, int]) -> httpx2.Response:
    sent, over, answered = [request.read()], asyncio.Event(), []

    async def receive() -> Message:
        if sent:
            return {"type": "http.request", "body": sent.pop()}
        await over.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        assert not over.is_set()
        answered.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            over.set()

    await app(_scope(request, client), receive, send)
    await asyncio.sleep(0)  # the log is written once in each turn of the loop
    assert over.is_set()
    start, *parts = answered
    body = b"".join(part.get("body", b"") for part in parts if request.method != "HEAD")
    return httpx2.Response(start["status"], headers=start.get("headers"), stream=httpx2.ByteStream(body))


def _scope(request: httpx2.Request, client: tuple[str, int]) -> dict[str, Any]:
    url = request.url
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": url.scheme,
        "root_path": "",
        "path": url.path,
        "raw_path": url.raw_path.partition(b"?")[0],
        "query_string": url.query,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "server": (url.host, url.port or PORTS[url.scheme]),
        "client": client,
    }
