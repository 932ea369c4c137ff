"""Every write of the contract can be undone, and undoing the undo gives the first state back."""

from typing import Any

import httpx
import pytest

from tests.handlers.test_todos import add
from todo.contract import API

# How to call each write so that it changes something. A write that is added without a line here fails the first test.
WRITES: dict[str, tuple[str, dict[str, Any]]] = {
    "add_todo": ("/todos/{name}", {"todo": "new", "due": "2026-11-27", "tags": ["t"], "steps": ["s"]}),
    "delete_todo_by_index": ("/todos/{name}", {"todo_idx": 1}),
    "update_todo": (
        "/todos/{name}/1",
        {"todo": "A", "notes": None, "repeat": "FREQ=DAILY", "due": "2026-11-30", "steps": ["s", "t"]},
    ),
    "delete_todo": ("/todos/{name}/1", {}),
    "share_todo": ("/todos/{name}/1/share", {"url_until": "2199-01-01"}),
    "unshare_todo": ("/todos/{name}/2/share", {}),
    "complete_todo": ("/todos/{name}/2", {}),
    "reopen_todo": ("/todos/{name}/3", {}),
    "change_todos": (
        "/todos/{name}/changes",
        {
            "actions": [
                {"action": "add", "todo": "n"},
                {"action": "update", "id": 1, "todo": "A"},
                {"action": "complete", "id": 2},
                {"action": "reopen", "id": 3},
                {"action": "delete", "id": 1},
                {"action": "restore", "id": 4},
                {"action": "update", "id": 2, "list": "New", "create_list": True},
                {"action": "update", "id": 3, "add_tags": ["t"], "add_steps": ["s"]},
                {"action": "update", "id": 4, "check_steps": ["1"], "remove_steps": ["t"], "remove_tags": ["t"]},
            ]
        },
    ),
    "change_matching_todos": (
        "/todos/{name}/changes/matching",
        {
            "filter": {"status": "open"},
            "action": "update",
            "expect": 3,
            **{"shift_days": 2, "add_tags": ["t"], "priority": "high", "list": "New", "create_list": True},
        },
    ),
    "undo_change": ("/todos/{name}/changes/6/undo", {}),
    "update_list": ("/lists/{name}/Trip", {"name": "Journey", "archived": True}),
    "delete_list": ("/lists/{name}/Trip", {}),
    "update_profile": ("/profiles/{name}", {"time_zone": "Asia/Tokyo", "week_start": "sunday"}),
}
OPERATIONS = {operation.id: operation for operation in API.operations if operation.method != "GET"}
SUFFIXES = {"complete_todo": "/complete", "reopen_todo": "/reopen"}
MOVES = {"version", "updated_at", "change_id"}  # these count on whatever is undone


@pytest.fixture
def filled(client: httpx.Client, name: str) -> str:
    """A list with an open, a repeating and shared, a done and a deleted to-do, and one in a list, by eight changes."""
    add(client, name, "a", notes="n")
    add(client, name, "b", due="2026-11-27", repeat="FREQ=DAILY")
    add(client, name, "c")
    add(client, name, "d", tags=["t"], steps=["s", "t"])
    add(client, name, "e", list="Trip", create_list=True)
    client.post(f"/todos/{name}/3/complete")
    client.delete(f"/todos/{name}/4")
    client.post(f"/todos/{name}/2/share")
    return name


def state(client: httpx.Client, name: str) -> Any:
    """Returns everything that a person can see of a list."""
    lists = [
        client.get(f"/todos/{name}", params={"status": status, "limit": 100}).json() for status in ("all", "deleted")
    ]
    todos = [
        {key: value for key, value in todo.items() if key not in MOVES} for page in lists for todo in page["todos"]
    ]
    profile = client.get(f"/profiles/{name}").json()
    seen = ("time_zone", "time_zone_guessed", "week_start", "counts", "lists", "tags")
    return todos, [profile[name] for name in seen]


def test_every_write_is_here() -> None:
    assert set(WRITES) == set(OPERATIONS)


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_undo_and_undo_of_undo(client: httpx.Client, filled: str, operation_id: str) -> None:
    path, body = WRITES[operation_id]
    url = path.format(name=filled) + SUFFIXES.get(operation_id, "")
    before = state(client, filled)
    written = client.request(OPERATIONS[operation_id].method, url, json=body)
    assert written.status_code < 300, written.text
    after = state(client, filled)
    assert after != before
    undone = client.post(f"/todos/{filled}/changes/{written.json()['change_id']}/undo")
    assert undone.status_code == 200, undone.text
    assert state(client, filled) == before
    redone = client.post(f"/todos/{filled}/changes/{undone.json()['change_id']}/undo")
    assert redone.status_code == 200, redone.text
    assert state(client, filled) == after
