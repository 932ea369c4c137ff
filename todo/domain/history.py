"""The history page: who changed what and when, with each to-do before and after."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from todo.contract import SITE
from todo.domain import quota, users
from todo.domain.changes import ActorFilter, action_conditions, list_ids_in
from todo.domain.changeset import Changeset
from todo.domain.entries import Entry
from todo.domain.list_names import names_of
from todo.domain.paging import decode_cursor, encode_cursor
from todo.domain.records import TODO
from todo.domain.sections import Moment
from todo.domain.users import DAY, STORED_TIME, Owner, User
from todo.errors import ChangeNotFound, InvalidRequest
from todo.storage.statements import Connection

JSON = dict[str, Any]

ASSISTANT = "assistant"
MAX_ENTRIES = SITE.limit("change_entries")
RECENT_CHANGES = 1000  # searched for the names of actors, and for the changes of an assistant
CLEAR_BATCH = 200  # changes removed in one write


class Actor(NamedTuple):
    """Who made a change: a person, the operator, or an assistant with its self-reported name."""

    kind: str
    client: str = ""

    @classmethod
    def of(cls, row: Any) -> "Actor":
        if row["actor"] != ASSISTANT:
            return cls(row["actor"])
        # With the service key, ChatGPT is logged by the id of the conversation.
        return cls(ASSISTANT, "ChatGPT" if row["client"].startswith("openai ") else row["client"])

    @classmethod
    def named(cls, key: str) -> "Actor":
        """Returns the actor with this `key`, such as `person` or `assistant:ChatGPT`."""
        kind, _, client = key.partition(":")
        return cls(kind, client)

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.client}" if self.kind == ASSISTANT else self.kind

    @property
    def by(self) -> ActorFilter:
        """Returns the filter for this actor's changes."""
        return ActorFilter(self.kind, self.client if self.kind == ASSISTANT else None)


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


class HistoryPage(NamedTuple):
    """One page of the history, and the actors of the latest changes."""

    user: User
    moment: Moment
    changes: list[ChangeDetails]
    next_cursor: str | None
    actors: list[Actor]


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
    changes = [_details(connection, user, row) for row in rows[:limit]]
    next_cursor = encode_cursor("changes", [changes[-1].id]) if len(rows) > limit else None
    recent = connection.recent_actors(user_id=user.id, limit=RECENT_CHANGES)
    actors = sorted({Actor.of(row) for row in recent})
    return HistoryPage(user, Moment.of(user), changes, next_cursor, actors)


def change(connection: Connection, owner: Owner, change_id: int) -> ChangeDetails:
    """Returns one change. Raises ChangeNotFound."""
    user = users.find(connection, owner)
    row = connection.change_by_id(user_id=user.id, id=change_id)
    if row is None:
        raise ChangeNotFound
    return _details(connection, user, row)


def conflicting_changes(
    connection: Connection, owner: Owner, conflicts: Sequence[JSON]
) -> list[tuple[ChangeDetails, Entry]]:
    """Returns, for each conflict of an undo, the newest change of the to-do and its entry in that change.

    Conflicts whose change has been purged meanwhile are left out.
    """
    user = users.find(connection, owner)
    found = []
    for conflict in conflicts:
        which = {"user_id": user.id, "change_id": conflict["change_id"]}
        if "id" in conflict:
            row = connection.entry_of(**which, kind=TODO, record_id=conflict["id"])
        else:  # the time zone or a list, or the newest to-do in a list
            row = next(iter(connection.first_entries_of_change(**which, limit=1)), None)
        if row:
            found.append((change(connection, owner, conflict["change_id"]), Entry.from_row(row)))
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


def _details(connection: Connection, user: User, row: Any) -> ChangeDetails:
    at = datetime.strptime(row["at"], STORED_TIME).replace(tzinfo=UTC).astimezone(ZoneInfo(user.time_zone))
    which = {"user_id": user.id, "change_id": row["id"]}
    rows = connection.first_entries_of_change(**which, limit=MAX_ENTRIES + 1)
    count = len(rows) if len(rows) <= MAX_ENTRIES else connection.count_entries_of_change(**which)["total"]
    entries = [Entry.from_row(entry) for entry in rows[:MAX_ENTRIES]]
    names = names_of(connection, user, list_ids_in(entries))
    return ChangeDetails(row["id"], at, Actor.of(row), row["summary"], row["undoes"], entries, count, names)
