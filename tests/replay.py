"""Replays a list's log from nothing and compares what it gives with what is stored."""

from todo import users
from todo.changes import Entry
from todo.drafts import PROFILE, Zone
from todo.storage.engine import open_engine
from todo.storage.statements import Connection
from todo.todos import Todo
from todo.users import Owner


def assert_log_gives_the_list(database_url: str, username: str) -> None:
    """Raises AssertionError unless the log gives every to-do, the trash included, the time zone and the counters."""
    engine = open_engine(database_url)
    engine.start()
    try:
        engine.submit_read(_compare, username).result()
    finally:
        engine.stop()


def _compare(connection: Connection, username: str) -> None:
    user = users.find(connection, Owner(username))
    entries = [Entry.from_row(row) for row in connection.all_entries(user_id=user.id)]
    replayed: dict[int, Todo] = {}
    zone = None
    for entry in entries:
        if entry.todo_id == PROFILE:
            assert zone in (None, entry.before)
            zone = entry.after
            continue
        assert replayed.pop(entry.todo_id, None) == entry.before
        if entry.after:
            replayed[entry.todo_id] = entry.after
    stored = [Todo.from_row(row) for row in connection.all_todos(user_id=user.id)]
    assert sorted(replayed.values(), key=lambda todo: todo.id) == stored
    assert zone in (None, Zone(user.stored_zone, user.time_zone_guessed))
    assert user.counts == {status: sum(t.status == status for t in stored) for status in user.counts}
    for row, todo in zip(connection.all_todos(user_id=user.id), stored, strict=True):
        assert row["json"] == todo.to_row()["json"]
    assert user.last_todo_id >= max(replayed, default=0)
