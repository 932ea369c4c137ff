"""The service once for each door, HTTP and both eras of MCP, to ask all of them the same."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx
import orjson
import pytest
from starlette.testclient import TestClient

from tests.conftest import AUTHORIZATION, SERVICE_KEY, migrated_sqlite
from tests.contract.test_engines import give_tokens
from tests.hosts import CLIENT, NEWER, OLDER, send
from todo.app import create_app
from todo.config import Settings
from todo.contract import API
from todo.http import access_log, rate_limits
from todo.http.routes import WHOLE_NUMBER
from todo.mcp.tools import Tool

JSON = dict[str, Any]

HTTP = "HTTP"
BASE = "http://localhost:8000"
PER_MINUTE = 30
BURST = 3  # a tenth of them
COST = rate_limits.WINDOW / PER_MINUTE
SECRET = re.compile(r"/s/[A-Za-z0-9_-]+")  # of a shared to-do, made at random
WAIT = ("retry-after", "ratelimit-policy", "ratelimit")


class Outcome(NamedTuple):
    """What became of a call: its status and JSON, how long to wait, what it was charged, and its lines in the log."""

    status: int
    told: Any
    wait: dict[str, str]
    charges: list[tuple[str, str, float]]  # kind, caller, seconds
    lines: list[tuple[str, ...]]  # method, path template, status


@dataclass
class Doors:
    """One service and database for each door; its rate limits let everything in, unless time stands still."""

    clients: dict[str, TestClient] = field(default_factory=dict)
    charges: list[tuple[str, str, float]] = field(default_factory=list)
    lines: list[tuple[str, ...]] = field(default_factory=list)
    now: float = 0.0
    hours: int = 1  # that pass before each request

    def over_http(self, request: JSON, token: dict[str, str]) -> Outcome:
        """Sends a request of `http_request`."""
        self._forget()
        client = self.clients[HTTP]
        headers = {"User-Agent": CLIENT["name"], "Content-Type": "application/json", **token}
        sent = client.build_request(request["method"], BASE, content=request["content"], headers=headers)
        sent.url = httpx.URL(BASE).copy_with(raw_path=request["path"].encode())
        answer = client.send(sent)
        return self._outcome(answer.status_code, answer.text, answer)

    def over_mcp(self, era: str, tool: Tool, arguments: JSON, token: dict[str, str]) -> Outcome:
        """Calls a tool, and checks that result, status and log line agree."""
        self._forget()
        params = {"name": tool.name, "arguments": arguments}
        answer = send(self.clients[era], "tools/call", params, era, **{"User-Agent": CLIENT["name"], **token})
        if answer.status_code == 401:
            return self._outcome(401, answer.text, answer)
        result = answer.json()["result"]
        (content,) = result["content"]
        told = orjson.loads(content["text"])
        status = told["status"] if result["isError"] else int(self.lines[0][2])
        assert result["isError"] == (status >= 400)
        assert result.get("structuredContent", told) == told
        assert ("structuredContent" in result) != result["isError"]
        assert answer.status_code == (403 if told.get("code") == "insufficient_scope" else 200)
        return self._outcome(status, content["text"], answer)

    def everywhere(self, method: str, path: str, body: Any = None) -> None:
        """Does the same at all services, over HTTP."""
        self._forget()
        for client in self.clients.values():
            assert client.request(method, path, json=body, headers=AUTHORIZATION).status_code < 300

    @contextmanager
    def time_standing_still(self) -> Iterator[None]:
        """Lets no time pass between requests, for the rate limits."""
        self.now += 3600
        self.hours = 0
        try:
            yield
        finally:
            self.hours = 1

    def assert_same_lists(self, username: str = "kevin") -> None:
        """The to-dos and the log of changes, with actor and client, are the same behind all doors."""
        self._forget()
        for path in (f"/todos/{username}/changes?limit=100", f"/todos/{username}?status=all&sort=updated&limit=100"):
            answers = [client.get(path, headers=AUTHORIZATION) for client in self.clients.values()]
            assert {answer.status_code for answer in answers} == {200}
            assert len({SECRET.sub("", answer.text) for answer in answers}) == 1

    def _forget(self) -> None:
        self.charges.clear()
        self.lines.clear()
        self.now += self.hours * 3600

    def _outcome(self, status: int, text: str, answer: httpx.Response) -> Outcome:
        wait = {name: answer.headers[name] for name in WAIT if name in answer.headers}
        return Outcome(status, orjson.loads(SECRET.sub("/s/x", text)), wait, [*self.charges], [*self.lines])


@contextmanager
def open_doors(folder: Path) -> Iterator[Doors]:
    """Starts the services, and notes each charge and each line of the access log."""
    doors = Doors()
    take_now = rate_limits.Memory.take_now

    def take(self: rate_limits.Memory, kind: Any, caller: str, cost: float, ahead: float) -> float:
        doors.charges.append((kind, caller, cost))
        return take_now(self, kind, caller, cost, ahead)

    with pytest.MonkeyPatch.context() as patch, ExitStack() as services:
        patch.setattr(rate_limits, "monotonic", lambda: doors.now)
        patch.setattr(rate_limits.Memory, "take_now", take)
        patch.setattr(access_log.Lines, "add", lambda _, line: doors.lines.append(tuple(line.split()[:3])))
        for door in (HTTP, OLDER, NEWER):
            url = migrated_sqlite(folder / door)
            give_tokens(url)
            limits = {"reads_per_minute": PER_MINUTE, "writes_per_minute": PER_MINUTE}
            app = create_app(Settings(service_auth_key=(SERVICE_KEY,), database_url=url, **limits))
            doors.clients[door] = services.enter_context(TestClient(app, base_url=BASE, follow_redirects=False))
        yield doors


def without_null(value: Any) -> Any:
    """Returns a value without null fields, at any depth."""
    if isinstance(value, dict):
        return {name: without_null(field) for name, field in value.items() if field is not None}
    return [without_null(item) for item in value] if isinstance(value, list) else value


def http_request(tool: Tool, arguments: JSON) -> JSON | None:
    """Returns method, path and content of the HTTP request that says the same as a call; None if there can be none."""
    operation = tool.operation
    left = without_null(arguments)
    path = operation.path
    for parameter in API.parameters(operation, "path"):
        text = _in_url(parameter["schema"], left.pop(parameter["name"], None))
        if not _is_segment(parameter["schema"], text):
            return None
        path = path.replace(f"{{{parameter['name']}}}", quote(text or "", safe=""))
    schemas = {parameter["name"]: parameter["schema"] for parameter in API.parameters(operation, "query")}
    takes_body = "requestBody" in operation.spec
    pairs = []
    for name in [name for name in left if name in schemas or not takes_body]:
        value = left.pop(name)
        if name not in schemas:
            pairs.append((name, "x"))  # unknown, whatever it is
        elif (text := _in_url(schemas[name], value)) is not None:
            pairs.append((name, text))
        elif isinstance(value, list) and len(value) > 1 and all(isinstance(item, str) for item in value):
            pairs += [(name, item) for item in value]  # a list is a parameter that comes more than once
        else:
            return None
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
    needs_body = operation.spec.get("requestBody", {}).get("required")
    content = json.dumps(left).encode() if left or needs_body else b""
    return {"method": operation.method, "path": path + (f"?{query}" if query else ""), "content": content}


def _in_url(schema: JSON, value: Any) -> str | None:
    """Returns a value as a URL has it; None where it has no form there."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, list | dict):
        return None
    if isinstance(value, float) and schema["type"] == "integer" and value.is_integer():
        value = int(value)
    return json.dumps(value)


def _is_segment(schema: JSON, text: str | None) -> bool:
    pattern = WHOLE_NUMBER if schema["type"] == "integer" else r"[^/\r\n]+"
    # The test client decodes a path twice, so an encoded % would not arrive.
    return text is not None and "%" not in text and re.fullmatch(pattern, text) is not None
