"""Requests over a bare socket, so that a test sees whether an answer came whole, in part or not at all."""

import contextlib
import itertools
import json
import re
import socket
from dataclasses import dataclass, field

from tests.conftest import SERVICE_KEY
from tests.e2e.processes import PATIENCE

HEAD_END = b"\r\n\r\n"


def post_todo(username: str, todo: str, *headers: str) -> bytes:
    """Returns the bytes of an add_todo request."""
    body = json.dumps({"todo": todo}).encode()
    lines = (
        f"POST /todos/{username} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {SERVICE_KEY}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *headers,
    )
    return "\r\n".join(lines).encode() + HEAD_END + body


@dataclass
class Answer:
    """What came back: all of an answer, a part of it, or nothing."""

    raw: bytes

    @property
    def status(self) -> int:
        return int(self.raw.split(b" ", 2)[1])

    @property
    def is_whole(self) -> bool:
        head, end, body = self.raw.partition(HEAD_END)
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        return bool(end and length) and len(body) == int(length[1])

    @property
    def closes(self) -> bool:
        return re.search(rb"(?i)\r\nconnection: *close\r\n", self.raw) is not None


def connect(address: tuple[str, int]) -> socket.socket:
    connection = socket.create_connection(address, PATIENCE)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def receive(connection: socket.socket) -> Answer:
    """Returns what arrives until the answer is whole or the connection ends."""
    answer = Answer(b"")
    while not answer.is_whole:
        try:
            more = connection.recv(65536)
        except ConnectionError:
            break
        if not more:
            break
        answer = Answer(answer.raw + more)
    return answer


@dataclass
class Tally:
    """What became of the requests of one caller: the texts of each kind, and the parts of answers."""

    answered: list[str] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)
    broken: list[bytes] = field(default_factory=list)

    def count(self, todo: str, answer: Answer) -> None:
        if answer.is_whole and answer.status == 201:
            self.answered.append(todo)
        elif answer.raw:
            self.broken.append(answer.raw)
        else:
            self.cut.append(todo)


def post_until_refused(address: tuple[str, int], caller: int, *, keep_alive: bool) -> Tally:
    """Adds to-dos one by one, each on a connection of its own or on one for as long as it lasts, until refused."""
    tally = Tally()
    numbers = itertools.count()
    # Reset: the service stopped listening before it had accepted the connection.
    with contextlib.suppress(ConnectionRefusedError, ConnectionResetError):
        while True:
            with connect(address) as connection:
                lasts = True
                while lasts:
                    todo = f"{caller}-{next(numbers)}"
                    answer = exchange(connection, post_todo("load", todo))
                    tally.count(todo, answer)
                    lasts = keep_alive and answer.is_whole and not answer.closes
    return tally


def exchange(connection: socket.socket, request: bytes) -> Answer:
    """Returns what comes back for a request, which is nothing where the connection has ended."""
    with contextlib.suppress(ConnectionError):
        connection.sendall(request)
        return receive(connection)
    return Answer(b"")
