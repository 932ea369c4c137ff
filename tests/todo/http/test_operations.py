"""What follows from a contract, whatever it is about: routes, tokens, scopes, checks, defaults, limits, refusals."""

import asyncio
from copy import deepcopy
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from starlette.testclient import TestClient

from tests.library import LIBRARY, SCOPES, URL, Reader, app, compiled
from todo.contract import Contract
from todo.errors import InvalidRequest, RateLimited
from todo.errors.access import InsufficientScope
from todo.http.operations import NO_BODY
from todo.http.rate_limits import RateLimits
from todo.startup import CannotStart

JSON = dict[str, Any]
UNLIMITED = RateLimits(0, 0)
KEY = {"Authorization": "Bearer key"}
EMMA = {"title": "Emma"}
BOOKS, BOOK = "/shelves/anna/books", "/shelves/anna/books/7"
# Each operation, called so that it succeeds, and what its handler is given besides the shelf.
CALLS: dict[str, tuple[str, str, JSON | None, JSON]] = {
    "list_books": ("GET", BOOKS, None, {"genre": "novel", "limit": 10}),
    "add_book": ("POST", BOOKS, EMMA, {"body": EMMA}),
    "get_book": ("GET", BOOK, None, {"book_id": 7}),
    "replace_book": ("PUT", BOOK, EMMA, {"book_id": 7, "body": EMMA}),
    "update_book": ("PATCH", BOOK, {"subtitle": None}, {"book_id": 7, "body": {"subtitle": None}}),
    "delete_book": ("DELETE", BOOK, None, {"book_id": 7}),
    "lend_book": ("POST", f"{BOOK}/loan", None, {"book_id": 7, "body": {}}),
    "return_book": ("DELETE", f"{BOOK}/loan", None, {"book_id": 7}),
    "deliver_books": ("POST", "/shelves/anna/deliveries", {"books": [EMMA]}, {"body": {"books": [EMMA]}}),
    "weigh_books": ("GET", "/shelves/anna/weight", None, {}),
}
OPERATIONS = {operation.id: operation for operation in LIBRARY.operations}
SCOPED = [name for name, o in OPERATIONS.items() if any("reader" in alternative for alternative in o.spec["security"])]


@pytest.fixture(scope="module")
def library() -> TestClient:
    return TestClient(app(UNLIMITED), base_url=URL)


def ask(library: TestClient, name: str, **headers: str) -> httpx.Response:
    method, path, body, _ = CALLS[name]
    return library.request(method, path, json=body, headers=headers)


def errors(response: httpx.Response) -> dict[str, str]:
    assert response.status_code == 400, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    return {error["field"]: error["message"] for error in response.json()["errors"]}


def test_each_operation_is_here() -> None:
    assert list(CALLS) == list(OPERATIONS)


@pytest.mark.parametrize("name", CALLS)
def test_a_call_reaches_its_handler_with_what_the_contract_says(library: TestClient, name: str) -> None:
    response = ask(library, name, **KEY)
    assert response.status_code == (201 if name == "add_book" else 200)
    assert response.json() == {"username": "anna", "user": "house", **CALLS[name][3]}


