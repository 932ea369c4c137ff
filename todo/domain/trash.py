"""The trash, emptied for good: to-dos, all that the log and the kept answers tell of them, and what an undo removed."""

from todo.domain import idempotency, users
from todo.domain.changeset import Changeset, remove_for_good
from todo.domain.users import Owner
from todo.storage.statements import Connection

REMOVED_AT_ONCE = 200


def empty(connection: Connection, owner: Owner) -> int | None:
    """Notes in the log that the trash is emptied, and returns the id of that change; None where nothing is to go."""
    changeset = Changeset(connection, owner)
    count, user = changeset.counts["deleted"], changeset.user
    if not count and not connection.ids_of_removed(user_id=user.id, limit=1):
        return None
    told = f"Emptied the trash of {count} to-do{'' if count == 1 else 's'}." if count else "Emptied the trash."
    changeset.note(told)
    return changeset.change_id


def empty_some(connection: Connection, owner: Owner, until_id: int) -> bool:
    """Removes some of what was in the trash at that change for good; returns whether there is more.

    Each write removes only so many, so that nobody waits for long.
    """
    user = users.lock(connection, owner)
    which = {"user_id": user.id, "limit": REMOVED_AT_ONCE}
    trashed = [row["id"] for row in connection.ids_in_trash(**which, until_id=until_id)]
    removed = [row["todo_id"] for row in connection.ids_of_removed(**which)]
    freed, more_answers = idempotency.forget_texts(connection, user, REMOVED_AT_ONCE)
    freed += sum(remove_for_good(connection, user, todo_id) for todo_id in (*trashed, *removed))
    connection.count_removed(user_id=user.id, removed=len(trashed), bytes=freed)
    return more_answers or REMOVED_AT_ONCE in (len(trashed), len(removed))
