"""Purging: what removes a to-do for good, from the trash and from the log."""

from todo.domain import quota
from todo.domain.records import TODO
from todo.domain.users import User
from todo.storage.statements import Connection


def remove_for_good(connection: Connection, user: User, todo_id: int) -> int:
    """Removes a deleted or removed to-do, and its entries in the log; returns the bytes freed."""
    row = connection.remove_todo(user_id=user.id, id=todo_id)
    freed, change_id = row["bytes"], row["change_id"]
    while change_id:  # each entry knows the one before it, until the log was cleared
        which = {"user_id": user.id, "change_id": change_id, "kind": TODO, "record_id": todo_id}
        entry = connection.entry_of(**which)
        if entry is None:
            break
        # The first row of a change stays, as it says who made the change and when.
        connection.remove_overflow(**which)
        connection.empty_entry(**which, bytes=quota.ROW_BYTES)
        freed += entry["bytes"] - (0 if entry["overflow"] else quota.ROW_BYTES)
        change_id = entry["previous"]
    return int(freed)
