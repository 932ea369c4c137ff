"""Replays a list's log from nothing and compares what it gives with what is stored."""

from collections.abc import Callable
from typing import Any

from todo.domain import quota, users
from todo.domain.entries import PROFILE, Diff, Entry, Zone, digest
from todo.domain.todos import Todo
from todo.domain.users import Owner, User
from todo.storage.database import open_engine
from todo.storage.statements import Connection


def assert_log_gives_the_list(database_url: str, username: str) -> None:
    """Raises AssertionError unless the log gives every to-do, the trash included, the time zone and the counters."""
    _read(database_url, _compare, username)


def assert_bytes_are_counted(database_url: str, username: str) -> None:
    """Raises AssertionError unless what the list is said to take is what its rows come to."""
    _read(database_url, _compare_bytes, username)


def bytes_of_list(database_url: str, username: str) -> int:
    """Returns what the list is said to take."""
    return int(_read(database_url, users.find, Owner(username)).bytes)


def _read(database_url: str, rule: Callable[..., Any], *args: Any) -> Any:
    engine = open_engine(database_url)
    engine.start()
    try:
        return engine.submit_read(rule, *args).result()
    finally:
        engine.stop()


def _compare_bytes(connection: Connection, username: str) -> None:
    user = users.find(connection, Owner(username))
    assert user.bytes == stored_bytes(connection, user)


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
        before = replayed.pop(entry.todo_id, None)
        assert digest(before) == digest(entry.before)
        after = entry.after
        if before and isinstance(after, Diff):
            after = after.apply(before)
            # Each entry knows the change before it, and leads back to what was.
            assert entry.before.values["change_id"] == before.change_id
            assert entry.before.apply(after) == before
        assert digest(after) == digest(entry.after)
        if after:
            replayed[entry.todo_id] = after
    stored = [Todo.from_row(row) for row in connection.all_todos(user_id=user.id)]
    assert sorted(replayed.values(), key=lambda todo: todo.id) == stored
    assert zone in (None, Zone(user.stored_zone, user.time_zone_guessed))
    assert user.counts == {status: sum(t.status == status for t in stored) for status in user.counts}
    for row, todo in zip(connection.all_todos(user_id=user.id), stored, strict=True):
        assert row["json"] == todo.to_row()["json"]
    assert user.last_todo_id >= max(replayed, default=0)
    _compare_bytes(connection, username)


def stored_bytes(connection: Connection, user: User) -> int:
    """Returns what all rows of a list count as, counted anew."""
    which = {"user_id": user.id}
    todos = connection.all_todos(**which)
    sizes = [quota.bytes_of(row["json"], row["json"], row["search_text"]) for row in todos]
    sizes += [quota.bytes_of(row["before"], row["after"]) for row in connection.all_entries(**which)]
    sizes += [quota.bytes_of(row["request_id"], row["answer"]) for row in connection.all_answers(**which)]
    return sum(sizes) + quota.ROW_BYTES * len(connection.all_changes(**which))
