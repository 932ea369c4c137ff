"""The two doors, HTTP and MCP: the same call does the same, costs the same and is logged the same through both.

The doors differ only in this, by design:

- A value that no URL can hold (a list, an id that is not a whole number) is 404 over HTTP or cannot be sent at all, as
  it would be another address; MCP names the wrong argument.
- Null is left out over MCP, at any depth, as many models send null for what they do not set.
- Without a good token MCP answers the message and not the call, so its log line names no tool and its charge is a read.
- JSON-RPC takes three levels of nesting and some bytes of what a body may have.
"""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import hypothesis
import orjson
import pytest
import schemathesis
import time_machine
from hypothesis import HealthCheck
from hypothesis import strategies as st
from schemathesis import GenerationMode

from tests.conftest import AUTHORIZATION
from tests.contract.test_engines import EXAMPLES, USER_TOKENS
from tests.doors import BURST, COST, Doors, Outcome, http_request, open_doors, without_null
from tests.hosts import NEWER, OLDER
from tests.people import bearer
from todo.contract import API
from todo.mcp.tools import Tool, tools_of

JSON = dict[str, Any]

TOOLS = tools_of(API)
READER, WRITER, EXPIRED = (bearer(token) for token in USER_TOKENS)
# What a call needs to reach something.
NUMBERS = {
    parameter["name"]: 1
    for operation in API.operations
    for parameter in API.parameters(operation, "path")
    if parameter["schema"]["type"] == "integer"
}
SENSIBLE = {**NUMBERS, "username": "kevin", "id": "1", "query": "n", "todo": "x", "list": "Trip"}


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    with time_machine.travel("2026-11-22T16:05:09Z", tick=False), open_doors(tmp_path_factory.mktemp("doors")) as doors:
        yield doors


@pytest.fixture(autouse=True)
def same_beginning_and_end(doors: Doors) -> Iterator[None]:
    for number in range(4):
        todo = {"todo": f"Number {number}", "due": "2026-11-27", "request_id": f"k{number}"}
        doors.everywhere("POST", "/todos/kevin", todo)
    doors.everywhere("PATCH", "/lists/kevin/Trip", {"create_list": True})
    yield
    doors.assert_same_lists()


def assert_same(doors: Doors, tool: Tool, arguments: JSON, token: dict[str, str] = AUTHORIZATION) -> int:
    """Returns the status of a call that is the same at every door: its answer, its charges and its line in the log."""
    in_path = [arguments.get(parameter["name"]) for parameter in API.parameters(tool.operation, "path")]
    if "%" in str(in_path):
        return 400  # no name of ours; the test client cannot send it in a path
    read = orjson.loads(json.dumps(arguments))  # as a parser of JSON reads them, without numbers of any length
    is_person = token is not AUTHORIZATION
    request = http_request(tool, {**({"username": "me"} if is_person else {}), **without_null(read)})
    expected = doors.over_http(request, token) if request else None
    older, newer = (doors.over_mcp(era, tool, arguments, token) for era in (OLDER, NEWER))
    assert older == newer
    assert older.status < 500
    if older.status == 401:
        assert_same_stranger(older, expected)
        return 401
    assert older.lines == [("POST", f"/mcp#{tool.name}", str(older.status))]
    if expected is None:
        assert older.status in (400, 403), (tool.name, arguments)
        assert older.told["code"] in ("invalid_request", "insufficient_scope")
        return older.status
    if "retry-after" in expected.wait:
        expected.told["retry_after"] = int(expected.wait["retry-after"])
    assert older._replace(lines=[]) == expected._replace(lines=[]), (tool.name, arguments)
    assert expected.lines == [(tool.operation.method, tool.operation.path, str(expected.status))]
    return older.status


def assert_same_stranger(outcome: Outcome, expected: Outcome | None) -> None:
    """The message is refused and charged to the address, as it is not known which call it would be."""
    assert outcome.lines == [("POST", "/mcp", "401")]
    assert outcome.charges == [("reads", "address testclient", COST)]
    if expected:
        assert (outcome.told, expected.status) == (expected.told, 401)
        assert [caller for _, caller, _ in expected.charges] == ["address testclient"]


def known(tool: Tool) -> JSON:
    """Returns the sensible arguments that a tool takes."""
    properties = tool.definition(for_service=True)["inputSchema"]["properties"]
    return {name: value for name, value in SENSIBLE.items() if name in properties}


# Generated calls.

each_tool = pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
settings = hypothesis.settings(
    max_examples=EXAMPLES // 2, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
SCHEMA = schemathesis.openapi.from_dict(deepcopy(API.document))


@each_tool
def test_calls_made_from_the_contract(doors: Doors, tool: Tool) -> None:
    operation = SCHEMA[tool.operation.path][tool.operation.method]
    modes = [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]

    @hypothesis.settings(settings, max_examples=EXAMPLES)
    @hypothesis.given(st.one_of(modes))
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

    @settings
    @hypothesis.given(st.dictionaries(st.sampled_from(names), values, max_size=4))
    def ask(given: JSON) -> None:
        assert_same(doors, tool, {**known(tool), **given})

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
    ("update_list", {"list": "Trip", "name": "Journey"}),
    ("update_list", {"list": "None", "archived": True}),
    ("delete_list", {"list": "Inbox"}),
    ("list_todos", {"list": "None"}),
    ("get_todo", {"todo_id": 999}),
    ("undo_change", {"change_id": 1}),
    ("undo_change", {"change_id": 1, "force": 1}),
    ("update_profile", {"time_zone": "Europe/Berlin"}),
    ("update_profile", {"time_zone": "Nowhere"}),
]


@pytest.mark.parametrize(
    ("token", "statuses"), [(AUTHORIZATION, {200, 201, 400, 404, 409}), (READER, {200, 400, 403, 404})]
)
def test_hostile_calls(doors: Doors, token: dict[str, str], statuses: set[int]) -> None:
    username = {"username": "kevin"} if token is AUTHORIZATION else {}
    found = {assert_same(doors, TOOLS[tool], {**username, **arguments}, token) for tool, arguments in HOSTILE}
    assert statuses <= found


@pytest.mark.parametrize(
    ("token", "status"),
    [(WRITER, 403), (EXPIRED, 401), (bearer("nonsense"), 401), ({}, 401)],
    ids=["writer", "expired", "unknown", "none"],
)
def test_tokens_that_are_not_for_it(doors: Doors, token: dict[str, str], status: int) -> None:
    assert {assert_same(doors, tool, known(tool) | {"username": "me"}, token) for tool in TOOLS.values()} >= {status}


@pytest.mark.parametrize("token", [AUTHORIZATION, READER, WRITER], ids=["service key", "reader", "writer"])
def test_whose_list(doors: Doors, token: dict[str, str]) -> None:
    for tool in TOOLS.values():
        for username in ("me", "kevin", "KEVIN", "anna"):
            assert_same(doors, tool, known(tool) | {"username": username}, token)


@each_tool
def test_over_the_limit(doors: Doors, tool: Tool) -> None:
    with doors.time_standing_still():
        statuses = [assert_same(doors, tool, known(tool)) for _ in range(BURST + 1)]
    assert 429 not in statuses[:BURST]
    assert statuses[BURST] == 429
