"""One test for each hole of Connexion, uvicorn and JSON parsers that the guard and the validators close."""

import asyncio
import contextlib
import json
import re
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.conftest import AUTHORIZATION
from todo.errors import InvalidRequest
from todo.http import bodies, guard
from todo.http.access_log import AccessLog
from todo.http.problems import ProblemResponse
from todo.http.routes import Route, Target

PATH = "/todos/{name}"
SECRET = "xylophone"


def post(client: httpx.Client, name: str, body: bytes, content_type: str | None = "application/json") -> httpx.Response:
    headers = {"Content-Type": content_type} if content_type else {}
    return client.post(PATH.format(name=name), content=body, headers=headers)


def is_problem(response: httpx.Response, status: int, code: str) -> None:
    assert (response.status_code, response.json()["code"]) == (status, code)


GOOD = b'{"todo": "x"}'


class TestMediaType:
    @pytest.mark.parametrize(
        "content_type",
        [
            "APPLICATION/JSON",
            "Application/Json; Charset=UTF-8",
            'application/json; charset="utf-8"',
            "application/json ;charset=utf8",
            "application/json;",
            None,
        ],
    )
    def test_every_spelling_of_json_is_checked(self, client: httpx.Client, name: str, content_type: str | None) -> None:
        assert post(client, name, GOOD, content_type).status_code == 201
        is_problem(post(client, name, b'{"todo": 5}', content_type), 400, "invalid_request")

    @pytest.mark.parametrize(
        "content_type",
        [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/json; charset=utf-16",
            "application/json; charset=latin-1",
            "application/json; foo=bar",
            "application/jsonx",
            "nonsense",
        ],
    )
    def test_everything_else_is_refused(self, client: httpx.Client, name: str, content_type: str) -> None:
        is_problem(post(client, name, GOOD, content_type), 415, "unsupported_media_type")

    def test_compressed_bodies_are_refused(self, client: httpx.Client, name: str) -> None:
        response = client.post(PATH.format(name=name), json={"todo": "x"}, headers={"Content-Encoding": "gzip"})
        is_problem(response, 415, "unsupported_media_type")

    def test_a_type_without_a_body_says_nothing(self, client: httpx.Client, name: str) -> None:
        assert client.get(PATH.format(name=name), headers={"Content-Type": "text/plain"}).status_code == 200
        post(client, name, GOOD)
        assert client.post(f"/todos/{name}/1/complete", headers={"Content-Type": "text/plain"}).status_code == 200


