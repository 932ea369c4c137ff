"""What messages cost: every one a read at least, whatever becomes of it, and none is charged twice."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import httpx
import orjson
import pytest
import time_machine
from starlette.testclient import TestClient

from tests.conftest import AUTHORIZATION, SERVICE_KEY, migrated_sqlite
from tests.contract.test_engines import USER_TOKENS, give_tokens
from tests.hosts import NEWER, OLDER, envelope
from tests.people import bearer
from todo.app import create_app
from todo.config import Settings
from todo.http import rate_limits

JSON = dict[str, Any]

READER = bearer(next(iter(USER_TOKENS)))
BATCHED = "2025-03-26"
BURST = 3  # of 30 requests a minute
EACH = 2  # seconds that one of them costs
POLICY = '"reads";q=30;w=60'

_hours = itertools.count(1)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A service that lets three requests of a caller in at once."""
    url = migrated_sqlite(tmp_path_factory.mktemp("limited"))
    give_tokens(url)
    settings = Settings(service_auth_key=(SERVICE_KEY,), database_url=url, reads_per_minute=30, writes_per_minute=30)
    with (
        time_machine.travel("2026-11-22T16:05:09Z", tick=False),
        TestClient(create_app(settings), base_url="http://localhost:8000") as client,
    ):
        yield client


