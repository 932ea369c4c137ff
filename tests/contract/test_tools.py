"""The tools are the contract: none more, none less, each as hosts and models need it, and all within a budget."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import orjson
import pytest
import yaml
from openapi_schema_validator import OAS30Validator

from evals import tokens
from tests.contract.test_undo import WRITES
from tests.handlers.test_todos import add
from tests.hosts import ERAS, NEWER, OLDER, call, done, send, tools
from tests.people import Client, Person, bearer
from tests.resolved import resolved
from todo.contract import API, Contract, Operation
from todo.domain.actions import EDITS
from todo.mcp.tools import tools_of

JSON = dict[str, Any]

TOOLS = tools_of(API)
HINTS = {"readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"}
# In o200k, on average of all tools and, as if they were one more, the instructions. Each tool more brings its own room,
# as a host that lets people choose tools sends those alone; no host limits more than a definition, to 5,000 tokens.
TOKENS_PER_TOOL = 240
# The leanest servers for to-dos by others cost 4,983 tokens with 36 tools, and 7,273 with 39.
MOST_TOKENS = 7_000
MAX_CHARACTERS_OF_INSTRUCTIONS = 1_000  # 250 tokens
MOST_CHARACTERS_OF_20 = 3_500  # 1,100 tokens, at 3.2 characters
# Everything that a host shows a model may fall behind this.
ESSENTIAL = 512

# Parameters of list_todos that say which to-dos, and not which page of them.
FILTERS = [
    parameter
    for parameter in API.parameters(TOOLS["list_todos"].operation, "query")
    if parameter["name"] not in ("sort", "limit", "cursor")
]
RESOLVED = resolved(API)["paths"]
# Arguments that do something in a list as `filled` makes it.
READS: dict[str, JSON] = {
    "list_todos": {"status": "all", "sort": "due", "limit": 2, "q": "a"},
    "get_todo": {"todo_id": 1},
    "list_changes": {"from": "2020-01-01", "limit": 1},
    "get_profile": {},
    "search_todos": {"query": "a"},
    "fetch_todo": {"id": "1"},
}
DESTRUCTIVE = {
    "delete_todo",
    "change_todos",
    "change_matching_todos",
    "share_todo",
    "delete_list",
}
NOT_IDEMPOTENT = {
    "add_todo",
    "change_todos",
    "change_matching_todos",
    "undo_change",
}
IN_PATHS: dict[str, JSON] = {
    "todo_id": {"complete_todo": 2, "reopen_todo": 3},
    "change_id": {"undo_change": 6},
    "list": dict.fromkeys(("update_list", "delete_list"), "Trip"),
}


def arguments(operation: Operation) -> JSON:
    """Returns arguments for a call, for a write those that test_undo has for it."""
    if operation.id in READS:
        return READS[operation.id]
    body = {key: value for key, value in WRITES[operation.id][1].items() if value is not None}
    in_path = [p["name"] for p in API.parameters(operation, "path") if p["name"] != "username"]
    return {**{name: IN_PATHS[name].get(operation.id, 1) for name in in_path}, **body}


@pytest.fixture
def filled(client: httpx.Client, name: str) -> str:
    add(client, name, "a", notes="n")
    add(client, name, "b", due="2026-11-27", repeat="FREQ=DAILY")
    add(client, name, "c")
    add(client, name, "d", tags=["t"], steps=["s", "t"])
    add(client, name, "e", list="Trip", create_list=True)
    client.post(f"/todos/{name}/3/complete")
    client.delete(f"/todos/{name}/4")
    return name


def walk(node: Any) -> Any:
    yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from walk(child)


each_tool = pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
for_whom = pytest.mark.parametrize("for_service", [True, False], ids=["service key", "user"])


# Which there are.


@pytest.mark.parametrize("era", ERAS)
def test_tools_are_the_operations_that_are_not_deprecated(client: httpx.Client, era: str) -> None:
    used = [operation for operation in API.operations if not operation.spec.get("deprecated")]
    expected = [{"search_todos": "search", "fetch_todo": "fetch"}.get(operation.id, operation.id) for operation in used]
    assert [tool["name"] for tool in tools(client, era)] == expected
    assert len(expected) == len(API.operations) - 1


def test_an_operation_more_is_a_tool_more(tmp_path: Path) -> None:
    document = deepcopy(API.document)
    operation = deepcopy(document["paths"]["/todos/{username}/{todo_id}/complete"]["post"])
    operation |= {"operationId": "postpone_todo", "summary": "Postpone a to-do", "x-idempotent": False}
    operation["requestBody"] = {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/TodoUpdate"}}},
    }
    document["paths"]["/todos/{username}/{todo_id}/postpone"] = {"post": operation}
    file = tmp_path / "openapi.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    found = tools_of(Contract(file))
    assert found.keys() - TOOLS.keys() == {"postpone_todo"}
    definition = found["postpone_todo"].definition(for_service=True)
    assert definition["title"] == "Postpone a to-do"
    assert definition["inputSchema"]["required"] == ["username", "todo_id"]
    assert definition["annotations"]["idempotentHint"] is False
    asked = found["postpone_todo"].call({"username": "kevin", "todo_id": 3, "due": "2026-11-30"})
    assert (asked.path, asked.body) == ({"username": "kevin", "todo_id": 3}, {"due": "2026-11-30"})


def test_two_things_of_one_name_stop_the_start(tmp_path: Path) -> None:
    text = API.text.replace("      name: todo_id\n", "      name: todo\n").replace("{todo_id}", "{todo}")
    (tmp_path / "openapi.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="update_todo: two of its parameters"):
        tools_of(Contract(tmp_path / "openapi.yaml"))


# What each says.


@each_tool
@for_whom
def test_definition_suits_every_host(tool: Any, for_service: bool) -> None:
    definition = tool.definition(for_service=for_service)
    schema = definition["inputSchema"]
    for node in walk([schema, definition["outputSchema"]]):
        if isinstance(node, dict):
            assert not {"$ref", "anyOf", "oneOf", "allOf", "nullable"} & node.keys()
            assert not isinstance(node.get("type"), list)
        assert node is not None
    for each in (schema, definition["outputSchema"]):
        assert each["type"] == "object"
        jsonschema.Draft202012Validator.check_schema(each)
    assert set(schema.get("required", [])) <= schema["properties"].keys()
    assert ("username" in schema["properties"]) == for_service
    assert ("username" in schema.get("required", [])) == for_service
    assert definition["title"]
    assert definition["description"]
    assert definition["annotations"].keys() == HINTS
    assert all(isinstance(hint, bool) for hint in definition["annotations"].values())


@each_tool
def test_every_parameter_is_there_but_headers(tool: Any) -> None:
    description = RESOLVED[tool.operation.path][tool.operation.method.lower()]
    names = {parameter["name"] for parameter in description["parameters"] if parameter["in"] != "header"}
    body = description.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    names |= body.get("properties", {}).keys()
    assert tool.definition(for_service=True)["inputSchema"]["properties"].keys() == names


@each_tool
def test_output_schema_names_what_every_answer_has(tool: Any) -> None:
    responses = RESOLVED[tool.operation.path][tool.operation.method.lower()]["responses"]
    success = next(response for status, response in responses.items() if status < "300")
    answer = success["content"]["application/json"]["schema"]
    told = tool.definition(for_service=False)["outputSchema"]
    assert told["required"] == answer["required"]
    # Typed clients drop what is not named, unless they are told that there is more.
    assert told["additionalProperties"] is True
    lists = {name: field for name in answer["required"] if "items" in (field := answer["properties"][name])}
    assert told.get("properties", {}).keys() == lists.keys()
    for name, field in lists.items():
        kept = {key: field["items"][key] for key in ("type", "required") if key in field["items"]}
        assert told["properties"][name] == {"type": "array", "items": kept}


def test_a_model_sees_the_words_that_a_field_takes() -> None:
    found = TOOLS["list_todos"].definition(for_service=False)["inputSchema"]["properties"]
    assert found["status"]["enum"] == ["open", "done", "all", "deleted"]
    assert found["priority"]["enum"] == API.enum("Priority")
    added = TOOLS["add_todo"].definition(for_service=False)["inputSchema"]["properties"]
    assert added["priority"]["enum"] == API.enum("Priority")


def test_what_other_tools_tell_has_its_type_alone() -> None:
    fields = TOOLS["change_matching_todos"].definition(for_service=False)["inputSchema"]["properties"]
    texts = {"type": "array", "items": {"type": "string"}}
    assert fields["due"] == fields["priority"] == fields["list"] == {"type": "string"}
    assert fields["add_tags"] == fields["clear"] == texts
    assert fields["create_list"] == {"type": "boolean"}
    found = fields["filter"]["properties"]
    assert found.keys() == {parameter["name"] for parameter in FILTERS}
    assert found["status"] == {"type": "string"}
    assert found["when"] == {"enum": API.enum("When")}


@each_tool
def test_hints_fit_the_method_and_the_contract(tool: Any) -> None:
    hints = tool.definition(for_service=False)["annotations"]
    assert hints["readOnlyHint"] == (tool.operation.method == "GET")
    assert hints["destructiveHint"] == (tool.name in DESTRUCTIVE)
    assert hints["idempotentHint"] == (tool.name not in NOT_IDEMPOTENT)
    assert hints["openWorldHint"] is False


@each_tool
def test_security_schemes_are_those_of_the_operation(tool: Any) -> None:
    (scheme,) = tool.definition(for_service=False)["_meta"]["securitySchemes"]
    (oauth,) = [each["oauth"] for each in tool.operation.spec["security"] if "oauth" in each]
    assert scheme == {"type": "oauth2", "scopes": oauth}


# What a call is, and what it answers.


@each_tool
@pytest.mark.parametrize("era", [OLDER, NEWER])
def test_call_does_what_the_request_does(client: httpx.Client, filled: str, tool: Any, era: str) -> None:
    given = arguments(tool.operation)
    definition = tool.definition(for_service=True)
    jsonschema.Draft202012Validator(definition["inputSchema"]).validate({"username": filled, **given})
    answer = done(client, tool.name, era, username=filled, **given)
    jsonschema.Draft202012Validator(definition["outputSchema"]).validate(answer)
    assert set(definition["outputSchema"]["required"]) <= answer.keys()
    responses = RESOLVED[tool.operation.path][tool.operation.method.lower()]["responses"]
    success = next(response for status, response in responses.items() if status < "300")
    OAS30Validator(success["content"]["application/json"]["schema"]).validate(answer)


def test_an_example_of_the_contract_fits_the_tools_own_schema() -> None:
    for tool in TOOLS.values():
        schema = tool.definition(for_service=False)["inputSchema"]
        if "requestBody" in tool.operation.spec:
            body = API.resolve(tool.operation.spec["requestBody"])["content"]["application/json"]["schema"]
            example = API.resolve(body)["example"]
            jsonschema.Draft202012Validator({**schema, "required": []}).validate(example)


@pytest.mark.parametrize("era", [OLDER, NEWER])
@pytest.mark.parametrize(
    ("tool", "given", "field"),
    [
        ("get_todo", {}, "todo_id"),
        ("get_todo", {"todo_id": "x"}, "todo_id"),
        ("get_todo", {"todo_id": 1.5}, "todo_id"),
        ("get_todo", {"todo_id": True}, "todo_id"),
        ("get_todo", {"todo_id": [1]}, "todo_id"),
        ("get_todo", {"todo_id": -1}, "todo_id"),
        ("get_todo", {"todo_id": 10**30}, "todo_id"),
        ("get_todo", {"todo_id": "1/complete"}, "todo_id"),
        ("get_todo", {"todo_id": 1, "colour": "red"}, "colour"),
        ("get_todo", {"todo_id": 1, "username": None}, "username"),
        ("get_todo", {"todo_id": 1, "username": "../x"}, "username"),
        ("get_todo", {"todo_id": 1, "username": "a b"}, "username"),
        ("list_todos", {"limit": 101}, "limit"),
        ("list_todos", {"limit": [5]}, "limit"),
        ("list_todos", {"status": {"is": "open"}}, "status"),
        ("list_todos", {"colour": "red"}, "colour"),
        ("add_todo", {}, "todo"),
        ("add_todo", {"todo": ""}, "todo"),
        ("add_todo", {"todo": "a", "due": "tomorrow"}, "due"),
        ("add_todo", {"todo": 10**30}, "todo"),
        ("add_todo", {"todo": "a", "colour": "red"}, "colour"),
        ("update_todo", {"todo_id": 1, "clear": ["todo"]}, "clear.0"),
        ("update_todo", {"todo_id": 1, "clear": ["due"], "due": "2026-11-27"}, "clear"),
        ("complete_todo", {"todo_id": 1, "if_version": "x"}, "if_version"),
        ("update_todo", {"todo_id": 1, "steps": ["a"], "check_steps": [1]}, "steps"),
        ("update_todo", {"todo_id": 1, "check_steps": ["a"]}, "check_steps.0"),
        ("change_todos", {"actions": []}, "actions"),
        ("search", {}, "query"),
    ],
)
def test_wrong_arguments_are_named(
    client: httpx.Client, filled: str, era: str, tool: str, given: JSON, field: str
) -> None:
    result = call(client, tool, era, **{"username": filled, **given})
    assert result["isError"]
    problem = orjson.loads(result["content"][0]["text"])
    assert (problem["status"], problem["code"]) == (400, "invalid_request")
    assert field in [error["field"] for error in problem["errors"]]
    assert problem["hint"]


@pytest.mark.parametrize("era", [OLDER, NEWER])
def test_an_argument_may_come_under_its_other_name(client: httpx.Client, filled: str, era: str) -> None:
    assert done(client, "get_todo", era, username=filled, id=1)["todo"] == "a"
    assert done(client, "fetch", era, username=filled, todo_id=1)["title"] == "a"
    assert done(client, "list_todos", era, username=filled, query="b")["total"] == 1
    assert len(done(client, "search", era, username=filled, q="b")["results"]) == 1
    assert done(client, "update_todo", era, username=filled, id=1, notes=era)["notes"] == era
    actions = [{"action": "complete", "todo_id": 1}, {"action": "reopen", "todo_id": 1.0}]
    assert [todo["id"] for todo in done(client, "change_todos", era, username=filled, actions=actions)["todos"]] == [
        1,
        1,
    ]


@pytest.mark.parametrize(
    ("tool", "given", "field", "message"),
    [
        ("get_todo", {"id": 1, "todo_id": 1}, "id", "it is another name of todo_id; send one of them"),
        ("list_todos", {"q": "a", "query": "a"}, "query", "it is another name of q; send one of them"),
        ("search", {"q": "a", "query": "a"}, "q", "it is another name of query; send one of them"),
        (
            "change_todos",
            {"actions": [{"action": "complete", "id": 1, "todo_id": 1}]},
            "actions.0.todo_id",
            "it is another name of id; send one of them",
        ),
        ("get_todo", {}, "todo_id", "list_todos shows the ids"),
        ("get_todo", {"index": 0}, "index", "did you mean todo_id?"),
        ("get_todo", {"todo_id": 0}, "todo_id", "not positions in the list"),
        ("undo_change", {"id": 1}, "change_id", "list_changes shows the ids"),
        ("change_todos", {"todos": []}, "todos", "did you mean actions?"),
        ("change_todos", {"actions": [{"type": "add"}]}, "actions.0.action", "one of add, update, complete"),
        ("change_todos", {"actions": [{"action": "complete", "id": "1"}]}, "actions.0.id", "without quotation marks"),
        ("change_todos", {"actions": "[]"}, "actions", 'must be a list of objects, such as [{"action":"add"'),
        ("add_todo", {"todo": "a", "priority": 1}, "priority", "must be one of none, low, medium, high (a word"),
        ("add_todo", {"todo": "a", "repeat": "weekly"}, "repeat", "BYSETPOS and FROM=COMPLETION"),
        ("add_todo", {"title": "a"}, "title", "did you mean todo?"),
        ("list_todos", {"status": "completed"}, "status", "must be one of open, done, all, deleted"),
        ("list_todos", {"due_to": "2026-11-27T18:00Z"}, "due_to", "but no Z or offset"),
        ("list_todos", {"search": "a"}, "search", "did you mean q?"),
        ("list_todos", {"limt": 5}, "limt", "did you mean limit?"),
        (
            "update_todo",
            {"todo_id": 1, "status": "done"},
            "status",
            "leave it out, and use complete_todo or reopen_todo",
        ),
        ("add_todo", {"todo": "a\nb"}, "todo", "one line that is not blank; more goes into notes"),
        ("add_todo", {"todo": "a", "due": {"date": "2026-11-27"}}, "due", "such as 2026-11-27,"),
        (
            "change_todos",
            {"actions": [{"action": "complete"}]},
            "actions.0.id",
            "is required for complete (list_todos shows",
        ),
        ("list_changes", {"from": "yesterday"}, "from", "2026-11-22 (it is a date that exists)"),
        ("list_todos", {"cursor": "abc"}, "cursor", "leave it out for the first page"),
        ("share_todo", {"todo_id": 1, "url_until": "2020-01-01"}, "url_until", "the earliest is today, 2"),
        ("update_todo", {"todo_id": 1}, "body", "fields are todo, notes"),
        ("update_todo", {"todo_id": 1, "tags": "home"}, "tags", 'must be a list of texts, such as ["home"]'),
        ("update_profile", {"timezone": "UTC"}, "timezone", "did you mean time_zone?"),
    ],
)
def test_a_refusal_tells_the_cure(
    client: httpx.Client, filled: str, tool: str, given: JSON, field: str, message: str
) -> None:
    problem = orjson.loads(call(client, tool, username=filled, **given)["content"][0]["text"])
    told = {error["field"]: error["message"] for error in problem["errors"]}
    assert message in told[field]


def test_a_number_may_come_as_text(client: httpx.Client, filled: str) -> None:
    assert done(client, "get_todo", username=filled, todo_id="1")["todo"] == "a"
    assert done(client, "list_todos", username=filled, limit="1")["returned"] == 1


@pytest.mark.parametrize("era", ERAS)
def test_null_is_what_is_not_there(client: httpx.Client, filled: str, era: str) -> None:
    assert done(client, "list_todos", era, username=filled, q=None, tag=None, limit=None)["total"] == 3
    unset = dict.fromkeys(("notes", "due", "priority", "tags", "repeat", "steps", "list", "request_id"))
    added = done(client, "add_todo", era, username=filled, todo="z", **unset)
    never = {"clear": None, "if_version": None, **dict.fromkeys(EDITS)}
    todo = {"notes": "n", "due": "2026-11-27", "priority": "high", "tags": ["x"], "repeat": "FREQ=DAILY"}
    todo["steps"] = [{"text": "s", "done": True}]
    done(client, "update_todo", era, username=filled, todo_id=added["id"], **todo)
    unset.pop("request_id")
    actions = [{"action": "update", "id": added["id"], "todo": "y", **unset, **never}]
    done(client, "change_todos", era, username=filled, actions=actions, request_id=None)
    changed = done(client, "update_todo", era, username=filled, todo_id=added["id"], **{**unset, **never, "todo": "x"})
    assert changed.items() >= {**todo, "todo": "x", "version": 4}.items()
    assert done(client, "complete_todo", era, username=filled, todo_id=added["id"], if_version=None)["status"] == "done"


def test_null_in_a_list_is_not_left_out(client: httpx.Client, filled: str) -> None:
    # Without it `tags` would be empty, which clears them.
    result = call(client, "update_todo", username=filled, todo_id=1, tags=[None])
    (error,) = orjson.loads(result["content"][0]["text"])["errors"]
    assert error["field"] == "tags.0"
    assert error["message"].startswith("must be text")


def test_only_null_changes_nothing(client: httpx.Client, filled: str) -> None:
    result = call(client, "update_todo", username=filled, todo_id=1, notes=None)
    (error,) = orjson.loads(result["content"][0]["text"])["errors"]
    assert error["field"] == "body"
    assert error["message"].startswith("must not be empty; fields are todo, notes, ")
    assert done(client, "get_todo", username=filled, todo_id=1)["notes"] == "n"


def test_username_that_is_null_is_the_persons_own(client: httpx.Client, person: Person) -> None:
    headers = bearer(Client.registered(person.browser).connect(person)["access_token"])
    asked = {"name": "list_todos", "arguments": {"username": None, "limit": 1.0}}
    assert not send(client, "tools/call", asked, **headers).json()["result"]["isError"]


@pytest.mark.parametrize("era", ERAS)
def test_numbers_without_a_fraction_are_whole(client: httpx.Client, filled: str, era: str) -> None:
    assert done(client, "get_todo", era, username=filled, todo_id=1.0)["todo"] == "a"
    assert done(client, "list_todos", era, username=filled, limit=1.0)["returned"] == 1
    actions = [{"action": "update", "id": 1.0, "notes": era, "if_version": 1.0}]
    changed = done(client, "change_todos", era, username=filled, actions=actions)
    assert orjson.dumps([changed["todos"][0]["id"], changed["todos"][0]["version"]]) == b"[1,2]"
    assert done(client, "complete_todo", era, username=filled, todo_id=1.0, if_version=2.0)["version"] == 3


def test_clear_empties_fields(client: httpx.Client, filled: str) -> None:
    done(client, "update_todo", username=filled, todo_id=1, due="2026-11-27", tags=["x"], priority="high")
    cleared = done(client, "update_todo", username=filled, todo_id=1, clear=["due", "tags", "priority", "notes"])
    assert not {"due", "tags", "priority", "notes"} & cleared.keys()
    done(client, "change_todos", username=filled, actions=[{"action": "update", "id": 2, "clear": ["repeat", "due"]}])
    assert not {"repeat", "due"} & done(client, "get_todo", username=filled, todo_id=2).keys()
    problem = client.post(
        f"/todos/{filled}/changes", json={"actions": [{"action": "add", "todo": "x", "clear": ["due"]}]}
    )
    assert problem.json()["errors"] == [{"field": "actions.0.clear", "message": "does not apply to add; leave it out"}]


def test_steps_are_texts_and_one_line_each(client: httpx.Client, name: str) -> None:
    """Hosts see a list of text, also where an object or a number may stand."""
    texts = {"type": "array", "items": {"type": "string"}}
    fields = TOOLS["update_todo"].definition(for_service=False)["inputSchema"]["properties"]
    actions = TOOLS["change_todos"].definition(for_service=False)["inputSchema"]["properties"]["actions"]
    for field in ("steps", *EDITS):
        assert {key: fields[field][key] for key in texts} == actions["items"]["properties"][field] == texts
    done(client, "add_todo", username=name, todo="Shopping", steps=["Eggs", {"text": "Milk", "done": True}])
    given = {"check_steps": ["1"], "uncheck_steps": [2.0], "add_steps": ["Tea"], "add_tags": ["x"]}
    changed = done(client, "update_todo", username=name, todo_id=1, **given)
    assert [(step["text"], step["done"]) for step in changed["steps"]] == [
        ("Eggs", True),
        ("Milk", False),
        ("Tea", False),
    ]
    completed = done(client, "complete_todo", username=name, todo_id=1)
    assert (completed["open_steps"], completed["tags"]) == (2, ["x"])
    assert "steps" not in done(client, "update_todo", username=name, todo_id=1, clear=["steps"])


# What it costs.


@for_whom
def test_tools_and_instructions_stay_within_the_budget(for_service: bool, client: httpx.Client, person: Person) -> None:
    headers = {} if for_service else bearer(Client.registered(person.browser).connect(person)["access_token"])
    for era in (OLDER, NEWER):
        listed = send(client, "tools/list", era=era, **headers).json()["result"]["tools"]
        instructions = API.document["info"]["x-mcp"]["instructions"]
        cost = tokens.count(orjson.dumps({"tools": listed}).decode()) + tokens.count(instructions)
        assert cost <= min(TOKENS_PER_TOOL * (len(listed) + 1), MOST_TOKENS)


def test_instructions_are_short_and_begin_with_the_essential() -> None:
    instructions = API.document["info"]["x-mcp"]["instructions"]
    assert len(instructions) <= MAX_CHARACTERS_OF_INSTRUCTIONS
    for word in ("today", "UTC", "complete_todo", "change_todos", "undo_change"):
        assert word in instructions[:ESSENTIAL]


def ordinary_todos() -> list[JSON]:
    """Returns twenty to-dos as people have them."""
    texts = [
        *("Buy milk", "Call the dentist about Thursday", "Pay the electricity bill", "Water the plants"),
        *("Finish the quarterly report", "Book flights to Lisbon", "Renew passport", "Send Anna the photos"),
        *("Clean the kitchen", "Prepare slides for Monday", "Return library books", "Fix the bike"),
        *("Order printer ink", "Plan birthday party for Tom", "Read chapter 4", "Email the landlord"),
        *("Take out the recycling", "Buy a present for mum", "Schedule car service", "Review pull request"),
    ]
    todos: list[JSON] = []
    for number, text in enumerate(texts):
        todo: JSON = {"action": "add", "todo": text}
        todo |= {"due": f"2026-11-{20 + number % 8}T18:00"} if number % 4 == 0 else {}
        todo |= {"due": f"2026-11-{20 + number % 8}"} if number % 4 == 2 else {}
        todo |= {"priority": "high"} if number % 3 == 0 else {}
        todo |= {"tags": ["home"]} if number % 2 == 0 else {}
        todo |= {"notes": "the oat one"} if number % 7 == 3 else {}
        todo |= {"repeat": "FREQ=WEEKLY"} if number in (8, 16) else {}
        todos.append(todo)
    return todos


def test_twenty_ordinary_todos_stay_within_the_budget(client: httpx.Client, name: str) -> None:
    done(client, "change_todos", username=name, actions=ordinary_todos())
    text = call(client, "list_todos", username=name)["content"][0]["text"]
    assert orjson.loads(text)["returned"] == 20
    assert len(text) <= MOST_CHARACTERS_OF_20
    assert "created_at" not in text


def test_the_longest_pages_stay_below_what_hosts_take(client: httpx.Client, name: str) -> None:
    # A backslash is the letter that costs most: two characters in JSON, and four in JSON that stands in JSON.
    for _ in range(4):
        actions = [{"action": "add", "todo": "\\" * 500, "notes": "\\" * 4000} for _ in range(6)]
        done(client, "change_todos", username=name, actions=actions)
    for tool, given in (
        ("list_todos", {"limit": 100}),
        ("list_changes", {"limit": 100}),
        ("search", {"query": "\\"}),
        ("get_todo", {"todo_id": 1}),
        ("fetch", {"id": "1"}),
    ):
        text = call(client, tool, username=name, **given)["content"][0]["text"]
        assert len(text) < 60_000, tool
