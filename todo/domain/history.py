"""The history page: who changed what and when, with each to-do before and after."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from todo.contract import SITE
from todo.domain import conversations, days, quota, users
from todo.domain.actors import RECENT_CHANGES, Actor, ActorFilter, Actors
from todo.domain.changes import action_conditions, list_ids_in
from todo.domain.changeset import Changeset
from todo.domain.days import Day
from todo.domain.entries import Entry
from todo.domain.kinds import KINDS
from todo.domain.list_names import names_of
from todo.domain.paging import decode_cursor, encode_cursor
from todo.domain.sections import Moment
from todo.domain.undo import Undoing
from todo.domain.undone import Undo, undone
from todo.domain.users import DAY, Owner, User
from todo.errors import ChangeNotFound, InvalidRequest
from todo.storage.statements import Connection

JSON = dict[str, Any]

MAX_ENTRIES = SITE.limit("change_entries")
CLEAR_BATCH = 200  # changes removed in one write


class ChangeDetails(NamedTuple):
    """A change as a page shows it; `at` is in the person's time zone."""

    id: int
    at: datetime
    actor: Actor
    summary: str
    undoes: int | None
    entries: list[Entry]  # at most MAX_ENTRIES
    entry_count: int  # of all entries
    lists: Mapping[int, str]  # the names of the lists that are in the entries, by id
    undo: Undo | None = None  # by which it is undone


class Conversation(NamedTuple):
    """Changes of one actor that follow each other on a day, newest first."""

    actor: Actor
    changes: list[ChangeDetails]


class HistoryPage(NamedTuple):
    """One page of the history, the actors of the latest changes, and what they did on a day."""

    user: User
    moment: Moment
    conversations: list[Conversation]
    next_cursor: str | None
    actors: list[Actor]
    day: Day | None


def page(connection: Connection, owner: Owner, who: str | None, day: str | None, cursor: str | None) -> HistoryPage:
    """Returns one page, newest first. Raises InvalidRequest for a bad cursor."""
    user = users.find(connection, owner)
    (before_id,) = decode_cursor(cursor, "changes", [2**31])
    from_time, to_time = user.day(day) if day else ("", "~")
    limit = SITE.limit("page_changes")
    rows = list(
        connection.changes_before(
            user_id=user.id,
            before_id=before_id,
            from_time=from_time,
            to_time=to_time,
            limit=limit + 1,
            **(Actor.named(who).by if who else ActorFilter()).conditions,
            **action_conditions(None),
        )
    )
    shown = rows[:limit]
    recent = _recent(connection, user)
    actors = Actors(connection, user, recent)
    next_cursor = encode_cursor("changes", shown[-1]["id"]) if len(rows) > limit else None
    counted = None if who or cursor else days.of(connection, user, actors, recent, day)
    conversations = _conversations(connection, user, actors, shown)
    return HistoryPage(user, Moment.of(user), conversations, next_cursor, actors.found, counted)


def change(connection: Connection, owner: Owner, change_id: int) -> ChangeDetails:
    """Returns one change. Raises ChangeNotFound."""
    user = users.find(connection, owner)
    row = connection.change_by_id(user_id=user.id, id=change_id)
    if row is None:
        raise ChangeNotFound
    return _details(connection, user, Actors(connection, user), row, undone(connection, user, [row]))


def actors_of(connection: Connection, user: User) -> Actors:
    """Returns the actors of the latest changes."""
    return Actors(connection, user, _recent(connection, user))


