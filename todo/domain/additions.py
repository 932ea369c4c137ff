"""Additions: one new to-do, the most frequent write, in two thirds of the time that a Changeset takes for any change.

The rows, the answer and the refusals are exactly those of a Changeset; a test compares them.
"""

from typing import Any

from todo.domain import notes, quota, recent_adds, summaries, users
from todo.domain.actions import FIELDS, as_stored
from todo.domain.entries import Entry, store_log
from todo.domain.kinds.todos import TODO, are_too_many
from todo.domain.list_names import ONLY_INBOX
from todo.domain.records import Key
from todo.domain.todos import Todo
from todo.domain.users import DAY, Owner, User, utc_now
from todo.storage.statements import Connection

JSON = dict[str, Any]

PLAIN = {*FIELDS, "action"} - {"list", "repeat"}  # which need more than the row of the to-do
SUMMARY = summaries.summary({(TODO, "add"): 1}, [])


def add(connection: Connection, owner: Owner, action: JSON, fingerprint: str | None) -> JSON | None:
    """Adds a to-do and returns it. Returns None, with nothing stored, if that takes a Changeset. Raises InvalidRequest.

    It does for a list or a repeat rule, a request that may be a retry, the first change of a day, and a full list.
    """
    if "todo" not in action or not action.keys() <= PLAIN:
        return None
    user = users.lock(connection, owner)
    now = utc_now()
    is_repeated = fingerprint and recent_adds.find(user.recent_adds, fingerprint)
    if is_repeated or user.swept_on != now[:DAY] or are_too_many(user.counts, 1):
        return None
    given = {name: value for name, value in action.items() if name != "action"}
    todo = Todo(
        user.last_todo_id + 1,
        created_at=now,
        updated_at=now,
        version=1,
        change_id=user.last_change_id + 1,
        **as_stored(given, user),
    )
    if not _store(connection, owner, user, todo, fingerprint):
        return None
    return todo.to_json(user, ONLY_INBOX, connection.public_url) | notes.on(todo, action, user)


def _store(connection: Connection, owner: Owner, user: User, todo: Todo, fingerprint: str | None) -> bool:
    """Stores the to-do, its log and the counters. Returns False, with nothing stored, if the list is full."""
    row, log = todo.to_row(), Entry(Key(TODO, todo.id), "add", None, todo).to_row()
    size = user.bytes + row["bytes"] + log["bytes"]
    if size > quota.MAX_BYTES:
        return False
    row["user_id"] = user.id
    connection.insert_todos([row])
    store_log(connection, owner, {"user_id": user.id, "id": todo.change_id}, todo.created_at, [log], SUMMARY)
    adds = user.recent_adds
    if fingerprint:
        adds = recent_adds.note(adds, recent_adds.Add(todo.created_at, fingerprint, todo.id, todo.change_id))
    connection.save_counters(
        user_id=user.id,
        last_todo_id=todo.id,
        last_series=user.last_series,
        last_change_id=todo.change_id,
        swept_on=user.swept_on,
        recent_adds=adds,
        bytes=size,
        open=user.open_count + 1,
        done=user.done_count,
        deleted=user.deleted_count,
    )
    return True
