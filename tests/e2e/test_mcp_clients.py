"""The official MCP client, in both eras of the protocol, with the service key and through the whole of OAuth."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from itertools import count
from typing import Any

import httpx
import httpx2
import orjson
import pytest
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from tests.contract.test_tools import arguments
from tests.e2e.processes import Child, migrated, serving
from tests.e2e.test_oauth_clients import Storage, provider_for
from tests.people import Person, bearer
from todo.contract import API
from todo.mcp.tools import tools_of

pytestmark = pytest.mark.slow

MODES = {"legacy": "2025-11-25", "auto": "2026-07-28", "2026-07-28": "2026-07-28"}
OPERATIONS = {name: tool.operation for name, tool in tools_of(API).items()}
CALLBACK = "http://127.0.0.1:49152/callback"

_numbers = count(1)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    """The service with two workers, so that no message can lean on the one before."""
    folder = tmp_path_factory.mktemp("mcp")
    with serving(migrated(folder, WEB_CONCURRENCY="2", PLUGIN_AUTH="oauth")) as child:
        yield child


@pytest.fixture
def person(service: Child) -> Iterator[Person]:
    with httpx.Client(base_url=service.url, trust_env=False) as browser:
        somebody = Person(browser, f"host{next(_numbers)}")
        assert somebody.sign_up().status_code == 303
        yield somebody


def run(
    use: Callable[[Client], Awaitable[Any]], service: Child, mode: str = "auto", path: str = "/mcp", **options: Any
) -> Any:
    """Returns what `use` returns of a client that has connected."""

    async def connected() -> Any:
        async with (
            httpx2.AsyncClient(trust_env=False, timeout=30, **options) as http,
            Client(streamable_http_client(f"{service.url}{path}", http_client=http), mode=mode) as client,
        ):
            return await use(client)

    return asyncio.run(connected())


def sign_in(service: Child, person: Person, storage: Storage, scope: str | None = None) -> OAuthClientProvider:
    """Returns a client's own way through OAuth: it finds, registers, leads the person, redeems, refreshes."""
    provider = provider_for(service, person, storage, CALLBACK)
    provider.context.server_url = f"{service.url}/mcp"
    provider.context.client_metadata.scope = scope
    return provider


async def ask(client: Client, name: str, /, **given: Any) -> Any:
    """Returns what a call that is not refused answers; the client checks it against the outputSchema."""
    result = await client.call_tool(name, given)
    assert not result.is_error, result
    return result.structured_content


async def refusal(client: Client, name: str, /, **given: Any) -> Any:
    result = await client.call_tool(name, given)
    assert result.is_error, result
    return orjson.loads(result.content[0].text)  # type: ignore[union-attr]


async def call_all(client: Client, **username: str) -> list[str]:
    """Lists the tools and calls each, in a list where each finds something to do; returns their names."""
    tools = (await client.list_tools()).tools
    listed = [tool.name for tool in tools]
    for text, more in (
        ("a", {"notes": "n"}),
        ("b", {"due": "2026-11-27", "repeat": "FREQ=DAILY"}),
        ("c", {}),
        ("d", {"tags": ["t"], "steps": ["s", "t"]}),
        ("e", {"list": "Trip", "create_list": True}),
    ):
        await ask(client, "add_todo", todo=text, **more, **username)
    await ask(client, "complete_todo", todo_id=3, **username)
    await ask(client, "delete_todo", todo_id=4, **username)
    for name, operation in OPERATIONS.items():
        answer = await ask(client, name, **arguments(operation), **username)
        if operation.method != "GET":
            await ask(client, "undo_change", change_id=answer["change_id"], **username)
    return listed


@pytest.mark.parametrize("mode", MODES)
def test_every_tool_with_the_service_key(service: Child, mode: str) -> None:
    async def use(client: Client) -> None:
        assert client.protocol_version == MODES[mode]
        assert await call_all(client, username=f"key-{mode}") == list(OPERATIONS)

    run(use, service, mode, headers=bearer(service.environ["SERVICE_AUTH_KEY"]))


@pytest.mark.parametrize("mode", MODES)
def test_an_address_with_a_slash_at_its_end(service: Child, mode: str) -> None:
    async def use(client: Client) -> int:
        return int((await ask(client, "list_todos", username=f"slash-{mode}"))["total"])

    # As the SDK's own HTTP client does.
    headers = bearer(service.environ["SERVICE_AUTH_KEY"])
    assert run(use, service, mode, path="/mcp/", headers=headers, follow_redirects=True) == 0


