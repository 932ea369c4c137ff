"""Emptying the trash: purges deleted records with their log entries, and the bodies of stored responses."""

from todo.domain import idempotency, users
from todo.domain.changeset import Changeset
from todo.domain.kinds import KINDS
from todo.domain.purge import remove_for_good
from todo.domain.users import Owner
from todo.storage.statements import Connection

PURGE_BATCH = 200  # rows of a kind removed in one write


def empty(connection: Connection, owner: Owner) -> int | None:
    """Logs that the trash is emptied; returns the id of that change, or None if there is nothing to purge."""
    changeset = Changeset(connection, owner)
    count = changeset.counts["deleted"]
    which = (connection, changeset.user, changeset.change_id, 1)
    if not count and not any(kind.trashed(*which).rows for kind in KINDS.values()):
        return None
    summary = f"Emptied the trash of {count} to-do{'' if count == 1 else 's'}." if count else "Emptied the trash."
    changeset.note(summary)
    return changeset.change_id


def empty_some(connection: Connection, owner: Owner, until_id: int) -> bool:
    """Purges a batch of the records that were in the trash at change `until_id`; returns whether more remains.

    Batches keep each write short.
    """
    user = users.lock(connection, owner)
    freed, has_more = idempotency.forget_texts(connection, user, PURGE_BATCH)
    removed = 0
    for kind in KINDS.values():
        trashed = kind.trashed(connection, user, until_id, PURGE_BATCH)
        purged = remove_for_good(connection, user, kind, trashed.rows)
        freed, removed = freed + purged.bytes, removed + min(purged.records, trashed.deleted)
        has_more = has_more or trashed.is_cut or purged.records < len(trashed.rows)
    connection.count_removed(user_id=user.id, removed=removed, bytes=freed)
    return has_more
