"""Replays a list's log from nothing and compares what it gives with what is stored."""

from collections.abc import Callable
from typing import Any

from todo.domain import quota, users
from todo.domain.entries import Diff, Entry
from todo.domain.kinds import KINDS
from todo.domain.kinds.lists import ARCHIVED, TodoList
from todo.domain.kinds.profiles import PROFILE, PROFILE_KEY, Profile
from todo.domain.kinds.todos import TODO
from todo.domain.records import Key, Record
from todo.domain.todos import REMOVED, Todo
from todo.domain.users import Owner, User
from todo.storage.database import open_engine
from todo.storage.statements import Connection


def assert_log_gives_the_list(database_url: str, username: str) -> None:
    """Raises AssertionError unless the log gives every to-do, list and setting, and the counters."""
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
    replayed = _replay(connection, user)
    profile = KINDS[PROFILE].find(connection, user, 0).record
    assert replayed.pop(PROFILE_KEY, profile) == profile
    for kind in KINDS.values():
        if kind.name != PROFILE:
            records = {Key(kind.name, record.id): record for record in kind.all_of(connection, user)}
            assert {key: record for key, record in replayed.items() if key.kind == kind.name} == records
            assert kind.last_id(connection, user) >= max((key.id for key in records), default=0)
    archived = sum(isinstance(record, TodoList) and record.status == ARCHIVED for record in replayed.values())
    assert user.archived_lists == archived
    stored = [record for record in replayed.values() if isinstance(record, Todo)]
    assert user.counts == {status: sum(t.status == status for t in stored) for status in user.counts}
    for row, todo in zip(connection.all_todos(user_id=user.id), sorted(stored), strict=True):
        assert row["json"] == todo.to_row()["json"]
    _compare_bytes(connection, username)


def _replay(connection: Connection, user: User) -> dict[Key, Record]:
    """Returns the records that the log gives, after checking that each entry fits the one before it."""
    replayed: dict[Key, Record] = {}
    newest: dict[Key, int] = {}
    for row in connection.all_changes(user_id=user.id):
        if not row["kind"]:
            continue
        entry = Entry.from_row(row)
        assert entry.previous == newest.get(entry.key, 0)
        newest[entry.key] = row["id"]
        before = replayed.pop(entry.key, None)
        if before or entry.key.kind == TODO:
            assert entry.digest(before) == entry.digest(entry.before)
        after = entry.after
        if isinstance(after, Diff):
            unset = {"time_zone": entry.title or None, "time_zone_guessed": True}
            before = before or Profile(**{**unset, **entry.before.values})
            after = after.apply(entry.kind, before)
            assert entry.before.apply(entry.kind, after) == before
        assert entry.digest(after) == entry.digest(entry.after)
        if after:
            replayed[entry.key] = after
    return replayed


def stored_bytes(connection: Connection, user: User) -> int:
    """Returns what all rows of a list count as, counted anew."""
    which = {"user_id": user.id}
    todos = connection.all_todos(**which)
    sizes = [quota.bytes_of(row["json"], row["json"], row["search_text"]) for row in todos]
    sizes += [quota.ROW_BYTES for _ in connection.todos_of_status(**which, status=REMOVED, until_id=2**31, limit=10**6)]
    sizes += [quota.bytes_of(row["before"], row["after"]) for row in connection.all_changes(**which)]
    sizes += [quota.bytes_of(row["request_id"], row["answer"]) for row in connection.all_answers(**which)]
    removed = connection.removed_lists(**which, until_id=2**31, removed_before="~", limit=10**6)
    lists = [*connection.live_lists(**which), *(connection.list_by_id(**which, id=row["id"]) for row in removed)]
    sizes += [quota.bytes_of(row["name"], row["name"]) for row in lists]
    return sum(sizes)
