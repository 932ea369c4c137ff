"""What a stranger can do to the availability of a service: each attack is a function of its address.

It returns when it is over, after some seconds, and needs no account.
"""

import contextlib
import socket
import struct
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from tests.e2e.processes import PATIENCE
from tests.e2e.wire import HEAD_END, connect

Address = tuple[str, int]

LARGE = b"GET /docs HTTP/1.1\r\nHost: x\r\n\r\n" * 16  # 2 MB of answers to as many requests as may wait
SECONDS = 3
PIECE = b"x" * 65536
FORM = (
    b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: 65000\r\n\r\n" + b"x" * 65000
)
VANISH = struct.pack("ii", 1, 0)  # SO_LINGER: the end of the connection is a reset


@contextlib.contextmanager
def connections(address: Address, count: int) -> Iterator[list[socket.socket]]:
    """Yields so many connections, and resets them in the end."""
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(connect(address)) for _ in range(count)]
        for connection in opened:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, VANISH)
        yield opened


def send(connection: socket.socket, data: bytes) -> bool:
    """Sends what the service still takes, and returns whether it took all."""
    connection.settimeout(1)
    try:
        connection.sendall(data)
    except OSError:
        return False
    finally:
        connection.settimeout(PATIENCE)
    return True


def read_nothing(address: Address) -> None:
    """Ten clients ask for large pages, more than the system keeps for them, read nothing, and go away; others come."""
    for _ in range(2):
        with connections(address, 10) as clients:
            for _ in range(4):
                for client in clients:
                    send(client, LARGE)
                time.sleep(SECONDS / 8)


def pipeline_without_end(address: Address) -> None:
    """Clients send requests one after the other without waiting for answers."""
    with connections(address, 10) as clients:
        for client in clients:
            send(client, b"GET /x HTTP/1.1\r\n\r\n" * 20_000)
        time.sleep(1)


def quote_cookies(address: Address) -> None:
    """Clients send cookies whose values need unquoting, which took quadratic time."""
    cookie = b'Cookie: session="' + rb"\a" * 15_000 + b'"'
    _repeat(address, b"GET /live HTTP/1.1\r\nHost: x\r\n" + cookie + HEAD_END)


def search_for_long_texts(address: Address) -> None:
    """Clients search for texts that a pattern takes quadratic time to refuse."""
    _repeat(address, b"GET /list?q=" + b"x" * 30_000 + b"%01 HTTP/1.1\r\nHost: x" + HEAD_END)


def send_endless_headers(address: Address) -> None:
    """Clients send one header of 48 MB each."""
    with connections(address, 4) as clients, ThreadPoolExecutor(len(clients)) as pool:
        list(pool.map(_send_endless_header, clients))
        time.sleep(1)


def send_half_of_the_headers(address: Address) -> None:
    """More clients than there are descriptors send half of a request and wait."""
    with connections(address, 300) as clients:
        for client in clients:
            send(client, b"GET / HTTP/1.1\r\nHost: ")
        time.sleep(SECONDS)


def stay_idle(address: Address) -> None:
    """More clients than there are descriptors say nothing at all."""
    with connections(address, 300):
        time.sleep(SECONDS)


def upload_without_an_account(address: Address) -> None:
    """Thirty clients send all but the end of a large file."""
    head = (
        b"POST /account/import HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        b"Content-Length: 16000000" + HEAD_END
    )
    with connections(address, 30) as clients, ThreadPoolExecutor(len(clients)) as pool:
        list(pool.map(lambda client: send(client, head) and send(client, PIECE * 230), clients))
        time.sleep(SECONDS)


def _send_endless_header(client: socket.socket) -> None:
    send(client, b"GET / HTTP/1.1\r\nA: ")
    for _ in range(48_000_000 // len(PIECE)):
        if not send(client, PIECE):
            return


def _repeat(address: Address, request: bytes) -> None:
    """Sends a request on two connections, again and again as it is answered."""
    end = time.monotonic() + SECONDS
    with connections(address, 2) as clients:
        while time.monotonic() < end:
            for client in clients:
                send(client, request)
            for client in clients:
                with contextlib.suppress(OSError):
                    client.recv(65536)


ATTACKS: list[Callable[[Address], None]] = [
    read_nothing,
    pipeline_without_end,
    quote_cookies,
    search_for_long_texts,
    send_endless_headers,
    send_half_of_the_headers,
    stay_idle,
    upload_without_an_account,
]