class TestBody:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b" ",
            b"{",
            b"null",
            b"[]",
            b'"x"',
            b"1",
            b'{"todo": "x"} x',
            b"{'todo': 'x'}",
            b'{"todo": NaN}',
            b'{"todo": "\xff"}',
            b'{"todo": "\xed\xa0\x80"}',
            b'{"todo": "\\ud800"}',
            b'{"todo": "x", "todo": "y"}',
            b'{"todo": "x", "\\u0074odo": "y"}',
            b'{"todo": ' + b"9" * 5000 + b"}",
            b'{"todo": 1e999}',
            b"[" * 30000,
            b'{"todo":' * 5000 + b"1" + b"}" * 5000,
            b"[" * 900 + b"]" * 900,
            b"\xef\xbb\xbf" + GOOD,
            json.dumps({"todo": "x"}).encode("utf-16"),
            json.dumps({"todo": "x"}).encode("utf-32"),
        ],
        ids=range(23),
    )
    def test_what_is_no_valid_object_is_refused(self, client: httpx.Client, name: str, body: bytes) -> None:
        is_problem(post(client, name, body), 400, "invalid_request")
        assert client.get(PATH.format(name=name)).json()["total"] == 0

    def test_keys_in_texts_are_no_keys(self, client: httpx.Client, name: str) -> None:
        text = 'say "todo": "x", "todo": {[\\'
        assert client.post(PATH.format(name=name), json={"todo": text}).json()["todo"] == text

    def test_limit(self, client: httpx.Client, name: str) -> None:
        fits = b'{"todo": "x"' + b" " * (65536 - 13) + b"}"
        assert post(client, name, fits).status_code == 201
        response = post(client, name, fits + b" ")
        is_problem(response, 413, "payload_too_large")
        assert response.headers["connection"] == "close"

    def test_limit_without_a_length(self, client: httpx.Client, name: str) -> None:
        chunks = (b" " * 1000 for _ in range(70))
        is_problem(client.post(PATH.format(name=name), content=chunks), 413, "payload_too_large")

    def test_body_in_chunks(self, client: httpx.Client, name: str) -> None:
        response = client.post(PATH.format(name=name), content=iter([b'{"todo"', b': "x"}']))
        assert response.status_code == 201

    @pytest.mark.parametrize("length", ["-1", "x", "1_0", "٣".encode().decode("latin-1"), "9" * 30])
    def test_wrong_length(self, client: httpx.Client, name: str, length: str) -> None:
        response = client.post(
            PATH.format(name=name), content=b"", headers={"Content-Length": length.encode("latin-1")}
        )
        assert response.status_code in (400, 413)

    def test_size_is_checked_before_the_token(self, anonymous: httpx.Client, name: str) -> None:
        is_problem(post(anonymous, name, b" " * 70000), 413, "payload_too_large")

    def test_optional_body(self, client: httpx.Client, name: str) -> None:
        post(client, name, GOOD)
        for body in (b"", b"{}"):
            response = client.post(f"/todos/{name}/1/complete", content=body)
            assert response.status_code == 200
        is_problem(client.post(f"/todos/{name}/1/complete", content=b"null"), 400, "invalid_request")


class TestPath:
    @pytest.mark.parametrize(
        "path",
        [
            "/nope",
            "//todos/{name}",
            "/todos//{name}",
            "/todos/{name}/",
            "/todos/{name}//1",
            "/todos/{name}%2F1",
            "/todos%2f{name}",
            "/todos/{name}/1/complete/",
            "/TODOS/{name}",
            "/todos/",
            "/todos",
            "/.well-known/",
            "/xwell-known/ai-plugin.json",
            "/static/../../etc/passwd",
            "/docs/",
            "/docs/swagger-ui.css",
            "/ui/",
            "/swagger.json",
        ],
    )
    def test_no_such_address(self, client: httpx.Client, name: str, path: str) -> None:
        request = client.build_request("GET", client.base_url)
        request.url = httpx.URL("http://localhost:8000").copy_with(raw_path=path.format(name=name).encode())
        response = client.send(request)
        is_problem(response, 404, "not_found")
        assert "location" not in response.headers

    @pytest.mark.parametrize("file", ["../wsgi.py", "logo.png", "index.html", "css/base.css"])
    def test_only_files_of_the_contract(self, anonymous: httpx.Client, file: str) -> None:
        for folder in ("static/0123456789abcdef", "static/latest"):
            assert anonymous.get(f"/{folder}/{file}").status_code in (400, 404)


class TestMethods:
    @pytest.mark.parametrize(
        ("path", "allow"),
        [
            ("/todos/a", "DELETE, GET, HEAD, OPTIONS, POST"),
            ("/todos/a/1", "DELETE, GET, HEAD, OPTIONS, PATCH"),
            ("/todos/a/1/complete", "OPTIONS, POST"),
            ("/profiles/a", "GET, HEAD, OPTIONS, PATCH"),
            ("/legal", "GET, HEAD, OPTIONS"),
        ],
    )
    def test_allow_names_every_method(self, anonymous: httpx.Client, path: str, allow: str) -> None:
        response = anonymous.put(path)
        is_problem(response, 405, "method_not_allowed")
        assert response.headers["allow"] == allow
        options = anonymous.options(path)
        assert (options.status_code, options.headers["allow"], options.content) == (204, allow, b"")

    @pytest.mark.parametrize("method", ["TRACE", "CONNECT", "get", "FOO"])
    def test_strange_methods(self, anonymous: httpx.Client, method: str) -> None:
        request = anonymous.build_request("GET", "/todos/a")
        request.method = method
        is_problem(anonymous.send(request), 405, "method_not_allowed")

    def test_head_is_get_without_the_body(self, client: httpx.Client, name: str) -> None:
        post(client, name, GOOD)
        for path in (PATH.format(name=name), "/legal", "/healthz", "/logo.png"):
            head, get = client.head(path), client.get(path)
            assert (head.status_code, head.content) == (200, b"")
            assert head.headers["content-type"] == get.headers["content-type"]
        assert client.head("/nope").status_code == 404


PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}


class TestCORS:
    @pytest.mark.parametrize("origin", ["https://chat.openai.com", "https://chatgpt.com"])
    def test_preflight(self, anonymous: httpx.Client, origin: str) -> None:
        headers = {**PREFLIGHT, "Origin": origin, "Access-Control-Request-Private-Network": "true"}
        response = anonymous.options("/todos/a", headers=headers)
        assert response.status_code == 200
        assert response.headers["access-control-allow-origin"] == origin
        assert response.headers["access-control-allow-private-network"] == "true"
        assert "authorization" in response.headers["access-control-allow-headers"]
        assert {"GET", "POST", "PATCH", "DELETE"} <= set(response.headers["access-control-allow-methods"].split(", "))

    @pytest.mark.parametrize("origin", ["https://example.com", "https://chatgpt.com.evil.example", "null"])
    def test_foreign_origins_are_refused(self, client: httpx.Client, origin: str) -> None:
        response = client.options("/todos/a", headers={**PREFLIGHT, "Origin": origin})
        is_problem(response, 403, "origin_not_allowed")
        for answer in (response, client.get("/todos/a", headers={"Origin": origin})):
            assert "access-control-allow-origin" not in answer.headers

    def test_errors_can_be_read_by_the_page(self, anonymous: httpx.Client) -> None:
        response = anonymous.get("/todos/a", headers={"Origin": "https://chatgpt.com"})
        assert response.status_code == 401
        assert response.headers["access-control-allow-origin"] == "https://chatgpt.com"


class TestEveryAnswer:
    @pytest.mark.parametrize("path", ["/todos/a", "/legal", "/nope"])
    def test_carries_security_headers(self, client: httpx.Client, path: str) -> None:
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-frame-options"] == "DENY"

    def test_private_answers_are_not_kept_by_caches(self, client: httpx.Client) -> None:
        assert client.get("/todos/a").headers["cache-control"] == "no-store"

    def test_takes_the_request_id_of_the_platform(self, client: httpx.Client) -> None:
        assert client.get("/healthz", headers={"X-Request-ID": "abc-1"}).headers["x-request-id"] == "abc-1"
        assert client.get("/healthz", headers={"X-Request-ID": "a b\t"}).headers["x-request-id"] != "a b"

    def test_nothing_depends_on_the_host_header(self, client: httpx.Client) -> None:
        response = client.get("/", headers={"Host": "evil.example"})
        assert "http://localhost:8000/mcp" in response.text
        assert "evil.example" not in response.text


def test_a_websocket_is_refused(service: object) -> None:
    from starlette.testclient import TestClient
    from starlette.websockets import WebSocketDisconnect

    assert isinstance(service, TestClient)
    with pytest.raises(WebSocketDisconnect), service.websocket_connect("/todos/a"):
        pass


