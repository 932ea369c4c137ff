"""The tools of a contract, whatever it is about: names, schemas, hints, and where an argument goes."""

from typing import Any

import pytest

from tests.library import LIBRARY
from todo.http.operations import NO_BODY
from todo.mcp.tools import tools_of

JSON = dict[str, Any]
TOOLS = tools_of(LIBRARY)


def schema(tool: str, *, for_service: bool = False) -> JSON:
    return dict(TOOLS[tool].definition(for_service=for_service)["inputSchema"])


def test_a_tool_for_each_operation_by_its_name() -> None:
    names = [operation.id for operation in LIBRARY.operations]
    assert names[-1] == "weigh_books"  # which is deprecated
    assert list(TOOLS) == [{"return_book": "bring_back"}.get(name, name) for name in names[:-1]]


def test_what_a_model_is_told_of_each_argument() -> None:
    told = schema("list_books")["properties"]
    assert told["genre"] == {"enum": ["novel", "poems", "atlas"], "default": "novel", "description": "Of this kind."}
    assert told["limit"] == {"type": "integer", "default": 10, "description": "Up to 50."}
    assert told["lent"] == {"type": "boolean", "description": "Whether they are lent."}
    told = schema("add_book")["properties"]
    assert told["subtitle"] == {"type": "string", "description": "The second line."}
    assert told["authors"] == {"type": "array", "description": "Who wrote it.", "items": {"type": "string"}}
    assert "Source" not in told  # a header


def test_what_is_told_elsewhere_has_its_type_alone() -> None:
    assert schema("lend_book")["properties"]["request_id"] == {"type": "string"}
    (books,) = schema("deliver_books")["properties"].values()
    assert books["items"]["properties"]["genre"] == books["items"]["properties"]["subtitle"] == {"type": "string"}
    assert books["items"]["required"] == ["title"]


@pytest.mark.parametrize(
    ("tool", "required"),
    [("list_books", []), ("add_book", ["title"]), ("get_book", ["book_id"]), ("lend_book", ["book_id"])],
)
def test_what_is_required(tool: str, required: list[str]) -> None:
    assert schema(tool).get("required", []) == required
    assert schema(tool, for_service=True)["required"] == ["username", *required]


@pytest.mark.parametrize(
    ("tool", "reads", "destroys", "repeats"),
    [
        ("list_books", True, False, True),
        ("add_book", False, False, False),
        ("replace_book", False, True, True),
        ("update_book", False, False, True),
        ("delete_book", False, True, True),
        ("lend_book", False, False, True),
        ("bring_back", False, False, True),
        ("deliver_books", False, True, False),
    ],
)
def test_hints(tool: str, reads: bool, destroys: bool, repeats: bool) -> None:
    hints = TOOLS[tool].definition(for_service=False)["annotations"]
    assert [hints[name] for name in ("readOnlyHint", "destructiveHint", "idempotentHint")] == [reads, destroys, repeats]


def test_what_an_answer_has() -> None:
    more = {"additionalProperties": True, "type": "object"}
    assert TOOLS["get_book"].definition(for_service=False)["outputSchema"] == {"required": ["id", "title"], **more}
    books = {"type": "array", "items": {"type": "object", "required": ["id", "title"]}}
    told = TOOLS["list_books"].definition(for_service=False)["outputSchema"]
    assert told == {"required": ["books", "returned"], "properties": {"books": books}, **more}


def test_security_schemes_name_the_scopes_of_people() -> None:
    for_people = TOOLS["lend_book"].definition(for_service=False)["_meta"]["securitySchemes"]
    assert for_people == [{"type": "oauth2", "scopes": ["books:read", "books:write"]}]
    assert TOOLS["delete_book"].definition(for_service=False)["_meta"]["securitySchemes"] == []
    assert "_meta" not in TOOLS["lend_book"].definition(for_service=True)


@pytest.mark.parametrize(
    ("tool", "arguments", "path", "query", "body"),
    [
        ("list_books", {"genre": "atlas", "from": "1815"}, {}, {"genre": "atlas", "from": 1815}, NO_BODY),
        ("list_books", {"lent": False, "limit": 5.0, "genre": None}, {}, {"lent": False, "limit": 5}, NO_BODY),
        ("get_book", {"book_id": "7"}, {"book_id": 7}, {}, NO_BODY),
        ("get_book", {"book_id": [7], "colour": "red"}, {"book_id": [7]}, {"colour": "red"}, NO_BODY),
        ("lend_book", {"book_id": 7}, {"book_id": 7}, {}, NO_BODY),
        ("lend_book", {"book_id": 7, "days": 3}, {"book_id": 7}, {}, {"days": 3}),
        ("update_book", {"book_id": 7}, {"book_id": 7}, {}, {}),
        ("add_book", {"title": "Emma", "pages": 1}, {}, {}, {"title": "Emma", "pages": 1}),
    ],
)
def test_where_an_argument_goes(tool: str, arguments: JSON, path: JSON, query: JSON, body: Any) -> None:
    call = TOOLS[tool].call(arguments, username="anna")
    assert (call.path, call.query) == ({"username": "anna", **path}, query)
    assert call.body is body if body is NO_BODY else call.body == body
