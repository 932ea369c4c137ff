"""Client id metadata documents: what is believed, and what is not even asked for."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import time_machine

from tests.conftest import migrated_sqlite
from tests.http_server import answering
from todo.contract import SITE
from todo.errors.access import AssistantsBusy, ClientRefused, TooManyAttempts
from todo.oauth import fetching
from todo.oauth.client_documents import auth_methods, ensure_fresh, fetch
from todo.oauth.fetching import DocumentRefused, is_public
from todo.storage.database import open_engine
from todo.storage.engine import Engine

Answer = Callable[[BaseHTTPRequestHandler], None]


class Host:
    """A web server on this machine that answers as a test says, and keeps count."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.changed: dict[str, Any] = {}
        self.answer: Answer = self.send_document
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host.asked.append(f"{self.headers['Host']}{self.path}")
                host.answer(self)

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.client_id = f"http://127.0.0.1:{self.port}/client.json"

    @property
    def document(self) -> dict[str, Any]:
        document = {
            "client_id": self.client_id,
            "client_name": "A client",
            "redirect_uris": ["https://client.example/callback"],
            "others": {"are": ["ignored"]},
            **self.changed,
        }
        return {name: value for name, value in document.items() if value is not None}

    def send_document(self, request: BaseHTTPRequestHandler) -> None:
        send(request, json.dumps(self.document).encode())


BOTH = ["none", "private_key_jwt"]
SECRET = {"token_endpoint_auth_method": "client_secret_post"}


def send(request: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    request.send_response(status)
    for name, value in {"Content-Type": "application/json", **headers}.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(body)


@pytest.fixture
def host() -> Iterator[Host]:
    host = Host()
    with answering(host.server):
        yield host


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(migrated_sqlite(tmp_path))
    engine.start()
    yield engine
    engine.stop()


def resolves_to(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[object]:
    """Makes every name resolve to these addresses, one answer after the other, and keeps count."""
    asked: list[object] = []
    real = socket.getaddrinfo

    def look_up(name: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if name in ("127.0.0.1", b"127.0.0.1"):
            return real(name, port, *args, **kwargs)
        asked.append(name)
        addresses = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


def test_is_believed(host: Host) -> None:
    assert fetch(host.client_id, allow_local=True)["client_name"] == "A client"


@pytest.mark.parametrize(
    ("method", "methods", "keys", "found"),
    [
        (None, None, {}, ["none"]),
        ("none", ["private_key_jwt"], {}, ["none"]),
        ("private_key_jwt", ["none", "private_key_jwt"], {"jwks_uri": "https://client.example/keys"}, BOTH),
        ("private_key_jwt", ["none", "private_key_jwt"], {}, ["none"]),
        ("client_secret_basic", ["client_secret_basic", "none"], {}, ["none"]),
        ("private_key_jwt", None, {"jwks_uri": "https://client.example/keys"}, ["private_key_jwt"]),
        ("private_key_jwt", ["client_secret_post"], {"jwks": {"keys": []}}, ["private_key_jwt"]),
    ],
)
def test_says_how_its_client_proves_itself(
    host: Host, method: str | None, methods: list[str] | None, keys: dict[str, Any], found: list[str]
) -> None:
    listed = {"token_endpoint_auth_method": method, "token_endpoint_auth_methods_supported": methods}
    host.changed = {**listed, **keys}
    assert auth_methods(fetch(host.client_id, allow_local=True)) == found


def test_null_in_it_is_as_good_as_absent(host: Host) -> None:
    unset = ("client_name", "scope", "token_endpoint_auth_method", "grant_types", "response_types", "logo_uri")
    host.answer = lambda request: send(request, json.dumps({**host.document, **dict.fromkeys(unset)}).encode())
    assert not set(unset) & set(fetch(host.client_id, allow_local=True))


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"client_id": "https://other.example/client.json"}, "names another client"),
        ({"client_id": None}, "names another client"),
        ({"redirect_uris": None}, "redirect_uris is required"),
        ({"redirect_uris": []}, "redirect_uris must not be empty"),
        ({"redirect_uris": ["http://client.example/callback"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://chatgpt.com/connector/oauth/{id}"]}, "invalid_redirect_uri"),
        ({"token_endpoint_auth_method": "client_secret_post"}, "asks for a secret"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "keys that it does not name"),
        ({**SECRET, "token_endpoint_auth_methods_supported": ["client_secret_post"]}, "asks for a secret"),
        ({"jwks_uri": 5}, "jwks_uri must"),
        ({"jwks": []}, "jwks must"),
        ({"grant_types": ["implicit"]}, "invalid_client_metadata"),
        ({"client_name": 5}, "client_name must be text"),
        ({"client_name": "a\nb"}, "client_name must have the form"),
        ({"client_name": "You\u200b"}, "client_name must not hold invisible characters"),
        ({"client_name": "\u202eecivres ehT"}, "client_name must not hold invisible characters"),
    ],
)
def test_is_not_believed(host: Host, changed: dict[str, Any], why: str) -> None:
    host.changed = changed
    with pytest.raises(DocumentRefused, match=why):
        fetch(host.client_id, allow_local=True)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (lambda request: send(request, b"{"), "not JSON"),
        (lambda request: send(request, b"[]"), "names another client"),
        (lambda request: send(request, b"\xff"), "not JSON"),
        (lambda request: send(request, b"[" * 9000), "not JSON"),
        (lambda request: send(request, b"", 404), "no document"),
        (lambda request: send(request, b"", 302, Location="http://127.0.0.1/"), "no document"),
        (lambda request: send(request, b" " * 10241), "too long"),
        (lambda request: request.wfile.write(b"nonsense\r\n\r\n"), "could not be fetched"),
    ],
)
def test_what_is_no_document(host: Host, answer: Answer, why: str) -> None:
    host.answer = answer
    with pytest.raises(DocumentRefused, match=why):
        fetch(host.client_id, allow_local=True)
    assert len(host.asked) == 1  # a redirect is not followed