class TestSlowBodies:
    @pytest.fixture(autouse=True)
    def impatient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bodies, "BODY_TIMEOUT", 0.5)

    async def ask(self, app: ASGIApp, seconds: float) -> tuple[int, bytes]:
        """Returns status and body of the answer to a body whose second half comes after so many seconds."""
        halves = [(b'{"todo":', 0.0), (b"1}", seconds)]
        told: list[Any] = []

        async def receive() -> Message:
            half, after = halves.pop(0)
            await asyncio.sleep(after)
            return {"type": "http.request", "body": half, "more_body": bool(halves)}

        async def send(message: Message) -> None:
            told.append(message)

        headers = {**AUTHORIZATION, "Content-Type": "application/json", "Content-Length": "10"}
        scope = {
            **{
                "type": "http",
                "method": "POST",
                "path": "/todos/slow",
                "raw_path": b"/todos/slow",
                "query_string": b"",
            },
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        }
        await app(scope, receive, send)
        return told[0]["status"], told[1]["body"]

    def test_each_has_its_own_time(self, service: TestClient) -> None:
        async def run() -> list[tuple[int, bytes]]:
            first = [asyncio.create_task(self.ask(service.app, seconds)) for seconds in (0, 0.05, 5, 60)]
            await asyncio.sleep(0.35)
            second = [asyncio.create_task(self.ask(service.app, seconds)) for seconds in (0.25, 60)]
            answers = await asyncio.gather(*first, *second)
            await asyncio.sleep(0.2)  # until no timer is left
            return [*answers, await self.ask(service.app, 60), await self.ask(service.app, 0.01)]

        answers = asyncio.run(asyncio.wait_for(run(), 10))
        # What has come in time is read, and found wrong.
        assert [status for status, _ in answers] == [400, 400, 408, 408, 400, 408, 408, 400]
        assert {json.loads(body)["code"] for status, body in answers if status == 408} == {"request_timeout"}


@pytest.mark.parametrize("bad", ["%FF", "%C3", "%ED%A0%80", "a%80b"])
@pytest.mark.parametrize(
    "address", ["/todos/kevin?q={}", "/todos/kevin?{}=1", "/list?q={}", "/sign-in?next={}", "/todos/{}", "/s/{}"]
)
def test_an_address_that_is_not_utf_8_is_refused(client: httpx.Client, address: str, bad: str) -> None:
    answer = client.get(address.format(bad))
    assert answer.status_code == 400
    assert "must be UTF-8, percent-encoded" in answer.text


@pytest.mark.parametrize("query", ["q=é".encode(), b"q=\xff"])
def test_an_address_in_other_bytes_is_refused(query: bytes) -> None:
    with pytest.raises(InvalidRequest):
        guard.check_encoding({"raw_path": b"/", "query_string": query})


@pytest.mark.parametrize("query", ["q=%EF%BF%BD", "q=%F0%9F%98%80", "q=%25FF", "q=100%", "q=%zz"])
def test_an_address_in_utf_8_is_read(client: httpx.Client, name: str, query: str) -> None:
    assert client.get(f"/todos/{name}?{query}").status_code in (200, 404)


@pytest.mark.parametrize("path", ["/live", "/todos/kevin"])
def test_what_fails_unforeseen_is_a_problem(
    client: httpx.Client, path: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError(SECRET)

    monkeypatch.setattr(guard, "check_encoding", fail)
    is_problem(client.get(path), 500, "internal_error")
    assert "ZeroDivisionError" in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize("started", [False, True])
def test_what_an_app_behind_it_raises(started: bool) -> None:
    """It is a problem where no answer has begun; else the server ends the connection."""

    async def app(_: Scope, receive: Receive, send: Send) -> None:
        if started:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ZeroDivisionError

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def nobody(_: Scope) -> bool:
        return False

    route = Route("/x", re.compile("/x"), {"GET": Target(app)})
    outer = AccessLog(
        guard.Guard([route], refuse=lambda *_: ProblemResponse(500, {}, b"{}"), bodies=bodies.Bodies(may_upload=nobody))
    )
    scope = {"type": "http", "method": "GET", "path": "/x", "query_string": b"", "headers": []}
    with pytest.raises(ZeroDivisionError) if started else contextlib.nullcontext():
        asyncio.run(outer(scope, receive, send))
    assert [message.get("status") for message in sent] == ([200] if started else [500, None])
