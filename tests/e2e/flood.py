"""A flood of a thousand clients that are slow, stop halfway, pipeline or vanish, and the few honest ones beside it."""

import asyncio
import contextlib
import http.client
import json
import random
import socket
import time
from dataclasses import dataclass, field

from tests.conftest import AUTHORIZATION
from tests.e2e.attacks import LARGE, Address
from tests.e2e.wire import post_todo

REQUEST = post_todo("flood", "x", "Authorization: wrong")
PAUSE = 0.03  # seconds that an honest client thinks


async def slow(address: Address) -> None:
    """Sends a byte of its request each half second."""
    async with _connection(address) as writer:
        for byte in REQUEST:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.5)


async def half_sent(address: Address) -> None:
    """Sends a part of its request and waits."""
    async with _connection(address) as writer:
        writer.write(REQUEST[: random.randrange(len(REQUEST))])
        await asyncio.sleep(12)


async def pipelining(address: Address) -> None:
    """Asks for more large pages than the system keeps for it, and reads nothing."""
    async with _connection(address) as writer:
        for _ in range(4):
            writer.write(LARGE)
            await asyncio.sleep(random.uniform(0.1, 4))


async def vanishing(address: Address) -> None:
    """Goes away before it is answered."""
    async with _connection(address) as writer:
        writer.write(random.choice([REQUEST, b"GET /sign-in HTTP/1.1\r\nHost: x\r\n\r\n"]))
    await asyncio.sleep(random.uniform(0.5, 2))


KINDS = (slow, half_sent, pipelining, vanishing)


class _connection:
    """A connection with little room for answers, which nobody reads; it is reset in the end."""

    def __init__(self, address: Address) -> None:
        self._address = address

    async def __aenter__(self) -> asyncio.StreamWriter:
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(connection, self._address)
        except OSError:
            connection.close()
            raise
        _, self._writer = await asyncio.open_connection(sock=connection, limit=1)
        return self._writer

    async def __aexit__(self, *_: object) -> None:
        self._writer.transport.abort()


def run(address: Address, clients: int, seconds: float) -> None:
    """Floods a service, for a process of its own: honest clients in the same one would wait for this."""
    asyncio.run(flood(address, clients, seconds))


async def flood(address: Address, clients: int, seconds: float) -> None:
    """Keeps so many clients of all kinds at it for so long."""

    async def attack(number: int) -> None:
        await asyncio.sleep(random.random())
        while True:
            with contextlib.suppress(OSError):
                await KINDS[number % len(KINDS)](address)
            await asyncio.sleep(0.1)

    attacks = [asyncio.create_task(attack(number)) for number in range(clients)]
    await asyncio.sleep(seconds)
    for task in attacks:
        task.cancel()
    await asyncio.gather(*attacks, return_exceptions=True)


@dataclass
class Honest:
    """An honest client: what it has added, how long each answer took, and what went wrong."""

    name: str
    keep_alive: bool
    added: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def work(self, address: Address, seconds: float) -> None:
        """Adds and reads to-dos for so long, on one connection or on new ones."""
        end = time.monotonic() + seconds
        connection = http.client.HTTPConnection(*address, timeout=10)
        while time.monotonic() < end:
            text = f"{self.name}-{len(self.added)}"
            if self._ask(connection, "POST", f"/todos/{self.name}", 201, {"todo": text}):
                self.added.append(text)
            self._ask(connection, "GET", f"/todos/{self.name}", 200)
            self._ask(connection, "GET", "/healthz", 200)
            time.sleep(PAUSE)
        connection.close()

    def _ask(
        self, connection: http.client.HTTPConnection, method: str, path: str, status: int, body: object = None
    ) -> bool:
        start = time.monotonic()
        headers = {**AUTHORIZATION, "Content-Type": "application/json"}
        try:
            connection.request(method, path, json.dumps(body) if body else None, headers)
            answer = connection.getresponse()
            answer.read()
            found = str(answer.status)
        except (OSError, http.client.HTTPException) as error:
            found = type(error).__name__
            connection.close()
        self.seconds.append(time.monotonic() - start)
        if not self.keep_alive:
            connection.close()
        if found != str(status):
            self.lost.append(f"{method} {path} {found}")
        return found == str(status)
