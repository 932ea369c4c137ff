"""The two doors, HTTP and MCP: the same call does the same, costs the same and is logged the same through both.

The doors differ only in this, by design:

- A value that no URL can hold (a list, an id that is not a whole number) is 404 over HTTP or cannot be sent at all, as
  it would be another address; MCP names the wrong argument.
- Null is left out over MCP, at any depth, as many models send null for what they do not set.
- Without a good token MCP answers the message and not the call, so its log line names no tool and its charge is a read.
- JSON-RPC takes three levels of nesting and some bytes of what a body may have.
"""

import json
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx
import hypothesis
import orjson
import pytest
import schemathesis
import time_machine
from hypothesis import HealthCheck
from hypothesis import strategies as st
from schemathesis import GenerationMode
from starlette.testclient import TestClient

from tests.conftest import AUTHORIZATION, GENEROUS, SERVICE_KEY, migrate
from tests.contract.test_engines import EXAMPLES, USER_TOKENS, give_tokens
from tests.hosts import CLIENT, NEWER, OLDER, send
from tests.people import bearer
from todo.app import create_app
from todo.config import Settings
from todo.contract import API
from todo.http import access_log, rate_limits
from todo.http.routes import WHOLE_NUMBER
from todo.mcp.tools import Tool, tools_of

JSON = dict[str, Any]

TOOLS = tools_of(API)
HTTP = "HTTP"
DOORS = (HTTP, OLDER, NEWER)
BASE = "http://localhost:8000"
SECRET = re.compile(r"/s/[A-Za-z0-9_-]+")  # of a shared to-do, made at random
READER, WRITER, EXPIRED = (bearer(token) for token in USER_TOKENS)


@dataclass
class Seen:
    """What a call left behind, besides its answer: charges as (kind, caller, seconds), and log lines."""

    charges: list[tuple[str, str, float]] = field(default_factory=list)
    lines: list[tuple[str, str, str]] = field(default_factory=list)  # method, path template, status

    def clear(self) -> None:
        self.charges.clear()
        self.lines.clear()


@dataclass(frozen=True)
class Outcome:
    """A call's status and JSON text, what it was charged, and its log line."""

    status: int
    text: str
    charges: list[tuple[str, str, float]]
    lines: list[tuple[str, str, str]]

    @property
    def told(self) -> Any:
        return orjson.loads(SECRET.sub("/s/secret", self.text))


@dataclass
class Doors:
    """The service three times, each on a database of its own: one for each door, and two eras of MCP."""

    clients: dict[str, TestClient]
    seen: Seen

    def over_http(self, request: JSON, token: dict[str, str]) -> Outcome:
        answer = self._watch(lambda: self._ask(self.clients[HTTP], request, token))
        return Outcome(answer.status_code, answer.text, *self._left())

    def over_mcp(self, era: str, tool: Tool, arguments: JSON, token: dict[str, str]) -> Outcome:
        params = {"name": tool.name, "arguments": arguments}
        answer = self._watch(
            lambda: send(self.clients[era], "tools/call", params, era, **{"User-Agent": CLIENT["name"], **token})
        )
        charges, lines = self._left()
        if answer.status_code == 401:
            return Outcome(401, answer.text, charges, lines)
        result = answer.json()["result"]
        (content,) = result["content"]
        told = orjson.loads(content["text"])
        status = told["status"] if result["isError"] else int(lines[0][2])
        assert result["isError"] == (status >= 400)
        assert result.get("structuredContent", told) == told
        assert ("structuredContent" in result) != result["isError"]
        assert answer.status_code == (403 if told.get("code") == "insufficient_scope" else 200)
        return Outcome(status, content["text"], charges, lines)

    def everywhere(self, method: str, path: str, body: Any = None) -> None:
        """Does the same at all services, over HTTP."""
        for client in self.clients.values():
            answer = client.request(method, path, json=body, headers=AUTHORIZATION)
            assert answer.status_code < 300

    def assert_same_lists(self, username: str = "kevin") -> None:
        """The to-dos and the log of changes, with actor and client, are the same behind all doors."""
        for path in (f"/todos/{username}/changes?limit=100", f"/todos/{username}?status=all&sort=updated&limit=100"):
            bodies = {
                door: SECRET.sub("", client.get(path, headers=AUTHORIZATION).text)
                for door, client in self.clients.items()
            }
            assert bodies[OLDER] == bodies[HTTP]
            assert bodies[NEWER] == bodies[HTTP]

    def _ask(self, client: TestClient, request: JSON, token: dict[str, str]) -> httpx.Response:
        sent = client.build_request(
            request["method"],
            BASE,
            content=request["content"],
            headers={"User-Agent": CLIENT["name"], "Content-Type": "application/json", **token},
        )
        sent.url = httpx.URL(BASE).copy_with(raw_path=request["path"].encode())
        return client.send(sent)

    def _watch(self, ask: Callable[[], httpx.Response]) -> httpx.Response:
        self.seen.clear()
        return ask()

    def _left(self) -> tuple[list[Any], list[Any]]:
        return list(self.seen.charges), list(self.seen.lines)


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    seen = Seen()
    with time_machine.travel("2026-11-22T16:05:09Z", tick=False), pytest.MonkeyPatch.context() as patch:
        watch(patch, seen)
        clients = {door: start(tmp_path_factory, **GENEROUS) for door in DOORS}
        with clients[HTTP], clients[OLDER], clients[NEWER]:
            yield Doors(clients, seen)


