"""Lists: to-dos are put into them by name; they are renamed, archived, moved and deleted; all can be undone."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.conftest import running
from tests.handlers.test_todos import add, texts
from tests.replay import assert_log_gives_the_list
from todo.contract import API
from todo.domain.changes import ActorFilter
from todo.domain.conversations import Span
from todo.domain.folding import fold
from todo.domain.undo import undo_all
from todo.domain.users import Owner

JSON = dict[str, Any]

MAX_LISTS = API.limit("lists")


@pytest.fixture
def lists(client: httpx.Client, name: str) -> Callable[[], list[JSON]]:
    """Returns a function for the lists of the profile."""
    return lambda: client.get(f"/profiles/{name}").json()["lists"]


def change(client: httpx.Client, user: str, which: str, **wanted: Any) -> JSON:
    response = client.patch(f"/lists/{user}/{which}", json=wanted)
    assert response.status_code == 200, response.text
    return response.json()


def names(lists: list[JSON]) -> list[str]:
    return [listed["name"] for listed in lists]


def refused(response: httpx.Response, status: int) -> JSON:
    """Returns the problem of a response that must have this status."""
    assert response.status_code == status, response.text
    return response.json()


def undo(client: httpx.Client, name: str, change_id: int) -> httpx.Response:
    return client.post(f"/todos/{name}/changes/{change_id}/undo")


# To-dos in lists.


def test_a_todo_is_in_the_inbox_unless_a_list_is_named(client: httpx.Client, name: str) -> None:
    assert add(client, name, "Buy milk")["list"] == "Inbox"
    assert "list" not in client.get(f"/todos/{name}").json()["todos"][0]
    assert client.get(f"/todos/{name}/1").json()["list"] == "Inbox"


def test_a_list_is_created_on_request_alone(client: httpx.Client, name: str, lists: Callable[[], list[JSON]]) -> None:
    problem = refused(client.post(f"/todos/{name}", json={"todo": "Buy milk", "list": "Shopping"}), 404)
    assert (problem["code"], problem["lists"]) == ("list_not_found", ["Inbox"])
    assert problem["errors"][0]["field"] == "list"
    assert add(client, name, "Buy milk", list="Shopping", create_list=True)["list"] == "Shopping"
    assert lists() == [
        {"name": "Inbox", "open": 0, "overdue": 0},
        {"name": "Shopping", "position": 1, "open": 1, "overdue": 0},
    ]


@pytest.mark.parametrize("spelling", ["shopping", " SHOPPING ", "\uff33\uff48opping"])
def test_a_list_is_found_whatever_its_case_and_width(client: httpx.Client, name: str, spelling: str) -> None:
    add(client, name, "Buy milk", list="Shopping", create_list=True)
    assert add(client, name, "Buy bread", list=spelling)["list"] == "Shopping"
    assert add(client, name, "Buy eggs", list=spelling, create_list=True)["list"] == "Shopping"
    assert texts(client, name, list=spelling) == ["Buy milk", "Buy bread", "Buy eggs"]


def test_the_closest_list_comes_first(client: httpx.Client, name: str) -> None:
    for which in ("Work", "Shopping", "Home"):
        change(client, name, which, create_list=True)
    problem = refused(client.post(f"/todos/{name}", json={"todo": "Buy milk", "list": "Shoping"}), 404)
    assert problem["closest"] == problem["lists"][0] == "Shopping"
    assert sorted(problem["lists"]) == ["Home", "Inbox", "Shopping", "Work"]
    assert add(client, name, "Buy milk", list=problem["closest"])["list"] == "Shopping"


def test_a_refusal_names_few_of_very_long_names(client: httpx.Client, name: str) -> None:
    actions = [
        {"action": "add", "todo": "a", "list": f"{n:02}" + "\U0001f6d2" * 48, "create_list": True} for n in range(40)
    ]
    assert client.post(f"/todos/{name}/changes", json={"actions": actions}).status_code == 200
    response = client.get(f"/todos/{name}", params={"list": "none"})
    assert len(response.content) < 4096
    assert refused(response, 404)["lists"]


def test_create_list_alone_means_the_inbox(client: httpx.Client, name: str) -> None:
    assert add(client, name, "a", create_list=True)["list"] == "Inbox"


def test_a_todo_moves_between_lists(client: httpx.Client, name: str) -> None:
    add(client, name, "Buy milk", list="Shopping", create_list=True)
    moved = client.patch(f"/todos/{name}/1", json={"list": "Home", "create_list": True}).json()
    assert moved["list"] == "Home"
    (newest, _) = client.get(f"/todos/{name}/changes").json()["changes"]
    assert newest["summary"] == "Changed 1 to-do and added 1 list."
    assert newest["todos"][0]["before"] == {"list": "Shopping"}
    assert newest["todos"][0]["after"] == {"list": "Home"}
    assert newest["lists"] == [{"name": "Home", "action": "add", "after": {"name": "Home", "status": "active"}}]
    assert client.patch(f"/todos/{name}/1", json={"list": None}).json()["list"] == "Inbox"


def test_a_batch_with_an_unknown_list_does_nothing(client: httpx.Client, name: str) -> None:
    actions = [{"action": "add", "todo": "a"}, {"action": "add", "todo": "b", "list": "Work"}]
    problem = refused(client.post(f"/todos/{name}/changes", json={"actions": actions}), 404)
    assert problem["errors"][0]["field"] == "actions.1.list"
    assert texts(client, name) == []


def test_the_list_is_shown_by_name_wherever_todos_are(client: httpx.Client, name: str) -> None:
    quoted = 'Buy "list":1 and \\"list\\":1'
    add(client, name, quoted, list='"Odd" \\ name', create_list=True)
    for params in ({}, {"sort": "due"}, {"q": "buy"}, {"status": "all"}):
        (todo,) = client.get(f"/todos/{name}", params=params).json()["todos"]
        assert (todo["todo"], todo["list"]) == (quoted, '"Odd" \\ name')
    assert client.get(f"/todos/{name}/search/1").json()["metadata"]["list"] == '"Odd" \\ name'
    answer = client.post(f"/todos/{name}/changes", json={"actions": [{"action": "complete", "id": 1}]}).json()
    assert answer["todos"][0]["list"] == '"Odd" \\ name'


def test_a_page_of_long_names_fits_the_host(client: httpx.Client, name: str) -> None:
    long_name = '"' * 50
    change(client, name, long_name, create_list=True)
    for letter in "xz":
        actions = [{"action": "add", "todo": letter * 500, "notes": "y" * 370, "list": long_name}] * 50
        assert client.post(f"/todos/{name}/changes", json={"actions": actions}).status_code == 200
    response = client.get(f"/todos/{name}", params={"limit": 100})
    assert len(response.text) <= API.limit("response_characters")
    assert response.json()["next_cursor"]


# What is done to lists.


def test_a_list_is_renamed_with_its_todos(client: httpx.Client, name: str, lists: Callable[[], list[JSON]]) -> None:
    add(client, name, "Buy milk", list="Shopping", create_list=True)
    assert texts(client, name, list="Shopping") == ["Buy milk"]
    renamed = change(client, name, "shopping", name="Groceries")
    assert renamed == {"name": "Groceries", "position": 1, "open": 1, "overdue": 0, "change_id": 2}
    assert client.get(f"/todos/{name}").json()["todos"][0]["list"] == "Groceries"
    assert names(lists()) == ["Inbox", "Groceries"]
    (newest, _) = client.get(f"/todos/{name}/changes").json()["changes"]
    assert newest["summary"] == "Changed 1 list."
    assert newest["lists"] == [
        {"name": "Groceries", "action": "update", "before": {"name": "Shopping"}, "after": {"name": "Groceries"}}
    ]


def test_a_name_is_taken_once(client: httpx.Client, name: str) -> None:
    for which in ("Home", "Work"):
        change(client, name, which, create_list=True)
    for taken in ("HOME", "inbox"):
        assert refused(client.patch(f"/lists/{name}/Work", json={"name": taken}), 409)["code"] == "list_exists"
    assert change(client, name, "Work", name="WORK")["name"] == "WORK"


def test_lists_keep_the_order_they_are_given(client: httpx.Client, name: str, lists: Callable[[], list[JSON]]) -> None:
    for which in "abcd":
        change(client, name, which, create_list=True)
    assert change(client, name, "d", position=1)["position"] == 1
    assert names(lists())[1:] == ["d", "a", "b", "c"]
    assert change(client, name, "d", position=3)["position"] == 3
    assert names(lists())[1:] == ["a", "b", "d", "c"]
    moved = change(client, name, "a", position=100)
    assert names(lists())[1:] == ["b", "d", "c", "a"]
    assert "change_id" not in change(client, name, "a", position=4)  # where it is
    assert undo(client, name, moved["change_id"]).status_code == 200
    assert names(lists())[1:] == ["a", "b", "d", "c"]


def test_lists_can_be_moved_for_ever(client: httpx.Client, name: str, lists: Callable[[], list[JSON]]) -> None:
    for which in "abc":
        change(client, name, which, create_list=True)
    for _ in range(60):
        last = names(lists())[-1]
        change(client, name, last, position=2)
        assert names(lists())[2] == last


def test_an_archived_list_is_out_of_sight_and_comes_back(
    client: httpx.Client, name: str, lists: Callable[[], list[JSON]]
) -> None:
    add(client, name, "old", due="2020-01-01", tags=["x"], list="Trip", create_list=True)
    add(client, name, "packed", list="Trip")
    client.post(f"/todos/{name}/2/complete")
    add(client, name, "new")
    archived = change(client, name, "Trip", archived=True)
    assert archived["archived"] is True
    profile = client.get(f"/profiles/{name}").json()
    assert profile["counts"] == {"open": 1, "overdue": 0, "done": 0, "deleted": 0}
    assert profile["tags"] == []
    assert profile["lists"][1] == {"name": "Trip", "position": 1, "open": 1, "overdue": 1, "archived": True}
    for params in ({}, {"sort": "due"}, {"sort": "priority"}, {"q": "o"}):
        assert texts(client, name, **params) == (["new"] if params != {"q": "o"} else [])
    assert texts(client, name, status="all") == ["new"]
    assert client.get(f"/todos/{name}").json()["total"] == 1
    assert texts(client, name, list="trip", status="all") == ["old", "packed"]
    assert client.get(f"/todos/{name}/search", params={"query": "old"}).json()["results"] == []
    assert client.get(f"/todos/{name}/1").json()["list"] == "Trip"
    deleted = client.request("DELETE", f"/todos/{name}", json={"todo_idx": 0}).json()
    assert deleted["todo"] == "new"  # the first that is to be seen
    problem = refused(client.post(f"/todos/{name}", json={"todo": "a", "list": "Trip"}), 409)
    assert problem["code"] == "list_archived"
    change(client, name, "Trip", archived=False)
    assert texts(client, name) == ["old"]
    assert client.get(f"/profiles/{name}").json()["counts"]["overdue"] == 1
    newest = client.get(f"/todos/{name}/changes", params={"limit": 1}).json()["changes"][0]
    assert newest["summary"] == "Restored 1 list."


def test_the_trash_shows_todos_of_archived_lists(client: httpx.Client, name: str) -> None:
    add(client, name, "a", list="Trip", create_list=True)
    client.delete(f"/todos/{name}/1")
    change(client, name, "Trip", archived=True)
    assert texts(client, name, status="deleted") == ["a"]


def test_deleting_a_list_deletes_its_todos(client: httpx.Client, name: str, lists: Callable[[], list[JSON]]) -> None:
    add(client, name, "stay")
    for text in ("a", "b"):
        add(client, name, text, list="Trip", create_list=True)
    deleted = client.delete(f"/lists/{name}/trip").json()
    assert deleted == {"change_id": 4, "name": "Trip", "todos": 2}
    assert texts(client, name) == ["stay"]
    assert texts(client, name, status="deleted") == ["a", "b"]
    assert names(lists()) == ["Inbox"]
    refused(client.get(f"/todos/{name}", params={"list": "Trip"}), 404)
    newest = client.get(f"/todos/{name}/changes", params={"limit": 1}).json()["changes"][0]
    assert newest["summary"] == "Deleted 2 to-dos and deleted 1 list."
    assert undo(client, name, 4).status_code == 200
    assert texts(client, name, list="Trip") == ["a", "b"]
    assert names(lists()) == ["Inbox", "Trip"]


def test_deleting_a_list_can_move_its_todos(client: httpx.Client, name: str) -> None:
    add(client, name, "a", list="Trip", create_list=True)
    add(client, name, "b", list="Trip")
    client.post(f"/todos/{name}/2/complete")
    deleted = client.request("DELETE", f"/lists/{name}/Trip", json={"move_to": "inbox"}).json()
    assert deleted == {"change_id": 4, "name": "Trip", "todos": 2, "moved_to": "Inbox"}
    assert texts(client, name, list="Inbox", status="all") == ["a", "b"]
    assert undo(client, name, 4).status_code == 200
    assert texts(client, name, list="Trip", status="all") == ["a", "b"]


def test_todos_cannot_move_to_a_list_that_cannot_take_them(client: httpx.Client, name: str) -> None:
    for which in ("Home", "Work"):
        change(client, name, which, create_list=True)
    change(client, name, "Home", archived=True)
    for move_to, status in (("Home", 409), ("Wrk", 404), ("Work", 400)):
        refused(client.request("DELETE", f"/lists/{name}/Work", json={"move_to": move_to}), status)
    assert texts(client, name, list="Work") == []


@pytest.mark.parametrize(("method", "body"), [("PATCH", {"name": "A"}), ("PATCH", {"archived": True}), ("DELETE", {})])
def test_the_inbox_stays(client: httpx.Client, name: str, method: str, body: JSON) -> None:
    assert refused(client.request(method, f"/lists/{name}/INBOX", json=body), 409)["code"] == "inbox_is_fixed"


@pytest.mark.parametrize(("method", "body"), [("PATCH", {"name": "A"}), ("DELETE", {})])
def test_an_unknown_list_is_refused(client: httpx.Client, name: str, method: str, body: JSON) -> None:
    assert refused(client.request(method, f"/lists/{name}/none", json=body), 404)["code"] == "list_not_found"


def test_there_are_at_most_so_many_lists(client: httpx.Client, name: str) -> None:
    for first in range(0, MAX_LISTS, 50):
        actions = [
            {"action": "add", "todo": "a", "list": str(n), "create_list": True} for n in range(first, first + 50)
        ]
        assert client.post(f"/todos/{name}/changes", json={"actions": actions}).status_code == 200
    full = {"todo": "a", "list": "more", "create_list": True}
    assert refused(client.post(f"/todos/{name}", json=full), 409)["code"] == "too_many_lists"
    deleted = client.delete(f"/lists/{name}/5").json()["change_id"]
    assert add(client, name, "a", list="more", create_list=True)["list"] == "more"
    assert refused(undo(client, name, deleted), 409)["code"] == "undo_conflict"


# What is undone.


def test_undoing_an_addition_takes_its_list_back(
    client: httpx.Client, name: str, lists: Callable[[], list[JSON]]
) -> None:
    added = add(client, name, "a", list="Trip", create_list=True)
    undone = undo(client, name, added["change_id"]).json()
    assert names(lists()) == ["Inbox"]
    assert undone["lists"][0]["before"] == {"name": "Trip", "status": "active"}
    assert undo(client, name, undone["change_id"]).status_code == 200
    assert texts(client, name, list="Trip") == ["a"]


def test_a_list_with_newer_todos_is_not_taken_back(
    client: httpx.Client, name: str, lists: Callable[[], list[JSON]]
) -> None:
    first = add(client, name, "a", list="Trip", create_list=True)
    second = add(client, name, "b", list="Trip")
    problem = refused(undo(client, name, first["change_id"]), 409)
    assert problem["conflicts"] == [{"change_id": second["change_id"]}]
    forced = client.post(f"/todos/{name}/changes/{first['change_id']}/undo", json={"force": True}).json()
    assert forced["skipped"] == [{"change_id": second["change_id"]}]
    assert texts(client, name, list="Trip") == ["b"]


def test_a_deleted_list_does_not_come_back_where_its_name_is_taken(client: httpx.Client, name: str) -> None:
    add(client, name, "a", list="Trip", create_list=True)
    deleted = client.delete(f"/lists/{name}/Trip").json()["change_id"]
    add(client, name, "b", list="trip", create_list=True)
    assert refused(undo(client, name, deleted), 409)["code"] == "undo_conflict"
    forced = client.post(f"/todos/{name}/changes/{deleted}/undo", json={"force": True})
    assert forced.status_code == 200
    assert texts(client, name, list="Inbox") == ["a"]
    assert texts(client, name, list="Trip") == ["b"]


def test_a_todo_restored_from_a_deleted_list_is_in_the_inbox(client: httpx.Client, name: str) -> None:
    add(client, name, "a", list="Trip", create_list=True)
    client.delete(f"/lists/{name}/Trip")
    restored = client.post(f"/todos/{name}/changes", json={"actions": [{"action": "restore", "id": 1}]}).json()
    assert restored["todos"][0]["status"] == "open"
    assert texts(client, name, list="Inbox") == ["a"]


def test_a_list_is_changed_once_by_request_id(client: httpx.Client, name: str) -> None:
    wanted = {"create_list": True, "request_id": "r"}
    first = client.patch(f"/lists/{name}/Trip", json=wanted)
    again = client.patch(f"/lists/{name}/Trip", json=wanted)
    assert first.json() == again.json()
    assert again.headers["Idempotent-Replay"] == "true"


def test_no_undo_gives_two_lists_one_name(client: httpx.Client, name: str, database_url: str) -> None:
    change(client, name, "X", create_list=True)
    change(client, name, "W", create_list=True)
    first = change(client, name, "W", name="V")["change_id"]
    last = change(client, name, "X", name="W")["change_id"]
    with running(database_url) as engine:
        both = engine.submit_write(undo_all, Owner(name), ActorFilter(), Span(first, last), [first, last], "").result()
    change(client, name, "V", create_list=True)
    # W cannot be V again and keeps its name, which X was to get back.
    forced = client.post(f"/todos/{name}/changes/{both}/undo", json={"force": True})
    assert {conflict["change_id"] for conflict in refused(forced, 409)["conflicts"]} == {both}
    assert_log_gives_the_list(database_url, name)


def test_a_write_counts_lists_without_their_tags(
    client: httpx.Client, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(client, name, "A", list="Trip", create_list=True, tags=["Home", "ｗork"], due="2026-11-01")
    add(client, name, "B", list="Trip", tags=["home"])
    counted = {tag["tag"]: tag["open"] for tag in client.get(f"/profiles/{name}").json()["tags"]}
    assert counted == {"Home": 2, "ｗork": 1}
    # To count tags takes too long where others wait for the lock.
    monkeypatch.delattr("todo.domain.open_counts.OpenCounts.of")
    listed = change(client, name, "Trip", archived=True)
    assert (listed["open"], listed["overdue"]) == (2, 1)


def test_deleting_and_undoing_folds_no_text_anew(
    client: httpx.Client, name: str, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    add(client, name, "Über", list="Trip", create_list=True, tags=["Home"], steps=["Öl"])
    # For a large list, folding is most of the time in which others wait for the lock.
    monkeypatch.delattr("todo.domain.todos.Folded.of")
    deleted = client.request("DELETE", f"/lists/{name}/Trip").json()
    assert undo(client, name, deleted["change_id"]).status_code == 200
    monkeypatch.undo()
    assert texts(client, name, q="uber ol", tag="home") == ["Über"]
    assert_log_gives_the_list(database_url, name)


def test_a_batch_folds_each_name_once(client: httpx.Client, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(10):
        change(client, name, f"㌀{name}{number}", create_list=True)
    folded: list[str] = []
    monkeypatch.setattr("todo.domain.list_names.fold", lambda text: folded.append(text) or fold(text))
    actions = [{"action": "add", "todo": "A", "list": f"㌀{name}9"}] * 20
    client.post(f"/todos/{name}/changes", json={"actions": actions}).raise_for_status()
    assert len(folded) <= 11
