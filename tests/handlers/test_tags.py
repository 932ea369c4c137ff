"""Tags one by one: added and removed without sending the others back."""

from typing import Any

import httpx
import pytest

from tests.handlers.test_todos import add, problem, texts

JSON = dict[str, Any]


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        ({"add_tags": [" shop ", "HOME", "shop"]}, ["Home", "work", "shop"]),
        ({"remove_tags": ["ＨＯＭＥ", "never there"]}, ["work"]),
        ({"remove_tags": ["home"], "add_tags": ["house"]}, ["work", "house"]),
        ({"remove_tags": ["home"], "add_tags": ["home"]}, ["work", "home"]),
        ({"remove_tags": ["home", "Work"]}, []),
        ({"remove_tags": [], "add_tags": []}, ["Home", "work"]),
    ],
)
def test_edits(client: httpx.Client, name: str, edits: JSON, expected: list[str]) -> None:
    add(client, name, tags=["Home", "work"])
    assert client.patch(f"/todos/{name}/1", json=edits).json().get("tags", []) == expected
    assert texts(client, name, tag="home") == (["Buy milk"] if {"Home", "home"} & {*expected} else [])
    assert texts(client, name, tag="house") == (["Buy milk"] if "house" in expected else [])


def test_what_is_so_already_is_no_new_version(client: httpx.Client, name: str) -> None:
    before = add(client, name, tags=["Home"])
    assert client.patch(f"/todos/{name}/1", json={"add_tags": ["home"], "remove_tags": ["x"]}).json() == before


def test_in_one_change(client: httpx.Client, name: str) -> None:
    add(client, name, tags=["a"])
    edits = [{"tags": ["b"]}, {"add_tags": ["c"]}, {"remove_tags": ["b"]}]
    actions = [{"action": "update", "id": 1, **edit} for edit in edits]
    todos = client.post(f"/todos/{name}/changes", json={"actions": actions}).json()["todos"]
    assert [todo["tags"] for todo in todos] == [["c"]] * 3


@pytest.mark.parametrize("field", ["add_tags", "remove_tags"])
def test_not_beside_all(client: httpx.Client, name: str, field: str) -> None:
    add(client, name, tags=["a"])
    for all_of_them in (["b"], [], None):
        response = client.patch(f"/todos/{name}/1", json={"tags": all_of_them, field: ["c"]})
        (error,) = problem(response, 400, "invalid_request")["errors"]
        assert error["field"] == "tags"
        assert f"replaces all tags, so it cannot come with {field}" in error["message"]
    actions = [{"action": "update", "id": 1, "clear": ["tags"], field: ["c"]}]
    response = client.post(f"/todos/{name}/changes", json={"actions": actions})
    (error,) = problem(response, 400, "invalid_request")["errors"]
    assert error["field"] == "actions.0.clear"
    assert field in error["message"]
    assert client.get(f"/todos/{name}/1").json()["version"] == 1


def test_twenty_at_most_in_the_end(client: httpx.Client, name: str) -> None:
    add(client, name, tags=[str(number) for number in range(20)])
    response = client.patch(f"/todos/{name}/1", json={"add_tags": ["a", "19"]})
    (error,) = problem(response, 400, "invalid_request")["errors"]
    assert error == {"field": "add_tags", "message": "would make 21 tags; a to-do has at most 20"}
    changed = client.patch(f"/todos/{name}/1", json={"add_tags": ["a"], "remove_tags": ["19"]}).json()
    assert changed["tags"] == [*map(str, range(19)), "a"]


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"add_tags": "home"}, "add_tags", "must be a list"),
        ({"add_tags": None}, "add_tags", "must be a list"),
        ({"add_tags": ["x" * 51]}, "add_tags.0", "at most 50 characters"),
        ({"remove_tags": [str(number) for number in range(21)]}, "remove_tags", "at most 20 items"),
        ({"remove_tags": [""]}, "remove_tags.0", "must not be empty"),
    ],
)
def test_refuses(client: httpx.Client, name: str, fields: JSON, field: str, message: str) -> None:
    add(client, name)
    errors = problem(client.patch(f"/todos/{name}/1", json=fields), 400, "invalid_request")["errors"]
    assert any(error["field"] == field and message in error["message"] for error in errors), errors


def test_not_for_a_new_to_do(client: httpx.Client, name: str) -> None:
    response = client.post(f"/todos/{name}/changes", json={"actions": [{"action": "add", "todo": "a", "add_tags": []}]})
    assert problem(response, 400, "invalid_request")["errors"][0]["field"] == "actions.0.add_tags"
