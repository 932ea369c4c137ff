"""Purging: what removes to-dos and lists for good, from the trash and from the log."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from todo.contract import API
from todo.domain import quota
from todo.domain.records import LIST, TODO, Key
from todo.domain.users import User, utc_now
from todo.storage.statements import Connection

TRASH_TIME = timedelta(days=API.limit("trash_days"))
MAX_SWEPT = 20  # of a kind, removed in one write, to keep writes short
MAX_ENTRIES = 500  # of the log, emptied in one write


class Purged(NamedTuple):
    """How many records were removed, of those that were to be, and the bytes freed."""

    records: int
    bytes: int


class Swept(NamedTuple):
    """How many to-dos were removed, the bytes freed, and whether nothing that has expired remains."""

    todos: int
    bytes: int
    is_whole: bool


def sweep(connection: Connection, user: User, now: str, edited: Collection[Key]) -> Swept:
    """Removes what has been in the trash for TRASH_TIME, deleted lists as old, and expired stored responses.

    What a change restores is still stored as deleted: `edited` stays.
    """
    before = utc_now(-TRASH_TIME)
    todos = connection.expired_in_trash(user_id=user.id, deleted_before=before, limit=MAX_SWEPT)
    lists = connection.removed_lists(
        user_id=user.id, until_id=user.last_change_id, removed_before=before, limit=MAX_SWEPT
    )
    freed, removed, is_whole = 0, {}, True
    for kind, expired in ((TODO, todos), (LIST, lists)):
        unedited = [row for row in expired if Key(kind, row["id"]) not in edited]
        purged = remove_for_good(connection, user, unedited, kind)
        freed, removed[kind] = freed + purged.bytes, purged.records
        is_whole = is_whole and len(expired) < MAX_SWEPT and purged.records == len(unedited)
    answers = connection.remove_expired_answers(user_id=user.id, now=now)
    return Swept(removed[TODO], freed + quota.total(answers), is_whole)


def remove_for_good(connection: Connection, user: User, rows: Sequence[Any], kind: str = TODO) -> Purged:
    """Removes deleted or removed records after their entries in the log, of which it empties up to MAX_ENTRIES.

    One with more of these stays, and so do those behind it: the next write goes on where this one stopped.
    """
    freed, room = 0, MAX_ENTRIES
    for number, row in enumerate(rows):
        which = {"user_id": user.id, "id": row["id"]}
        change_id = row["change_id"]
        while change_id:
            if not room:
                save = connection.save_newest_change if kind == TODO else connection.save_newest_change_of_list
                save(**which, change_id=change_id)
                return Purged(number, freed)
            size, change_id = _empty_entry(connection, user, Key(kind, row["id"]), change_id)
            freed, room = freed + size, room - 1
        remove = connection.remove_todo if kind == TODO else connection.remove_list
        freed += remove(**which)["bytes"]
    return Purged(len(rows), freed)


def _empty_entry(connection: Connection, user: User, key: Key, change_id: int) -> tuple[int, int]:
    """Returns the bytes freed, and the record's change before this one, 0 if the log has none."""
    which = {"user_id": user.id, "change_id": change_id, "kind": key.kind, "record_id": key.id}
    entry = connection.entry_of(**which)
    if entry is None:  # cleared
        return 0, 0
    # The first row of a change stays, as it says who made the change and when.
    connection.remove_overflow(**which)
    connection.empty_entry(**which, bytes=quota.ROW_BYTES)
    return entry["bytes"] - (0 if entry["overflow"] else quota.ROW_BYTES), entry["previous"]
