"""What the server allows one connection, seen over a bare socket."""

import contextlib
import json
import re
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.conftest import AUTHORIZATION
from tests.e2e.attacks import LARGE, connections, send
from tests.e2e.processes import Child, migrated, serving
from tests.e2e.wire import HEAD_END, Answer, connect, exchange, receive
from todo.contract import SITE
from todo.web import assets

pytestmark = pytest.mark.slow

MOST = 32_768
SECRET = "xylophone"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    """A service behind one proxy."""
    with serving(migrated(tmp_path_factory.mktemp("connections"), PROXIES="1")) as child:
        yield child


def get(*headers: str, path: str = "/healthz") -> bytes:
    return "\r\n".join((f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *headers)).encode() + HEAD_END


def ends(connection: socket.socket, seconds: float = 5) -> bool:
    """Whether the service ends a connection within so many seconds, whatever it still sends."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        connection.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            if not connection.recv(65536):
                return True
        except TimeoutError:
            return False
        except ConnectionError:
            return True
    return False


def statuses(connection: socket.socket) -> list[int]:
    """Returns the statuses of all answers until the connection ends."""
    connection.settimeout(5)
    raw = b""
    with contextlib.suppress(ConnectionError):
        while more := connection.recv(65536):
            raw += more
    return [int(status) for status in re.findall(rb"HTTP/1.1 (\d+)", raw)]


def is_problem(answer: Answer, status: int, code: str) -> bool:
    head, _, body = answer.raw.partition(HEAD_END)
    assert b"content-type: application/problem+json" in head.lower()
    return answer.is_whole and answer.closes and (answer.status, json.loads(body)["code"]) == (status, code)


class TestHeaders:
    def test_limit_is_the_contracts(self) -> None:
        assert SITE.limit("header_bytes") == MOST

    def test_that_fit(self, service: Child) -> None:
        with connect(service.address) as connection:
            assert exchange(connection, get("A: " + "x" * (MOST - 100))).status == 200
            assert exchange(connection, get()).status == 200

    @pytest.mark.parametrize(
        "request_",
        [
            get("A: " + "x" * MOST),
            get(*(f"A{number}: {'x' * 100}" for number in range(MOST // 100))),
            get(path="/healthz?" + "x" * MOST),
            get("A: " + "x" * 400_000),
        ],
        ids=["one", "many", "request line", "in several pieces"],
    )
    def test_that_are_too_large(self, service: Child, request_: bytes) -> None:
        with connect(service.address) as connection:
            answer = exchange(connection, request_)
            assert not answer.raw or is_problem(answer, 431, "headers_too_large")
            assert answer.raw or len(request_) > 2 * MOST  # a client that sends more may not see the answer
            assert ends(connection)

    def test_that_do_not_end(self, service: Child) -> None:
        with connect(service.address) as connection:
            assert send(connection, get().removesuffix(HEAD_END) + b"\r\nA: ")
            assert not all(send(connection, b"x" * 65_536) for _ in range(200))

    def test_after_the_body(self, service: Child) -> None:
        with connect(service.address) as connection:
            assert send(connection, b"POST /token HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: ")
            assert not all(send(connection, b"x" * 65_536) for _ in range(200))

    def test_come_after_another_request(self, service: Child) -> None:
        with connect(service.address) as connection:
            assert send(connection, get() + get("A: " + "x" * MOST))
            assert statuses(connection) == [200, 431]

    @pytest.mark.parametrize("request_", [b"nonsense\r\n\r\n", b"\x00", b"GET /%\xff HTTP/1.1\r\n\r\n"], ids=range(3))
    def test_that_are_none(self, service: Child, request_: bytes) -> None:
        with connect(service.address) as connection:
            assert is_problem(exchange(connection, request_), 400, "invalid_request")

    def test_chunks_that_are_none(self, service: Child) -> None:
        chunked = b"POST /oauth/token HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        for first, expected in ((b"", [400]), (get(), [200, 400])):
            with connect(service.address) as connection:
                assert send(connection, first + chunked)
                time.sleep(0.1)
                assert send(connection, b"nonsense\r\n")
                assert statuses(connection) == expected

    def test_after_the_body_are_none(self, service: Child) -> None:
        """A trailer says nothing about who calls (RFC 9110 section 6.5.1)."""
        lines = (
            "POST /todos/trailers HTTP/1.1",
            "Host: 127.0.0.1",
            "Content-Type: application/json",
            "Transfer-Encoding: chunked",
        )
        body = b'c\r\n{"todo":"x"}\r\n0\r\n'
        key = f"Authorization: {AUTHORIZATION['Authorization']}".encode()
        for trailer in (b"", key + b"\r\n"):
            with connect(service.address) as connection:
                request = "\r\n".join(lines).encode() + HEAD_END + body + trailer + b"\r\n"
                assert exchange(connection, request).status == 401
                assert exchange(connection, get()).status == 200

    @pytest.mark.parametrize(("path", "status"), [("/live", 204), ("/list", 303), ("/sign-in", 200)])
    def test_cookies_that_are_not_utf_8(self, service: Child, path: str, status: int) -> None:
        for cookie in (b"a=\xff", b"session=todo_se_\xff", b"\xff=\xc3;;"):
            with connect(service.address) as connection:
                head = get("Connection: close", path=path).removesuffix(HEAD_END)
                assert send(connection, head + b"\r\nCookie: " + cookie + HEAD_END)
                assert statuses(connection) == [status]

    def test_whose_names_pass_for_others(self, service: Child) -> None:
        """A limit by address counts the caller, whatever stands in X_Forwarded_For."""
        body = json.dumps({"redirect_uris": ["https://client.example/callback"]}).encode()
        answers = []
        for number in range(SITE.limit("registrations_per_address") + 1):
            lines = (
                "POST /oauth/register HTTP/1.1",
                "Host: 127.0.0.1",
                "Content-Type: application/json",
                f"Content-Length: {len(body)}",
                "X-Forwarded-For: 203.0.113.7",
                f"X_Forwarded_For: 198.51.100.{number}",
            )
            with connect(service.address) as connection:
                answers.append(exchange(connection, "\r\n".join(lines).encode() + HEAD_END + body).status)
        assert answers == [201] * (len(answers) - 1) + [429]


class TestPipelining:
    def test_answers_in_order(self, service: Child) -> None:
        with connect(service.address) as connection:
            assert send(connection, get() * 10 + get("Connection: close", path="/nope"))
            assert statuses(connection) == [200] * 10 + [404]

    def test_ends_after_too_many(self, service: Child) -> None:
        with connect(service.address) as connection:
            assert send(connection, get(path="/legal") * 400)
            assert 1 <= len(statuses(connection)) <= SITE.limit("pipelined_requests") + 2

    def test_leaves_no_traceback_when_the_client_goes(self, service: Child) -> None:
        for _ in range(5):
            with connections(service.address, 10) as clients:
                for client in clients:
                    send(client, get(path="/legal") + LARGE)
                time.sleep(0.1)
        assert httpx.get(f"{service.url}/legal", trust_env=False, timeout=5).status_code == 200
        time.sleep(0.5)
        assert "Traceback" not in service.output
        assert "socket.send() raised" not in service.output


def test_upgrade_is_not_logged(service: Child) -> None:
    headers = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: eA==", "Sec-WebSocket-Version: 13")
    with connect(service.address) as connection:
        assert exchange(connection, get(*headers, path=f"/calendars/{SECRET}.ics?q={SECRET}")).status == 404
    time.sleep(0.2)
    assert SECRET not in service.output


def test_range_is_ignored(service: Child) -> None:
    for value in ("x", "bytes=0-3", "bytes=9-1"):
        with connect(service.address) as connection:
            answer = exchange(connection, get(f"Range: {value}", path=assets.url("site.css")))
            assert answer.status == 200
            assert answer.is_whole


def test_upload_without_a_session_is_not_read(service: Child) -> None:
    lines = (
        "POST /account/import HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: multipart/form-data; boundary=b",
        "Content-Length: 16000000",
        "Cookie: a=\xff",
    )
    with connect(service.address) as connection:
        answer = exchange(connection, "\r\n".join(lines).encode("latin-1") + HEAD_END)
        assert (answer.status, answer.closes) == (403, True)
        assert b"The page is out of date" in answer.raw


class TestPatience:
    """The service waits ten seconds for headers, and for a client to read; and drops whom it waits for longest."""

    @pytest.mark.parametrize(
        ("first", "code"),
        [(b"", None), (b"GET / HT", "request_timeout"), (b"\r\n", None)],
        ids=["none", "half", "CRLF"],
    )
    def test_headers_that_do_not_come(self, service: Child, first: bytes, code: str | None) -> None:
        with connect(service.address) as connection:
            assert send(connection, first)
            start = time.monotonic()
            answer = receive(connection)
            assert 8 < time.monotonic() - start < 14
            assert is_problem(answer, 408, code) if code else answer.raw == b""

    def test_headers_that_come_slowly(self, service: Child) -> None:
        with connect(service.address) as connection:
            start = time.monotonic()
            assert send(connection, b"GET / HTTP/1.1\r\nA: ")
            while send(connection, b"x"):
                time.sleep(0.5)
                assert time.monotonic() - start < 14
            assert time.monotonic() - start > 8

    def test_client_that_does_not_read(self, service: Child) -> None:
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(service.address)
            for _ in range(4):  # more than the system keeps, so that the service waits, too
                assert send(connection, LARGE)
                time.sleep(0.5)
            time.sleep(13)
            assert ends(connection, 10)

    def test_client_that_reads_slowly(self, service: Child) -> None:
        """It gets all of its answer, at two kilobytes a second and more."""
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(service.address)
            assert send(connection, LARGE)
            got = 0
            for _ in range(60):
                got += len(connection.recv(8192))
                time.sleep(0.4)
            assert got > 60 * 1024
            assert receive(connection).raw


def test_newcomers_get_in(tmp_path_factory: pytest.TempPathFactory) -> None:
    with (
        serving(migrated(tmp_path_factory.mktemp("full")), descriptors=128) as service,
        connections(service.address, 140),
    ):
        for path in ("/healthz", "/todos/kevin", "/sign-in"):
            answer = httpx.get(f"{service.url}{path}", headers=AUTHORIZATION, timeout=1, trust_env=False)
            assert answer.status_code == 200


def test_newcomers_get_in_where_all_are_busy(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Every connection of one address has requests that wait for the service."""
    body = b"grant_type=refresh_token&refresh_token=x&client_id=y"
    lines = (
        "POST /oauth/token HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
    )
    request = "\r\n".join(lines).encode() + HEAD_END + body
    with (
        serving(migrated(tmp_path_factory.mktemp("busy")), descriptors=128) as service,
        contextlib.ExitStack() as stack,
    ):
        for number in range(10):
            for _ in range(14):
                client = stack.enter_context(socket.create_connection(service.address, 5, ("127.0.0.2", 0)))
                send(client, request * 15)
            for path in ("/healthz", "/todos/kevin", "/sign-in"):
                answer = httpx.get(f"{service.url}{path}", headers=AUTHORIZATION, timeout=5, trust_env=False)
                assert answer.status_code == 200, number