def conflicting_changes(
    connection: Connection, user: User, actors: Actors, conflicts: Sequence[JSON]
) -> list[tuple[ChangeDetails, Entry]]:
    """Returns, for each conflict of an undo, the change that is in the way and its entry for the record.

    Conflicts whose change has been purged meanwhile are left out.
    """
    found = []
    for conflict in conflicts:
        which = {"user_id": user.id, "change_id": conflict["change_id"]}
        row = connection.change_by_id(user_id=user.id, id=conflict["change_id"])
        named = next((kind for kind in KINDS.values() if kind.id_name in conflict), None)
        if named and named.id_name:
            entry = connection.entry_of(**which, kind=named.name, record_id=conflict[named.id_name])
        else:  # the time zone or a list, or the newest to-do in a list
            entry = next(iter(connection.first_entries_of_change(**which, limit=1)), None)
        if row and entry:
            found.append((_details(connection, user, actors, row, {}), Entry.from_row(entry)))
    return found


def clear(connection: Connection, owner: Owner, day: str) -> int | None:
    """Logs that the history before a local day is cleared; returns the id of the last change to clear, or None.

    Raises InvalidRequest for a day in the future.
    """
    user = users.lock(connection, owner)
    if day > user.local_now()[:DAY]:
        raise InvalidRequest.of("before_day", "must not be in the future")
    last: int | None = connection.last_change_before(user_id=user.id, before=user.day(day)[0])["id"]
    if last:
        Changeset(connection, owner).note(f"Cleared the history before {day}.")
    return last


def clear_some(connection: Connection, owner: Owner, until_id: int) -> bool:
    """Purges up to CLEAR_BATCH of the oldest changes up to `until_id`; returns whether more remain.

    Batches keep each write short.
    """
    user = users.lock(connection, owner)
    rows = connection.changes_until(user_id=user.id, until_id=until_id, limit=CLEAR_BATCH)
    which = {"user_id": user.id, "until_id": rows[-1]["id"] if rows else 0}
    freed = quota.total(connection.clear_changes(**which))
    connection.add_bytes(user_id=user.id, bytes=-freed)
    return len(rows) == CLEAR_BATCH


def _recent(connection: Connection, user: User) -> list[Any]:
    """Returns the latest changes, newest first."""
    since_id = max(0, user.last_change_id - RECENT_CHANGES) + 1
    given = {"user_id": user.id, "since_id": since_id, "from_time": "", "to_time": "~", "limit": RECENT_CHANGES}
    return list(connection.changes_of_time(**given))


def _conversations(connection: Connection, user: User, actors: Actors, rows: Sequence[Any]) -> list[Conversation]:
    undos = undone(connection, user, rows)
    found: list[Conversation] = []
    last: Any = None
    for row in rows:
        told = _details(connection, user, actors, row, undos)
        if last and conversations.is_same(last, row) and found[-1].changes[-1].at.date() == told.at.date():
            found[-1].changes.append(told)
        else:
            found.append(Conversation(told.actor, [told]))
        last = row
    return found


def in_short(connection: Connection, user: User, actors: Actors, undoing: Sequence[Undoing]) -> list[ChangeDetails]:
    """Returns the changes that can be undone as the page shows them."""
    names = names_of(connection, user, list_ids_in(entry for offered in undoing for entry in offered.entries))
    return [_told(user, actors, offered.row, offered.entries, len(offered.entries), names) for offered in undoing]


def _details(connection: Connection, user: User, actors: Actors, row: Any, undos: Mapping[int, Undo]) -> ChangeDetails:
    which = {"user_id": user.id, "change_id": row["id"]}
    rows = connection.first_entries_of_change(**which, limit=MAX_ENTRIES + 1)
    count = len(rows) if len(rows) <= MAX_ENTRIES else connection.count_entries_of_change(**which)["total"]
    entries = [Entry.from_row(entry) for entry in rows[:MAX_ENTRIES]]
    names = names_of(connection, user, list_ids_in(entries))
    return _told(user, actors, row, entries, count, names)._replace(undo=undos.get(row["id"]))


def _told(
    user: User, actors: Actors, row: Any, entries: list[Entry], count: int, names: Mapping[int, str]
) -> ChangeDetails:
    at, actor = user.local_of(row["at"]), actors.of(row)
    return ChangeDetails(row["id"], at, actor, row["summary"], row["undoes"], entries[:MAX_ENTRIES], count, names)
