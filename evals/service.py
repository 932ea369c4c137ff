"""The whole service in this process, with a real database, and the official MCP client as a person's assistant has it.

Time stands still, at NOW unless a caller moves it, so that a day is the same day whenever this runs.
"""

import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx2
import orjson
import time_machine
from anyio.from_thread import BlockingPortal
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from starlette.testclient import TestClient

from dev.processes import GENEROUS, migrate
from todo.accounts import tokens
from todo.app import create_app
from todo.config import Settings
from todo.contract import API
from todo.domain import users
from todo.storage.database import open_engine
from todo.storage.statements import Connection

JSON = dict[str, Any]
T = TypeVar("T")

NOW = "2026-11-25T09:30:00Z"  # a Wednesday, 10:30 in Berlin
ZONE = "Europe/Berlin"
URL = "http://localhost:8000"
SCOPE = " ".join(API.scopes)


class Refused(Exception):
    """A call that the service refused; `problem` is what it told."""

    def __init__(self, problem: JSON) -> None:
        super().__init__(problem)
        self.problem = problem


@dataclass
class Assistant:
    """A person's assistant: the tools it is offered, and its calls."""

    client: Client
    tools: dict[str, JSON]  # the definitions by name

    async def call(self, tool: str, arguments: JSON) -> str:
        """Returns the text of the answer. Raises Refused."""
        try:
            result = await self.client.call_tool(tool, arguments)
        except MCPError as error:
            raise Refused({"detail": error.error.message}) from None
        text = result.content[0].text
        if result.is_error:
            raise Refused(orjson.loads(text))
        return text

    async def ask(self, tool: str, **arguments: Any) -> JSON:
        """Returns the answer. Raises Refused."""
        return dict(orjson.loads(await self.call(tool, arguments)))


class Service:
    """The running service, with one MCP client, which can be anybody's assistant: no call leans on the one before."""

    def __init__(
        self, portal: BlockingPortal, http: httpx2.AsyncClient, client: Client, tokens_by_name: dict[str, str]
    ) -> None:
        self._portal = portal
        self._http = http
        self._client = client
        self._tokens = tokens_by_name
        self._tools: dict[str, JSON] = {}

    def use(self, person: str, work: Callable[[Assistant], Awaitable[T]]) -> T:
        """Returns what `work` returns of the person's assistant, while time stands still."""

        async def act() -> T:
            self._http.headers["Authorization"] = f"Bearer {self._tokens[person]}"
            if not self._tools:
                listed = (await self._client.list_tools()).tools
                self._tools = {tool.name: tool.model_dump(by_alias=True) for tool in listed}
            return await work(Assistant(self._client, self._tools))

        with time_machine.travel(NOW, tick=False):
            return self._portal.call(act)


@contextlib.contextmanager
def serving(database_url: str, people: Iterable[str]) -> Iterator[Service]:
    """Yields the service on a database, which it migrates, with a list and a connected assistant for each person."""
    migrate(database_url)
    tokens_by_name = _connect(database_url, people)
    key = secrets.token_hex(32)
    settings = Settings(service_auth_key=(key,), database_url=database_url, **GENEROUS)  # type: ignore[arg-type]
    with TestClient(create_app(settings), base_url=URL) as app:
        assert app.portal
        first = next(iter(tokens_by_name.values()))
        with app.portal.wrap_async_context_manager(_client_of(app, first)) as (http, client):
            yield Service(app.portal, http, client, tokens_by_name)


@contextlib.asynccontextmanager
async def _client_of(app: TestClient, token: str) -> AsyncIterator[tuple[httpx2.AsyncClient, Client]]:
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app.app), headers=headers) as http,
        Client(streamable_http_client(f"{URL}/mcp", http_client=http)) as client,
    ):
        yield http, client


def _connect(database_url: str, people: Iterable[str]) -> dict[str, str]:
    """Returns a token for each person, as if each had connected an assistant."""

    def connect(connection: Connection) -> dict[str, str]:
        return {name: _new_token(connection, name) for name in people}

    engine = open_engine(database_url)
    engine.start()
    try:
        with time_machine.travel("2026-11-01T08:00:00Z", tick=False):
            return dict(engine.submit_write(connect).result())
    finally:
        engine.stop()


def _new_token(connection: Connection, name: str) -> str:
    user_id = users.open_list(connection, users.Owner(name)).id
    token = tokens.new_for(user_id, "access")
    grant = {"id": "g", "client_id": "evals", "client_name": "Evals", "scope": SCOPE, "resource": URL}
    connection.insert_grant(user_id=user_id, now=users.utc_now(), **grant)
    stored = {"hash": tokens.digest(token), "grant_id": "g", "kind": "access", "scope": SCOPE}
    connection.insert_token(user_id=user_id, expires_at="2099-01-01T00:00:00Z", **stored)
    return token