def start(tmp_path_factory: pytest.TempPathFactory, **settings: Any) -> TestClient:
    url = f"sqlite:///{tmp_path_factory.mktemp('door')}/todo.db"
    migrate(url)
    give_tokens(url)
    app = create_app(Settings(service_auth_key=(SERVICE_KEY,), database_url=url, **settings))
    return TestClient(app, base_url=BASE, follow_redirects=False)


def watch(patch: pytest.MonkeyPatch, seen: Seen) -> None:
    """Notes what each request is charged and each line of the access log, and stops the clock of the limits."""
    take_now = rate_limits.Memory.take_now

    def take(self: rate_limits.Memory, kind: Any, caller: str, cost: float, ahead: float) -> float:
        seen.charges.append((kind, caller, cost))
        return take_now(self, kind, caller, cost, ahead)

    patch.setattr(rate_limits, "monotonic", lambda: 1000.0)
    patch.setattr(rate_limits.Memory, "take_now", take)
    patch.setattr(access_log.Lines, "add", lambda _, line: seen.lines.append(tuple(line.split()[:3])))


@pytest.fixture(autouse=True)
def same_beginning(doors: Doors) -> Iterator[None]:
    for number in range(4):
        todo = {"todo": f"Number {number}", "due": "2026-11-27", "request_id": f"k{number}"}
        doors.everywhere("POST", "/todos/kevin", todo)
    yield
    doors.assert_same_lists()


# From arguments to the request that says the same over HTTP.


def without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_null(field) for name, field in value.items() if field is not None}
    return [without_null(item) for item in value] if isinstance(value, list) else value


