"""The compiled contract against its oracle: Connexion's stock middleware, asked the same, answers the same."""

import json
import os
import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import httpx
import hypothesis
import pytest
import schemathesis
import time_machine
from hypothesis import HealthCheck
from schemathesis import GenerationMode
from starlette.testclient import TestClient

from tests.conftest import AUTHORIZATION, GENEROUS, SERVICE_KEY, migrated_sqlite
from tests.owners import ENCODED_ID, ID, open_list
from tests.paths import path_of
from tests.resolved import resolved
from todo.accounts import tokens
from todo.app import create_app
from todo.config import Settings
from todo.contract import API, Operation
from todo.http.operations import CannotCompile, CompiledContract
from todo.storage.database import open_engine
from todo.storage.statements import Connection

EXAMPLES = 300 if "SOAK" in os.environ else 10
JSON_TYPE = {"Content-Type": "application/json"}

Request = tuple[str, str, dict[str, str], bytes]


SHARED = re.compile(rb"/s/[A-Za-z0-9_-]+")  # an address of a shared to-do, which is random


def told(response: httpx.Response) -> tuple[Any, ...]:
    kept = (
        "content-type",
        "www-authenticate",
        "allow",
        "location",
        "idempotent-replay",
        "cache-control",
        "retry-after",
    )
    content = SHARED.sub(b"/s/...", response.content)
    return response.status_code, {name: response.headers.get(name) for name in kept}, content


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, TestClient]]:
    """The service twice, each on a database of its own, at a time that stands still."""
    with time_machine.travel("2026-11-22T16:05:09Z", tick=False):
        clients = []
        for engine in ("compiled", "connexion"):
            url = migrated_sqlite(tmp_path_factory.mktemp(engine))
            app = create_app(Settings(service_auth_key=(SERVICE_KEY,), database_url=url, **GENEROUS), dispatcher=engine)
            give_tokens(url)
            clients.append(TestClient(app, base_url="http://localhost:8000", follow_redirects=False))
        with clients[0], clients[1]:
            yield clients[0], clients[1]


def give_tokens(database_url: str) -> None:
    """Lets kevin have connected an assistant, with a token of each scope and an expired one."""
    engine = open_engine(database_url)
    engine.start()

    def give(connection: Connection) -> None:
        open_list(connection, "kevin")
        grant = {
            "client_id": "c",
            "client_name": "Helper",
            "scope": " ".join(API.scopes),
            "now": "2026-11-22T16:00:00Z",
        }
        connection.insert_grant(user_id=ID, id="g", resource="http://localhost:8000", **grant)
        for token, (scope, expires_at) in USER_TOKENS.items():
            connection.insert_token(
                user_id=ID,
                hash=tokens.digest(token),
                grant_id="g",
                kind="access",
                scope=scope,
                expires_at=expires_at,
            )

    engine.submit_write(give).result()
    engine.stop()


def assert_same(engines: tuple[TestClient, TestClient], request: Request) -> httpx.Response:
    """Returns the answer that both engines give to a request: the same status, headers that say something, and body."""
    method, path, headers, body = request
    answers = []
    for client in engines:
        sent = client.build_request(method, "http://localhost:8000", headers=headers, content=body)
        sent.url = httpx.URL("http://localhost:8000").copy_with(raw_path=path.encode())
        answers.append(client.send(sent))
    compiled, stock = answers
    assert told(compiled) == told(stock), f"{method} {path}"
    assert compiled.status_code < 500
    return compiled