class TestRoutes:
    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/shelves", 404),
            ("GET", "/todos/anna", 404),
            ("GET", "/shelves/anna/books/", 404),
            ("GET", "/shelves/anna/books/x", 404),
            ("GET", "/shelves/anna/books/07", 404),
            ("PUT", BOOKS, 405),
            ("GET", f"{BOOK}/loan", 405),
        ],
    )
    def test_what_is_not_in_the_contract(self, library: TestClient, method: str, path: str, status: int) -> None:
        response = library.request(method, path, headers=KEY)
        assert response.status_code == status
        assert status == 404 or response.headers["Allow"]

    def test_options_tell_the_methods_of_a_path(self, library: TestClient) -> None:
        assert library.options(BOOK).headers["Allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"


class TestSecurity:
    @pytest.mark.parametrize("name", CALLS)
    def test_nobody_calls_without_a_token(self, library: TestClient, name: str) -> None:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic key"}):
            response = ask(library, name, **headers)
            assert response.status_code == 401
            assert response.headers["WWW-Authenticate"].startswith("Bearer ")

    @pytest.mark.parametrize("name", SCOPED)
    def test_a_card_needs_each_scope_of_the_operation(self, library: TestClient, name: str) -> None:
        (needed,) = [each["reader"] for each in OPERATIONS[name].spec["security"] if "reader" in each]
        assert ask(library, name, Authorization=f"Bearer card:{'+'.join(needed)}").json()["user"] == "reader"
        for missing in needed:
            has = [scope for scope in SCOPES if scope != missing]
            response = ask(library, name, Authorization=f"Bearer card:{'+'.join(has)}")
            assert (response.status_code, response.json()["code"]) == (403, "insufficient_scope")

    def test_an_operation_takes_the_kinds_of_token_that_it_names(self, library: TestClient) -> None:
        for name in set(CALLS) - set(SCOPED):
            assert ask(library, name, Authorization=f"Bearer card:{'+'.join(SCOPES)}").status_code == 401


class TestParameters:
    @pytest.mark.parametrize(
        ("query", "given"),
        [
            ("genre=atlas&limit=50", {"genre": "atlas", "limit": 50}),
            ("from=1815", {"genre": "novel", "limit": 10, "from_": 1815}),
            ("lent=true", {"genre": "novel", "limit": 10, "lent": True}),
            ("lent=false", {"genre": "novel", "limit": 10, "lent": False}),
        ],
    )
    def test_are_read_as_their_types_with_defaults(self, library: TestClient, query: str, given: JSON) -> None:
        assert library.get(f"{BOOKS}?{query}", headers=KEY).json() == {"username": "anna", "user": "house", **given}

    @pytest.mark.parametrize(
        ("path", "field", "message"),
        [
            (f"{BOOKS}?genre=comic", "genre", "must be one of novel, poems, atlas"),
            (f"{BOOKS}?limit=51", "limit", "must be at most 50"),
            (f"{BOOKS}?limit=ten", "limit", "must be a whole number without quotation marks"),
            (f"{BOOKS}?limit=1&limit=2", "limit", "must be one value, given only once"),
            (f"{BOOKS}?lent=yes", "lent", "must be true or false without quotation marks"),
            (f"{BOOKS}?from=1449", "from", "must be at least 1450"),
            (
                f"{BOOKS}?gnere=atlas",
                "gnere",
                "is not known here (did you mean genre?); known are genre, from, lent, limit",
            ),
            ("/shelves/Anna/books", "username", "must have the form of this example: anna"),
            ("/shelves/annaannaa/books", "username", "must have at most 8 characters"),
            ("/shelves/anna/books/1000", "book_id", "must be at most 999 (list_books shows them)"),
        ],
    )
    def test_are_checked(self, library: TestClient, path: str, field: str, message: str) -> None:
        assert errors(library.get(path, headers=KEY)) == {field: message}

    def test_headers_are_checked(self, library: TestClient) -> None:
        told = errors(library.post(BOOKS, json={"title": "Emma"}, headers={**KEY, "Source": "a gift"}))
        assert told == {"Source": "must have at most 5 characters"}


class TestBodies:
    @pytest.mark.parametrize(
        ("body", "wrong"),
        [
            ({}, {"title": "is required; it must be text"}),
            ({"title": ""}, {"title": "must not be empty"}),
            ({"title": None}, {"title": "must be text"}),
            (
                {"title": "E\u200bmma"},
                {"title": "must not hold invisible characters: controls, bidirectional or zero-width ones"},
            ),
            ({"title": "Emma", "subtitle": 1}, {"subtitle": "must be text or null"}),
            ({"title": "Emma", "genre": "comic"}, {"genre": "must be one of novel, poems, atlas"}),
            ({"title": "Emma", "year": "1815"}, {"year": "must be a whole number without quotation marks"}),
            ({"title": "Emma", "authors": ["a", "b", "c"]}, {"authors": "must have at most 2 items"}),
            ({"title": "Emma", "authors": ["a", 1]}, {"authors.1": "must be text"}),
            (
                {"title": "Emma", "pages": 1},
                {"pages": "is not a known field; known fields are title, subtitle, genre, year, authors"},
            ),
            ([], {"body": 'must be an object, such as {"title":"Emma"}'}),
        ],
    )
    def test_each_wrong_field_is_named(self, library: TestClient, body: Any, wrong: JSON) -> None:
        assert errors(library.post(BOOKS, json=body, headers=KEY)) == wrong

    def test_all_wrong_fields_are_named_at_once(self, library: TestClient) -> None:
        body = {"books": [{"title": "A"}, {"genre": "comic", "year": 0}]}
        told = errors(library.post("/shelves/anna/deliveries", json=body, headers=KEY))
        assert told.keys() == {"books.1.title", "books.1.genre", "books.1.year"}

    def test_a_whole_number_may_have_a_point(self, library: TestClient) -> None:
        given = library.post(BOOKS, json={"title": "Emma", "year": 1815.0}, headers=KEY).json()["body"]
        assert str(given["year"]) == "1815"

    def test_must_come_where_it_is_required(self, library: TestClient) -> None:
        assert errors(library.post(BOOKS, headers=KEY)) == {"body": "is required"}
        assert errors(library.patch(BOOK, json={}, headers=KEY)).keys() == {"body"}

    def test_is_json_alone(self, library: TestClient) -> None:
        response = library.post(BOOKS, content="<book/>", headers={**KEY, "Content-Type": "text/xml"})
        assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


class TestLimits:
    def test_reads_and_writes_are_counted_apart_and_by_shelf(self) -> None:
        client = TestClient(app(RateLimits(10, 10)), base_url=URL, headers=KEY)
        assert [client.get(BOOK).status_code for _ in range(2)] == [200, 429]
        assert client.delete(BOOK).status_code == 200
        assert client.get("/shelves/emil/books/7").status_code == 200
        refused = client.get(BOOK)
        assert refused.headers["RateLimit-Policy"].startswith('"reads";q=10')

    def test_a_list_counts_as_its_items(self) -> None:
        limits = RateLimits(0, 30)

        async def deliver(count: int) -> bool:
            call = compiled(limits)[OPERATIONS["deliver_books"]].call
            try:
                await call(Reader("house"), SCOPES, {"username": "anna"}, {}, {"books": [{"title": "A"}] * count})
            except RateLimited:
                return False
            return True

        # Three are allowed at once, and what goes beyond that is paid for by waiting.
        assert [asyncio.run(deliver(count)) for count in (1, 3, 1)] == [True, True, False]


class TestCalls:
    """A call without HTTP, as a tool makes it."""

    @pytest.mark.parametrize("name", CALLS)
    def test_answers_what_http_does(self, library: TestClient, name: str) -> None:
        _, path, body, _ = CALLS[name]
        where = {"username": "anna", **({"book_id": 7} if "/7" in path else {})}
        call = compiled(UNLIMITED)[OPERATIONS[name]].call(
            Reader("house"), SCOPES, where, {}, NO_BODY if body is None else body
        )
        response, over_http = asyncio.run(call), ask(library, name, **KEY)
        assert (response.status_code, response.body) == (over_http.status_code, over_http.content)

    def test_is_checked_as_http_is(self) -> None:
        operations = compiled(UNLIMITED)

        def call(name: str, scopes: list[str], **where: Any) -> Any:
            return asyncio.run(operations[OPERATIONS[name]].call(Reader("r", "card"), scopes, where, {}, NO_BODY))

        with pytest.raises(InsufficientScope):
            call("lend_book", ["books:read"], username="anna", book_id=7)
        with pytest.raises(InvalidRequest) as refused:
            call("get_book", SCOPES, username="Anna", book_id=0)
        assert [error["field"] for error in refused.value.members["errors"]] == ["username", "book_id"]


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"security": []}, "security is empty: name who may call it"),
        ({"security": [{"key": [], "reader": []}]}, "each alternative of security must name one scheme"),
        ({"parameters": []}, "book_id, username of the path is not a parameter"),
        ({"operationId": "weigh_book"}, "its handler does not take what the contract passes: book_id, user, username"),
    ],
)
def test_a_mistake_stops_the_start_with_file_line_and_operation(tmp_path: Path, change: JSON, wrong: str) -> None:
    document = deepcopy(LIBRARY.document)
    document["paths"]["/shelves/{username}/books/{book_id}"]["get"] |= change
    (tmp_path / "library.yaml").write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
    with pytest.raises(CannotStart, match=rf"spec/library.yaml, line \d+, \w+_book: .*{wrong}"):
        compiled(UNLIMITED, Contract(tmp_path / "library.yaml"))