@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_every_tool_through_oauth(service: Child, person: Person, mode: str) -> None:
    storage = Storage()

    async def use(client: Client) -> None:
        assert client.protocol_version == MODES[mode]
        assert await call_all(client) == list(OPERATIONS)
        assert (await ask(client, "get_profile"))["username"] == person.username

    run(use, service, mode, auth=sign_in(service, person, storage))
    assert storage.tokens
    # Another run of the same program goes on with what it has, and without the person.
    run(lambda client: ask(client, "list_todos"), service, mode, auth=sign_in(service, person, storage))


def test_a_client_that_may_only_read_asks_the_person_again(service: Child, person: Person) -> None:
    storage = Storage()

    async def use(client: Client) -> None:
        assert (await ask(client, "list_todos"))["total"] == 0
        assert (await ask(client, "add_todo", todo="Buy milk"))["id"] == 1

    run(use, service, "legacy", auth=sign_in(service, person, storage, scope="todos:read"))
    assert storage.tokens
    assert set((storage.tokens.scope or "").split()) == {"todos:read", "todos:write"}


def test_without_a_token_nothing_is_told(service: Child) -> None:
    with pytest.raises(ExceptionGroup) as refused:
        run(lambda client: client.list_tools(), service, "legacy")
    assert refused.group_contains(MCPError, match="Server returned an error response")
    service.wait_until_written("POST /mcp 401")


def test_a_story(service: Child, person: Person) -> None:
    async def use(client: Client) -> None:
        profile = await ask(client, "get_profile")
        assert profile["counts"] == {"open": 0, "overdue": 0, "done": 0, "deleted": 0}
        added = await ask(
            client,
            "change_todos",
            actions=[
                {"action": "add", "todo": "Buy milk"},
                {"action": "add", "todo": "Call mum", "priority": "high"},
                {"action": "add", "todo": "Water the plants", "due": "2026-11-23", "repeat": "FREQ=WEEKLY;BYDAY=MO"},
                {"action": "add", "todo": "Pay the rent", "due": "2026-12-01T09:00", "tags": ["money"]},
                {"action": "add", "todo": "Read chapter 4"},
            ],
        )
        assert [todo["id"] for todo in added["todos"]] == [1, 2, 3, 4, 5]
        done = await ask(client, "complete_todo", todo_id=1)
        assert done["status"] == "done"
        # It has an old version in mind, is told so, looks at what it is told, and mends its call.
        await ask(client, "update_todo", todo_id=3, notes="the fern too")
        refused = await refusal(client, "update_todo", todo_id=3, due="2026-11-24", if_version=1)
        assert (refused["status"], refused["code"]) == (409, "version_conflict")
        assert "current_version" in refused["hint"]
        moved = await ask(client, "update_todo", todo_id=3, due="2026-11-24", if_version=refused["current_version"])
        assert (moved["due_weekday"], moved["repeat"]) == ("Tuesday", "FREQ=WEEKLY;BYDAY=MO")
        # Nothing of the batch is taken back while something of it has changed since; the answer says what.
        refused = await refusal(client, "undo_change", change_id=added["change_id"])
        assert refused["code"] == "undo_conflict"
        assert {conflict["id"] for conflict in refused["conflicts"]} == {1, 3}
        assert "Undo the later changes first" in refused["hint"]
        for change in (await ask(client, "list_changes"))["changes"]:
            await ask(client, "undo_change", change_id=change["id"])
        listed = await ask(client, "list_todos", status="all")
        assert (listed["todos"], listed["total"]) == ([], 0)

    run(use, service, "auto", auth=sign_in(service, person, Storage()))
    page = person.browser.get("/account").text
    assert re.search(r"An MCP client", page)


def test_tokens_and_texts_stay_out_of_the_log(service: Child) -> None:
    key = service.environ["SERVICE_AUTH_KEY"]
    run(
        lambda client: ask(client, "add_todo", username="quiet", todo="Bury the treasure"), service, headers=bearer(key)
    )
    service.wait_until_written("POST /mcp#add_todo 201")
    service.wait_until_written("POST /mcp 200")
    assert not any(private in service.output for private in (key, "treasure", "quiet"))