@pytest.fixture(autouse=True)
def full_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets an hour pass before each test, and no time during it."""
    now = next(_hours) * 3600.0
    monkeypatch.setattr(rate_limits, "monotonic", lambda: now)


def message(method: str, params: Any = None, **members: Any) -> JSON:
    return {"jsonrpc": "2.0", "id": 1, "method": method, **({} if params is None else {"params": params}), **members}


def tool_call(name: Any, arguments: Any = None, **params: Any) -> JSON:
    return message("tools/call", {"name": name, "arguments": arguments or {}, **params})


def post(client: TestClient, body: Any, headers: dict[str, str]) -> httpx.Response:
    content = body if isinstance(body, str) else json.dumps(body)
    sent = {"Accept": "application/json", "Content-Type": "application/json", "MCP-Protocol-Version": OLDER}
    return client.post("/mcp", content=content, headers={**sent, **headers})


def assert_told_to_wait(answer: httpx.Response, seconds: int) -> None:
    told = {name: answer.headers.get(name) for name in ("retry-after", "ratelimit-policy", "ratelimit")}
    limit = f'"reads";r=0;t={seconds}'
    assert told == {"retry-after": str(seconds), "ratelimit-policy": POLICY, "ratelimit": limit}


CALL = tool_call("list_todos", {"username": "me"})
NO_CALLS: dict[str, tuple[dict[str, str], Any, int]] = {
    "ping": ({}, message("ping"), 200),
    "list of tools": ({}, message("tools/list"), 200),
    "unknown method": ({}, message("no/such"), 200),
    "notification": ({}, {"jsonrpc": "2.0", "method": "notifications/initialized"}, 202),
    "not JSON": ({}, "{", 400),
    "not a message": ({}, [CALL], 400),
    "wrong Accept": ({"Accept": "text/html"}, CALL, 406),
    "unknown tool": ({}, tool_call("no_such_tool"), 200),
    "tool that is no name": ({}, tool_call(["list_todos"]), 200),
    "wrong arguments": ({}, tool_call("list_todos", ["me"]), 200),
    "wrong _meta": ({}, tool_call("list_todos", _meta=["me"]), 200),
    "params that are a list": ({}, {**CALL, "params": []}, 400),
    "bad id": ({}, {**CALL, "id": None}, 400),
    "call as a notification": ({}, {name: value for name, value in CALL.items() if name != "id"}, 202),
    "response": ({}, {"jsonrpc": "2.0", "id": 1}, 202),
    "unknown version": ({"MCP-Protocol-Version": "2099-01-01"}, CALL, 400),
    "newer, without _meta": ({"MCP-Protocol-Version": NEWER}, CALL, 400),
    "newer, of another name": (
        {"MCP-Protocol-Version": NEWER, "Mcp-Method": "tools/call", "Mcp-Name": "add_todo"},
        tool_call("list_todos", _meta=envelope(NEWER)),
        400,
    ),
    "newer, unknown tool": (
        {"MCP-Protocol-Version": NEWER, "Mcp-Method": "tools/call", "Mcp-Name": "no_such_tool"},
        tool_call("no_such_tool", _meta=envelope(NEWER)),
        400,
    ),
    "empty batch": ({"MCP-Protocol-Version": BATCHED}, [], 400),
    "batch that is too long": ({"MCP-Protocol-Version": BATCHED}, [CALL] * 11, 400),
}


@pytest.mark.parametrize("token", [READER, AUTHORIZATION], ids=["assistant", "service key"])
@pytest.mark.parametrize(("headers", "body", "status"), NO_CALLS.values(), ids=NO_CALLS)
def test_what_calls_nothing_is_one_read(
    service: TestClient, token: dict[str, str], headers: dict[str, str], body: Any, status: int
) -> None:
    answers = [post(service, body, {**token, **headers}) for _ in range(BURST + 1)]
    assert [answer.status_code for answer in answers] == [status] * BURST + [429]
    assert answers[-1].json()["code"] == "rate_limited"
    assert_told_to_wait(answers[-1], EACH)


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (CALL, None),
        (tool_call("get_todo", {"todo_id": 99}), "todo_not_found"),
        (tool_call("get_todo", {"unknown": 1}), "invalid_request"),
    ],
)
def test_a_call_is_charged_by_its_operation_alone(service: TestClient, call: JSON, code: str | None) -> None:
    answers = [post(service, call, READER) for _ in range(BURST + 1)]
    assert [answer.status_code for answer in answers] == [200] * (BURST + 1)
    problems = [orjson.loads(answer.json()["result"]["content"][0]["text"]) for answer in answers]
    assert [problem.get("code") for problem in problems] == [code] * BURST + ["rate_limited"]
    # The model reads the problem, and the host the same fields as over HTTP.
    assert problems[-1]["retry_after"] == EACH
    assert_told_to_wait(answers[-1], EACH)


def test_a_call_that_the_token_is_not_for_is_charged_too(service: TestClient) -> None:
    answers = [post(service, tool_call("add_todo", {"todo": "x"}), READER) for _ in range(BURST + 1)]
    assert [answer.status_code for answer in answers] == [403] * BURST + [200]
    assert answers[-1].headers["ratelimit-policy"] == '"writes";q=30;w=60'
    assert service.post("/todos/me", json={"todo": "x"}, headers=READER).status_code == 429


def test_a_request_that_the_token_is_not_for_is_charged_too(service: TestClient) -> None:
    statuses = [service.post("/todos/me", json={"todo": "x"}, headers=READER).status_code for _ in range(BURST + 1)]
    assert statuses == [403] * BURST + [429]


def test_each_message_of_a_batch_is_charged(service: TestClient) -> None:
    headers = {**READER, "MCP-Protocol-Version": BATCHED}
    assert post(service, [message("ping")] * 10, headers).status_code == 200
    # Ten reads, less the burst.
    assert_told_to_wait(post(service, message("ping"), headers), (10 - BURST + 1) * EACH)


def test_calls_and_other_messages_of_a_batch_are_charged_once(service: TestClient) -> None:
    headers = {**READER, "MCP-Protocol-Version": BATCHED}
    batch = [CALL, message("ping"), tool_call("no_such_tool")]
    assert [*map(len, post(service, batch, headers).json())] == [3, 3, 3]
    assert_told_to_wait(post(service, message("ping"), headers), EACH)


def test_nothing_of_a_refused_batch_is_done(service: TestClient) -> None:
    headers = {**AUTHORIZATION, "MCP-Protocol-Version": BATCHED}
    for _ in range(BURST):
        post(service, message("ping"), headers)
    answer = post(service, [tool_call("add_todo", {"username": "anna", "todo": "x"}), message("ping")], headers)
    assert answer.status_code == 429
    assert_told_to_wait(answer, EACH)
    assert service.get("/todos/anna", headers=AUTHORIZATION).json()["total"] == 0


def test_each_message_of_a_batch_is_logged(service: TestClient, capfd: pytest.CaptureFixture[str]) -> None:
    batch = [CALL, tool_call("add_todo", {"todo": "x"}), tool_call("no_such_tool"), 7]
    post(service, batch, {**READER, "MCP-Protocol-Version": BATCHED, "X-Request-ID": "id-1"})
    lines = [line.split() for line in capfd.readouterr().out.splitlines()]
    assert [line[:3] for line in lines] == [
        ["POST", "/mcp#list_todos", "200"],
        ["POST", "/mcp#add_todo", "403"],
        ["POST", "/mcp", "200"],
        ["POST", "/mcp", "400"],
    ]
    assert {line[4] for line in lines} == {"id-1"}


def test_a_long_username_is_cut_to_the_length_of_one(service: TestClient) -> None:
    calls = [tool_call("list_todos", {"username": "n" * 60_000 + str(number)}) for number in range(BURST + 1)]
    results = [post(service, call, AUTHORIZATION).json()["result"] for call in calls]
    codes = [orjson.loads(result["content"][0]["text"])["code"] for result in results]
    assert codes == ["invalid_request"] * BURST + ["rate_limited"]
