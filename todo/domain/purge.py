"""Purging: removing records for good, from the trash and from the log."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from todo.contract import API
from todo.domain import quota
from todo.domain.kinds import KINDS
from todo.domain.kinds.todos import TODO
from todo.domain.records import Key, Kind
from todo.domain.users import User, utc_now
from todo.storage.statements import Connection

TRASH_TIME = timedelta(days=API.limit("trash_days"))
MAX_SWEPT = 20  # of a kind, removed in one write, to keep writes short
MAX_ENTRIES = 500  # of the log, emptied in one write


class Purged(NamedTuple):
    """How many of the given records were removed, and the bytes freed."""

    records: int
    bytes: int


class Swept(NamedTuple):
    """How many to-dos were removed, the bytes freed in all, and whether everything that has expired is gone."""

    todos: int
    bytes: int
    is_whole: bool


def sweep(connection: Connection, user: User, now: str, edited: Collection[Key]) -> Swept:
    """Removes what has been in the trash for TRASH_TIME, and expired stored responses.

    Records in `edited` stay: one that the change restores is still stored as deleted.
    """
    before = utc_now(-TRASH_TIME)
    freed, removed, is_whole = 0, dict[str, int](), True
    for kind in KINDS.values():
        expired = kind.expired(connection, user, before, MAX_SWEPT)
        unedited = [row for row in expired if Key(kind.name, row["id"]) not in edited]
        purged = remove_for_good(connection, user, kind, unedited)
        freed, removed[kind.name] = freed + purged.bytes, purged.records
        is_whole = is_whole and len(expired) < MAX_SWEPT and purged.records == len(unedited)
    answers = connection.remove_expired_answers(user_id=user.id, now=now)
    return Swept(removed[TODO], freed + quota.total(answers), is_whole)


def remove_for_good(connection: Connection, user: User, kind: Kind, rows: Sequence[Any]) -> Purged:
    """Removes deleted records after emptying their log entries, MAX_ENTRIES in all.

    A record with more entries stays, and so do those after it: the next write continues there.
    """
    freed, room = 0, MAX_ENTRIES
    for number, row in enumerate(rows):
        key, change_id = Key(kind.name, row["id"]), row["change_id"]
        while change_id:
            if not room:
                kind.save_newest(connection, user, key.id, change_id)
                return Purged(number, freed)
            size, change_id = _empty_entry(connection, user, key, change_id)
            freed, room = freed + size, room - 1
        freed += kind.remove(connection, user, key.id)
    return Purged(len(rows), freed)


def _empty_entry(connection: Connection, user: User, key: Key, change_id: int) -> tuple[int, int]:
    """Returns the bytes freed, and the id of the record's previous change, 0 if the log has none."""
    which = {"user_id": user.id, "change_id": change_id, "kind": key.kind, "record_id": key.id}
    entry = connection.entry_of(**which)
    if entry is None:  # cleared
        return 0, 0
    # The first row of a change stays, as it says who made the change and when.
    connection.remove_overflow(**which)
    connection.empty_entry(**which, bytes=quota.ROW_BYTES)
    return entry["bytes"] - (0 if entry["overflow"] else quota.ROW_BYTES), entry["previous"]