def in_url(schema: JSON, value: Any) -> str | None:
    """Returns a value as a URL has it; None where it has no form there."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, list | dict):
        return None
    if isinstance(value, float) and schema["type"] == "integer" and value.is_integer():
        value = int(value)
    return json.dumps(value)


def is_segment(schema: JSON, text: str | None) -> bool:
    pattern = WHOLE_NUMBER if schema["type"] == "integer" else r"[^/\r\n]+"
    # The test client decodes a path twice, so an encoded % would not arrive.
    return text is not None and "%" not in text and re.fullmatch(pattern, text) is not None


def http_request(tool: Tool, arguments: JSON) -> JSON | None:
    """Returns method, path and content of the HTTP request for a call; None where there can be none."""
    operation = tool.operation
    left = without_null(arguments)
    path = operation.path
    for parameter in API.parameters(operation, "path"):
        text = in_url(parameter["schema"], left.pop(parameter["name"], None))
        if not is_segment(parameter["schema"], text):
            return None
        path = path.replace(f"{{{parameter['name']}}}", quote(text or "", safe=""))
    schemas = {parameter["name"]: parameter["schema"] for parameter in API.parameters(operation, "query")}
    takes_body = "requestBody" in operation.spec
    pairs = []
    for name in [name for name in left if name in schemas or not takes_body]:
        value = left.pop(name)
        if name not in schemas:
            pairs.append((name, "x"))  # unknown, whatever it is
        elif (text := in_url(schemas[name], value)) is not None:
            pairs.append((name, text))
        elif isinstance(value, list) and len(value) > 1 and all(isinstance(item, str) for item in value):
            pairs += [(name, item) for item in value]  # a list is a parameter that comes more than once
        else:
            return None
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
    needs_body = operation.spec.get("requestBody", {}).get("required")
    content = json.dumps(left).encode() if left or needs_body else b""
    return {"method": operation.method, "path": path + (f"?{query}" if query else ""), "content": content}


def assert_same(doors: Doors, tool: Tool, arguments: JSON, token: dict[str, str] = AUTHORIZATION) -> int:
    """Returns the status of a call that is the same at every door: its answer, its charges and its line in the log."""
    read = orjson.loads(json.dumps(arguments))  # as a parser of JSON reads them, without numbers of any length
    is_person = token is not AUTHORIZATION
    request = http_request(tool, {**({"username": "me"} if is_person else {}), **without_null(read)})
    expected = doors.over_http(request, token) if request else None
    outcomes = {era: doors.over_mcp(era, tool, arguments, token) for era in (OLDER, NEWER)}
    older, newer = outcomes.values()
    assert (older.told, older.charges) == (newer.told, newer.charges)
    for outcome in outcomes.values():
        if expected is None:
            assert outcome.status in (400, 401, 403), (tool.name, arguments)
            assert outcome.told["code"] in ("invalid_request", "insufficient_scope", "invalid_token", "unauthorized")
            if outcome.status == 401:
                continue
        elif expected.status == 401:
            assert outcome.told == expected.told
            assert outcome.lines == [("POST", "/mcp", "401")]
            assert outcome.charges == [("reads", "address testclient", GENEROUS_COST)]
            assert [caller for _, caller, _ in expected.charges] == ["address testclient"]
            continue
        else:
            told = outcome.told
            if "Retry-After" not in told:
                told.pop("retry_after", None)
            assert (outcome.status, told) == (expected.status, expected.told), (tool.name, arguments)
            assert outcome.charges == expected.charges
            assert expected.lines == [(tool.operation.method, tool.operation.path, str(expected.status))]
        assert outcome.status < 500
        assert outcome.lines == [("POST", f"/mcp#{tool.name}", str(outcome.status))]
    return older.status


GENEROUS_COST = rate_limits.WINDOW / GENEROUS["reads_per_minute"]
each_tool = pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
settings = hypothesis.settings(
    max_examples=EXAMPLES // 2, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


# Generated calls.


@each_tool
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["valid", "not valid"])
def test_calls_made_from_the_contract(doors: Doors, tool: Tool, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_dict(deepcopy(API.document))

    @settings
    @hypothesis.given(schema[tool.operation.path][tool.operation.method].as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        body = case.body if isinstance(case.body, dict) else {}
        arguments = {**(case.path_parameters or {}), **(case.query or {}), **body, "username": "kevin"}
        hypothesis.assume(is_json(arguments))
        assert_same(doors, tool, arguments)

    ask()


def is_json(value: Any) -> bool:
    try:
        orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        return False
    return True


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
numbers = st.sampled_from([0, 1, 2, -1, 1.0, 1.5, -0.0, 1e20, 1e300, 2**31, 2**63, 2**64, 2**65 + 1])
words = st.sampled_from(
    ["", " ", "1", "01", "-1", "1.0", "9" * 30, "null", "true", "me", "ＫＥＶＩＮ", "a\nb", "a/b", "\u202e", "done"]
)
scalars = st.none() | st.booleans() | numbers | words | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=2), max_leaves=4
)


@each_tool
def test_calls_made_without_the_contract(doors: Doors, tool: Tool) -> None:
    names = [*tool.definition(for_service=True)["inputSchema"]["properties"], "unknown", "Idempotency-Key", "ünknown"]
    sensible = {"username": "kevin", "todo_id": 1, "change_id": 1, "id": "1", "query": "n", "todo": "x"}

    @settings
    @hypothesis.given(st.dictionaries(st.sampled_from(names), values, max_size=4))
    def ask(given: JSON) -> None:
        known = {name: value for name, value in sensible.items() if name in names}
        assert_same(doors, tool, {**known, **given})

    ask()


# What generators rarely meet.

HOSTILE: list[tuple[str, JSON]] = [
    ("list_todos", {"limit": "5"}),
    ("list_todos", {"limit": 5.0}),
    ("list_todos", {"limit": 2**65 + 1}),
    ("list_todos", {"limit": True}),
    ("list_todos", {"limit": [1, 2]}),
    ("list_todos", {"q": 5}),
    ("list_todos", {"q": 1e22}),
    ("list_todos", {"q": True}),
    ("list_todos", {"q": ["Number", "1"]}),
    ("list_todos", {"q": ["Number"]}),
    ("list_todos", {"q": []}),
    ("list_todos", {"q": {"a": 1}}),
    ("list_todos", {"q": None, "limit": None}),
    ("list_todos", {"username": "KEVIN"}),
    ("list_todos", {"username": "me"}),
    ("list_todos", {"username": 5}),
    ("list_todos", {"username": "a" * 65}),
    ("list_todos", {"username": "../kevin"}),
    ("list_todos", {"username": ["kevin"]}),
    ("list_todos", {"username": None}),
    ("get_todo", {"todo_id": 2**31}),
    ("get_todo", {"todo_id": 2**63}),
    ("get_todo", {"todo_id": -1}),
    ("get_todo", {"todo_id": "1"}),
    ("get_todo", {"todo_id": 1.5}),
    ("get_todo", {"todo_id": None}),
    ("fetch", {"id": 1}),
    ("fetch", {"id": 1.0}),
    ("add_todo", {"todo": "x", "request_id": "r1"}),
    ("add_todo", {"todo": "x", "request_id": "r1"}),
    ("add_todo", {"todo": "y", "request_id": "r1"}),
    ("add_todo", {"todo": "twin"}),
    ("add_todo", {"todo": "twin"}),
    ("add_todo", {"todo": "\u202ehidden"}),
    ("add_todo", {"todo": "買い物 🛒", "tags": ["家"], "due": None}),
    ("add_todo", {"todo": "x", "notes": "n" * 4001}),
    ("add_todo", {"todo": {"a": [{"b": [[[[]]]]}]}}),
    ("add_todo", {"todo": "x", "tags": [None]}),
    ("update_todo", {"todo_id": 1, "notes": None}),
    ("update_todo", {"todo_id": 1}),
    ("update_todo", {"todo_id": 1.0, "notes": "n", "if_version": 1.0}),
    ("update_todo", {"todo_id": 1, "notes": "n", "if_version": 1}),
    ("update_todo", {"todo_id": 1, "notes": "n", "if_version": 2**65 + 1}),
    ("complete_todo", {"todo_id": 2, "if_version": True}),
    ("complete_todo", {"todo_id": 2, "unknown": 1}),
    ("share_todo", {"todo_id": 2}),
    ("change_todos", {"actions": []}),
    ("change_todos", {"actions": [None]}),
    ("change_todos", {"actions": [{"action": "complete", "id": 3, "due": None}, {"action": "add", "todo": "z"}]}),
    ("change_todos", {"actions": [{"action": "complete", "id": 3}, {"action": "complete", "id": 999}]}),
    ("undo_change", {"change_id": 1}),
    ("undo_change", {"change_id": 1, "force": 1}),
    ("update_profile", {"time_zone": "Europe/Berlin"}),
    ("update_profile", {"time_zone": "Nowhere"}),
]


@pytest.mark.parametrize(
    ("token", "statuses"),
    [
        (AUTHORIZATION, {200, 201, 400, 404, 409}),
        (READER, {200, 400, 403, 404}),
        (WRITER, {403}),
        (EXPIRED, {401}),
        (bearer("nonsense"), {401}),
        ({}, {401}),
    ],
    ids=["service key", "reader", "writer", "expired", "unknown", "none"],
)
def test_hostile_calls(doors: Doors, token: dict[str, str], statuses: set[int]) -> None:
    found = {
        assert_same(
            doors, TOOLS[tool], {**({"username": "kevin"} if token is AUTHORIZATION else {}), **arguments}, token
        )
        for tool, arguments in HOSTILE
    }
    assert statuses <= found


@pytest.mark.parametrize("username", ["me", "kevin", "KEVIN", "anna"])
@pytest.mark.parametrize("token", [AUTHORIZATION, READER, WRITER], ids=["service key", "reader", "writer"])
@each_tool
def test_whose_list(doors: Doors, tool: Tool, token: dict[str, str], username: str) -> None:
    sensible = {"todo_id": 1, "change_id": 1, "id": "1", "query": "n", "todo": "x"}
    properties = tool.definition(for_service=True)["inputSchema"]["properties"]
    known = {name: value for name, value in sensible.items() if name in properties}
    assert_same(doors, tool, {**known, "username": username}, token)
