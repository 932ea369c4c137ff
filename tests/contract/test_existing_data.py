"""A database of an earlier version opens with its to-dos, and its log gives them too."""

import sqlite3
from typing import Any

import psycopg
import pytest
from starlette.testclient import TestClient

from tests.conftest import AUTHORIZATION, GENEROUS, SERVICE_KEY, migrate
from tests.replay import assert_log_gives_the_list
from todo.app import create_app
from todo.config import Settings

USERS = [
    {"id": 1, "username": "kevin", "time_zone": "Asia/Tokyo", "time_zone_guessed": False, "last_todo_id": 3},
    {"id": 2, "username": "nobody", "time_zone": None, "time_zone_guessed": True, "last_todo_id": 0},
]
TODO = {
    "user_id": 1,
    "notes": "die Hafermilch",
    "due": "2026-11-27",
    "due_key": "2026-11-27",
    "urgency": 0,
    "tags": '["Läden"]',
    "tag_keys": "\nläden\n",
    "search_text": "buy milk die hafermilch läden",
    "version": 2,
    "created_at": "2026-11-20T00:00:00Z",
    "updated_at": "2026-11-21T00:00:00Z",
}
TODOS = [
    {**TODO, "id": 1, "todo": "open", "status": "open"},
    {**TODO, "id": 2, "todo": "done", "status": "done", "done_at": "2026-11-21T00:00:00Z"},
    {**TODO, "id": 3, "todo": "deleted", "status": "deleted", "deleted_at": "2026-11-21T00:00:00Z"},
]


def insert(database_url: str, table: str, rows: list[dict[str, Any]]) -> None:
    sqlite = database_url.startswith("sqlite")
    connection: Any = (
        sqlite3.connect(database_url.removeprefix("sqlite:///")) if sqlite else psycopg.connect(database_url)
    )
    for row in rows:
        values = ", ".join(["?" if sqlite else "%s"] * len(row))
        connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values})", list(row.values()))
    connection.commit()
    connection.close()


@pytest.fixture
def old_database(empty_database: str) -> str:
    """A database as the first version left it."""
    migrate(empty_database, "0001")
    insert(empty_database, "users", [{**user, "created_at": "2026-11-20T00:00:00Z"} for user in USERS])
    insert(empty_database, "todos", TODOS)
    return empty_database


def test_its_todos_are_there_and_in_the_log(old_database: str) -> None:
    migrate(old_database)
    app = create_app(Settings(service_auth_key=(SERVICE_KEY,), database_url=old_database, **GENEROUS))
    with TestClient(app, headers=AUTHORIZATION) as client:
        (todo,) = client.get("/todos/kevin?q=hafermilch&tag=läden&priority=high").json()["todos"]
        assert (
            todo.items() >= {"id": 1, "todo": "open", "notes": "die Hafermilch", "version": 2, "change_id": 1}.items()
        )
        assert client.get("/profiles/kevin").json()["counts"] == {"open": 1, "overdue": 0, "done": 1, "deleted": 1}
        (change,) = client.get("/todos/kevin/changes").json()["changes"]
        assert (change["actor"], len(change["todos"])) == ("operator", 3)
        assert client.post("/todos/kevin", json={"todo": "new"}).json().items() >= {"id": 4, "change_id": 2}.items()
        assert client.post("/todos/kevin/1/complete").status_code == 200
        assert client.post("/todos/kevin/changes/3/undo").status_code == 200
        assert client.post("/todos/nobody", json={"todo": "new"}).json()["change_id"] == 1
        refused = client.post("/todos/kevin/changes/1/undo")
        assert (refused.status_code, refused.json()["code"]) == (409, "nothing_to_undo")
        assert_log_gives_the_list(old_database, "kevin")