@pytest.mark.parametrize("slow", ["head", "body"])
def test_slowness_has_an_end(host: Host, monkeypatch: pytest.MonkeyPatch, slow: str) -> None:
    monkeypatch.setattr(fetching, "MAX_SECONDS", 0.5)

    def drip(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\n" + (b"" if slow == "head" else b"Content-Length: 9999\r\n\r\n"))
        try:
            for _ in range(100):
                request.wfile.write(b"x" if slow == "body" else b"X-Slow: x\r\n")
                time.sleep(0.05)
        except OSError:
            pass

    host.answer = drip
    start = time.monotonic()
    with pytest.raises(DocumentRefused, match="too slowly"):
        fetch(host.client_id, allow_local=True)
    assert time.monotonic() - start < 3


@pytest.mark.parametrize(
    "client_id",
    [
        "http://client.example/client.json",
        "http://127.0.0.1/client.json",
        "ftp://client.example/client.json",
        "https://client.example",
        "https://client.example/",
        "https://client.example/a/../client.json",
        "https://client.example/./client.json",
        "https://client.example/%2e%2e/client.json",
        "https://client.example/client.json#x",
        "https://user@client.example/client.json",
        "https://client.example:port/client.json",
        "https://[::1/client.json",
        "https:///client.json",
        "https://client.example/client json",
        "https://client.example/" + "x" * 400,
    ],
)
def test_what_is_no_id_is_not_asked_for(monkeypatch: pytest.MonkeyPatch, client_id: str) -> None:
    asked = resolves_to(monkeypatch, ["203.0.113.1"])
    with pytest.raises(DocumentRefused, match="its id"):
        fetch(client_id)
    assert not asked


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.0.1",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "198.18.0.1",
        "192.0.2.1",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a00:1",
        "2002:7f00:1::",
        "2001:db8::1",
        "::127.0.0.1",
        "::8.8.8.8",
        "::ffff:8.8.8.8",
        "::ffff:0:127.0.0.1",
        "::ffff:0:8.8.8.8",
        "64:ff9b::808:808",
        "64:ff9b:1::1",
        "100::1",
        "200::1",
        "fec0::1",
        "feff::1",
        "fe80::1",
        "fd00::1",
        "4000::1",
        "5f00::1",
        "3ffe::1",
        "3fff::1",
        "3fff:fff:ffff::1",
        "2001::1",
        "2001:0:7f00:1::",
        "2001:2::1",
        "2001:10::1",
        "2001:20::1",
        "2002:808:808::1",
        "192.88.99.1",
        "192.0.0.9",
        "192.0.0.170",
        "0.1.2.3",
        "198.51.100.1",
        "203.0.113.1",
        "240.0.0.1",
        "239.255.255.255",
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "93.184.215.14",
        "8.8.8.8",
        "192.88.98.1",
        "2606:2800:21f:cb07:6820:80da:af6b:8b2c",
        "2001:4860:4860::8888",
        "2a00:1450:4001::1",
        "3ffd::1",
    ],
)
def test_addresses_that_are(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["169.254.169.254"]])
def test_a_name_with_any_private_address_is_not_asked(
    host: Host, monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    resolves_to(monkeypatch, addresses)
    for local in (False, True):
        with pytest.raises(DocumentRefused, match="not public"):
            fetch(f"https://client.example:{host.port}/client.json", allow_local=local)
    assert not host.asked


def test_a_name_is_looked_up_once(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: public at the first look, private at a second, which there must not be."""
    asked = resolves_to(monkeypatch, ["127.0.0.1"], ["10.0.0.1"])
    monkeypatch.setattr(fetching, "is_public", lambda address: address == "127.0.0.1")
    monkeypatch.setattr(fetching, "LOOPBACK", {*fetching.LOOPBACK, "client.example"})
    host.client_id = f"http://client.example:{host.port}/client.json"
    assert fetch(host.client_id, allow_local=True)["client_name"] == "A client"
    assert asked == ["client.example"]
    assert host.asked == [f"client.example:{host.port}/client.json"]


def test_the_certificate_is_that_of_the_name(monkeypatch: pytest.MonkeyPatch, host: Host) -> None:
    resolves_to(monkeypatch, ["127.0.0.1"])
    monkeypatch.setattr(fetching, "is_public", lambda _: True)
    with pytest.raises(DocumentRefused, match="could not be fetched"):  # the host speaks no TLS at all
        fetch(f"https://client.example:{host.port}/client.json")


def test_what_was_fetched_is_kept_for_a_while(host: Host, engine: Engine) -> None:
    with time_machine.travel("2026-11-22T00:00:00Z") as clock:
        for _ in range(3):
            ensure_fresh(engine, host.client_id, "address", allow_local=True)
        assert len(host.asked) == 1
        clock.shift(3601)
        ensure_fresh(engine, host.client_id, "address", allow_local=True)
        assert len(host.asked) == 2


def test_one_address_makes_us_fetch_only_so_often(host: Host, engine: Engine) -> None:
    host.answer = lambda request: send(request, b"", 404)
    for _ in range(SITE.limit("fetches_per_address")):
        with pytest.raises(ClientRefused):
            ensure_fresh(engine, host.client_id, "address", allow_local=True)
    with pytest.raises(TooManyAttempts):
        ensure_fresh(engine, host.client_id, "address", allow_local=True)
    assert len(host.asked) == SITE.limit("fetches_per_address")
    with pytest.raises(ClientRefused):
        ensure_fresh(engine, host.client_id, "another", allow_local=True)


@pytest.fixture
def stalled_names(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """Names that are looked up for ever; for the list of those that were, once the test is over."""
    over, asked = threading.Event(), []
    real = socket.getaddrinfo

    def look_up(name: Any, *args: Any, **kwargs: Any) -> Any:
        if "stalls" not in str(name):
            return real(name, *args, **kwargs)
        asked.append(name)
        over.wait(30)
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(fetching, "MAX_SECONDS", 0.5)
    yield asked
    over.set()
    for _ in range(fetching.MAX_CONCURRENT):
        fetching._slots.acquire(timeout=10)
    for _ in range(fetching.MAX_CONCURRENT):
        fetching._slots.release()


def test_looking_a_name_up_has_an_end_and_few_wait(engine: Engine, stalled_names: list[object]) -> None:
    start = time.monotonic()

    def ask(number: int) -> type[Exception]:
        with pytest.raises((ClientRefused, AssistantsBusy)) as refused:
            ensure_fresh(engine, f"https://stalls.example/{number}", f"address {number}", allow_local=True)
        return refused.type

    with ThreadPoolExecutor(10) as people:
        outcomes = list(people.map(ask, range(10)))
    assert time.monotonic() - start < 3
    assert (outcomes.count(ClientRefused), outcomes.count(AssistantsBusy)) == (3, 7)
    assert ask(11) is AssistantsBusy  # as long as the names are still looked up
    assert len(stalled_names) == 3
