"""Purging: what removes to-dos for good, from the trash and from the log."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from todo.domain import quota
from todo.domain.records import TODO
from todo.domain.users import User
from todo.storage.statements import Connection

MAX_ENTRIES = 500  # of the log, emptied in one write, to keep writes short


class Purged(NamedTuple):
    """How many to-dos were removed, of those that were to be, and the bytes freed."""

    todos: int
    bytes: int


def remove_for_good(connection: Connection, user: User, rows: Sequence[Any]) -> Purged:
    """Removes deleted or removed to-dos after their entries in the log, of which it empties up to MAX_ENTRIES.

    A to-do with more of these stays, and so do those behind it: the next write goes on where this one stopped.
    """
    freed, room = 0, MAX_ENTRIES
    for number, row in enumerate(rows):
        which = {"user_id": user.id, "id": row["id"]}
        change_id = row["change_id"]
        while change_id:
            if not room:
                connection.save_newest_change(**which, change_id=change_id)
                return Purged(number, freed)
            size, change_id = _empty_entry(connection, user, row["id"], change_id)
            freed, room = freed + size, room - 1
        freed += connection.remove_todo(**which)["bytes"]
    return Purged(len(rows), freed)


def _empty_entry(connection: Connection, user: User, todo_id: int, change_id: int) -> tuple[int, int]:
    """Returns the bytes freed, and the to-do's change before this one, 0 if the log has none."""
    which = {"user_id": user.id, "change_id": change_id, "kind": TODO, "record_id": todo_id}
    entry = connection.entry_of(**which)
    if entry is None:  # cleared
        return 0, 0
    # The first row of a change stays, as it says who made the change and when.
    connection.remove_overflow(**which)
    connection.empty_entry(**which, bytes=quota.ROW_BYTES)
    return entry["bytes"] - (0 if entry["overflow"] else quota.ROW_BYTES), entry["previous"]