@pytest.fixture(autouse=True)
def same_beginning(engines: tuple[TestClient, TestClient]) -> None:
    for number in range(8):
        body = json.dumps({"todo": f"Number {number}", "due": "2026-11-27"}).encode()
        assert_same(
            engines, ("POST", "/todos/kevin", {**AUTHORIZATION, **JSON_TYPE, "Idempotency-Key": f"k{number}"}, body)
        )


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["valid", "not valid"])
@pytest.mark.parametrize("operation", API.operations, ids=lambda operation: operation.id)
def test_made_up_requests(engines: tuple[TestClient, TestClient], operation: Operation, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_dict(deepcopy(API.document))

    @hypothesis.settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @hypothesis.given(schema[operation.path][operation.method].as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        made = httpx.Request(**to_request(case))
        path = made.url.raw_path.decode()
        kept = {name: value for name, value in made.headers.items() if name != "authorization"}
        assert_same(engines, (made.method, path, {**kept, **AUTHORIZATION}, made.read()))

    ask()


def to_request(case: schemathesis.Case) -> dict[str, Any]:
    sent = case.as_transport_kwargs(base_url="http://localhost:8000")
    known = ("method", "url", "headers", "params", "json", "content", "cookies")
    sent["content"] = sent.pop("data", None)
    return {name: sent[name] for name in known if sent.get(name) is not None}


LIST, ONE = "/todos/kevin", "/todos/kevin/1"
BODIES = [
    b"",
    b" ",
    b"null",
    b"[]",
    b"{}",
    b'"x"',
    b"{",
    b'{"todo": 5}',
    b'{"todo": "a\\n"}',
    b'{"todo": "\xff"}',
    b'{"todo": "\\ud800"}',
    b'{"todo": "x", "todo": "y"}',
    b'{"todo": "x", "TODO": "y"}',
    b'{"todo": "x", "due": null, "notes": null, "tags": null, "priority": null, "repeat": null}',
    b'{"todo": "x", "priority": "urgent", "tags": ["", 5], "due": "2026-02-29"}',
    b'{"todo": "x", "tags": ["a", "b"], "notes": "' + b"n" * 4001 + b'"}',
    b'{"todo": ' + b"9" * 5000 + b"}",
    b'{"todo": 1e999}',
    b'{"todo_idx": 1.0}',
    b'{"todo_idx": true}',
    b'{"if_version": 1.0}',
    b'{"if_version": 99}',
    b'{"if_version": 36893488147419103232}',
    b'{"request_id": ""}',
    b'{"request_id": "a b"}',
    b'{"time_zone": "UTC\\n"}',
    b'{"force": 1}',
    b'{"actions": []}',
    b'{"actions": [{"action": "add"}, {"action": "purge"}]}',
    b'{"actions": [{"action": "complete", "id": 1}, {"action": "complete", "id": 999}]}',
    b"[" * 30000,
    b'{"a":' * 20 + b"1" + b"}" * 20,
    b" " * 70000,
]
QUERIES = [
    "?",
    "?limit=5",
    "?limit=0",
    "?limit=%205",
    "?limit=1_0",
    "?limit=5.0",
    "?limit=",
    "?limit=1&limit=2",
    "?limit=" + "9" * 5000,
    "?limit=%D9%A3",
    "?q=%FF",
    "?q=a%00b",
    "?q=a%0A",
    "?q=+",
    "?q=a&&q=b",
    "?status=all&sort=due",
    "?status=null",
    "?priority=null&tag=%20",
    "?unknown=1&other=2",
    "?%75nknown=1",
    "?due_from=2026-11-27&due_to=2026-11-27T18:00",
    "?due_from=2026-11-31",
    "?cursor=abc",
    "?cursor=" + "a" * 201,
    "?from=2026-11-22&to=2026-11-22&actor=assistant",
    "?from=2026-11-22&from=2026-11-23",
    "?actor=nobody&limit=101",
]
PATHS = [
    "//todos/kevin",
    "/todos/kevin/",
    "/todos/KEVIN",
    "/todos/me",
    "/todos/-a",
    "/todos/a%2Fb",
    "/todos/a%0A",
    "/todos/a%00",
    "/todos/%FF",
    "/todos/%E4%BD%A0",
    "/todos/" + "x" * 65,
    "/todos/kevin/0",
    "/todos/kevin/01",
    "/todos/kevin/2147483647",
    "/todos/kevin/2147483648",
    "/todos/kevin/" + "9" * 5000,
    "/todos/kevin/x",
    "/todos/kevin/changes/1",
    "/todos/kevin/changes/0/undo",
    "/profiles/kevin/x",
]
USER_TOKENS = {
    f"todo_at_{ENCODED_ID}read": ("todos:read", "2026-11-23T00:00:00Z"),
    f"todo_at_{ENCODED_ID}write": ("todos:write", "2026-11-23T00:00:00Z"),
    f"todo_at_{ENCODED_ID}expired": ("todos:read todos:write", "2026-11-22T16:05:09Z"),
}
TOKENS = [
    *(f"Bearer {token}" for token in USER_TOKENS),
    "Bearer todo_at_unknown",
    "Bearer todo_at_",
    f"Bearer todo_at_{ENCODED_ID}",
    f"Bearer todo_at_{ENCODED_ID}unknown",
    "Bearer todo_at_AAAAAAAAAAEread",
    "Bearer todo_at___________8read",
    "Bearer todo_at_BBBBBBBBB.Bread",
    "Bearer todo_at_BBBBBBB",
    "",
    "Bearer",
    "Bearer ",
    "Bearer x",
    "bearer " + SERVICE_KEY,
    f"Bearer  {SERVICE_KEY}",
    f"Basic {SERVICE_KEY}",
    "x" * 9000,
]
TYPES = ["", "text/plain", "APPLICATION/JSON", "application/json; charset=utf-16", "application/json;charset=UTF-8"]
OPERATIONS = [(operation.method, path_of(operation, number=2)) for operation in API.operations]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get"]

HOSTILE: list[Request] = [
    *((method, path, JSON_TYPE, body) for method, path in OPERATIONS if method != "GET" for body in BODIES),
    *((method, path + query, {}, b"") for method, path in OPERATIONS if method == "GET" for query in QUERIES),
    *((method, path, JSON_TYPE, b"{}") for path in (LIST, ONE, *PATHS) for method in METHODS),
    *(("POST", LIST, {"Content-Type": kind}, b'{"todo": "x"}') for kind in TYPES),
    *(
        ("POST", LIST, {**JSON_TYPE, "Idempotency-Key": key}, b'{"todo": "x"}')
        for key in ("k", "k", "", "a b", "x" * 256)
    ),
    *(
        ("POST", LIST, {**JSON_TYPE, "Idempotency-Key": "k"}, b'{"todo": "x", "request_id": "%s"}' % k)
        for k in (b"k", b"l")
    ),
]


def test_hostile_requests(engines: tuple[TestClient, TestClient]) -> None:
    for method, path, headers, body in HOSTILE:
        assert_same(engines, (method, path, {**AUTHORIZATION, **headers}, body))
    for token in TOKENS:
        for method, path in OPERATIONS:
            assert_same(engines, (method, path + "?x=y", {**JSON_TYPE, "Authorization": token}, b"{"))
            for username in ("me", "anna"):
                other = path.replace("kevin", username)
                assert_same(engines, (method, other, {**JSON_TYPE, "Authorization": token}, b'{"todo": "x"}'))


class TestCannotCompile:
    """What the compiled contract does not know stops the start, with the name of the operation."""

    @pytest.mark.parametrize(
        "change",
        [
            lambda o: o["parameters"].append({"name": "n", "in": "cookie", "schema": {"type": "string"}}),
            lambda o: o["parameters"].append({"name": "n", "in": "query", "schema": {"type": "array", "items": {}}}),
            lambda o: o["parameters"].append(
                {"name": "n", "in": "query", "style": "pipeDelimited", "schema": {"type": "string"}}
            ),
            lambda o: o["parameters"].append({"name": "n", "in": "query", "schema": {"type": "string"}}),
            lambda o: o["parameters"].pop(),
            lambda o: o["requestBody"]["content"].update({"text/plain": {"schema": {"type": "string"}}}),
            lambda o: o.pop("requestBody"),
            lambda o: o.update(security=[]),
            lambda o: o.update(security=[{"service_key": []}, {}]),
            lambda o: o.update(security=[{"key": []}]),
            lambda o: o.update(security=[{"oauth": [], "service_key": []}]),
        ],
    )
    def test_stops_the_start(self, change: Any) -> None:
        from connexion.resolver import Resolver
        from connexion.spec import Specification
        from connexion.uri_parsing import OpenAPIURIParser

        document = deepcopy(resolved(API))
        document["components"]["securitySchemes"]["key"] = {"type": "apiKey", "in": "query", "name": "key"}
        operation = document["paths"]["/todos/{username}/{todo_id}"]["patch"]
        document["paths"] = {"/todos/{username}/{todo_id}": {"patch": operation}}
        operation["parameters"] = [p for p in operation["parameters"] if p["in"] != "header"]
        change(operation)
        compiled = CompiledContract(None, limits=None)  # type: ignore[arg-type]
        with pytest.raises(CannotCompile, match="update_todo"):
            compiled.add_api(Specification.load(document), resolver=Resolver(), uri_parser_class=OpenAPIURIParser)
