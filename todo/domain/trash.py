"""Emptying the trash: purges deleted to-dos with their log entries, and the bodies of stored responses."""

from todo.domain import idempotency, users
from todo.domain.changeset import Changeset
from todo.domain.purge import remove_for_good
from todo.domain.records import LIST
from todo.domain.todos import REMOVED
from todo.domain.users import Owner
from todo.storage.statements import Connection

PURGE_BATCH = 200  # rows of a kind removed in one write
ANY_TIME = "~"  # later than every stored time


def empty(connection: Connection, owner: Owner) -> int | None:
    """Logs that the trash is emptied; returns the id of that change, or None if there is nothing to purge."""
    changeset = Changeset(connection, owner)
    count = changeset.counts["deleted"]
    which = {"user_id": changeset.user.id, "until_id": changeset.change_id, "limit": 1}
    lists = connection.removed_lists(**which, removed_before=ANY_TIME)
    if not (count or lists or connection.todos_of_status(**which, status=REMOVED)):
        return None
    summary = f"Emptied the trash of {count} to-do{'' if count == 1 else 's'}." if count else "Emptied the trash."
    changeset.note(summary)
    return changeset.change_id


def empty_some(connection: Connection, owner: Owner, until_id: int) -> bool:
    """Purges a batch of what was in the trash at change `until_id`; returns whether more remains.

    Batches keep each write short.
    """
    user = users.lock(connection, owner)
    which = {"user_id": user.id, "until_id": until_id, "limit": PURGE_BATCH}
    trashed, removed = (connection.todos_of_status(**which, status=status) for status in ("deleted", REMOVED))
    freed, more_answers = idempotency.forget_texts(connection, user, PURGE_BATCH)
    lists = connection.removed_lists(**which, removed_before=ANY_TIME)
    purged = remove_for_good(connection, user, [*trashed, *removed])
    purged_lists = remove_for_good(connection, user, lists, LIST)
    freed += purged.bytes + purged_lists.bytes
    connection.count_removed(user_id=user.id, removed=min(purged.records, len(trashed)), bytes=freed)
    is_cut = purged.records + purged_lists.records < len(trashed) + len(removed) + len(lists)
    return more_answers or is_cut or PURGE_BATCH in (len(trashed), len(removed), len(lists))
