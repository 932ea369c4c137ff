"""The history as a page shows it: who did what, when, and what each to-do was before and after."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from todo.contract import SITE
from todo.domain import quota, users
from todo.domain.changes import By, day_of
from todo.domain.changeset import Changeset
from todo.domain.entries import PROFILE, Entry
from todo.domain.paging import decode_cursor, encode_cursor
from todo.domain.sections import Moment
from todo.domain.users import DAY, STORED_TIME, Owner, User
from todo.errors import ChangeNotFound, InvalidRequest
from todo.storage.statements import Connection

JSON = dict[str, Any]

ASSISTANT = "assistant"
MAX_ENTRIES = SITE.limit("change_entries")
LOOKED_AT_FOR_NAMES = 1000  # changes
CLEARED_AT_ONCE = 200  # changes


class Actor(NamedTuple):
    """Who did something: a person, the operator, or an assistant by the name that it gives itself."""

    kind: str
    client: str = ""

    @classmethod
    def of(cls, row: Any) -> "Actor":
        if row["actor"] != ASSISTANT:
            return cls(row["actor"])
        # The conversations of ChatGPT with the service key are known by their ids.
        return cls(ASSISTANT, "ChatGPT" if row["client"].startswith("openai ") else row["client"])

    @classmethod
    def named(cls, key: str) -> "Actor":
        """Returns the actor that `key` stands for."""
        kind, _, client = key.partition(":")
        return cls(kind, client)

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.client}" if self.kind == ASSISTANT else self.kind

    @property
    def by(self) -> By:
        """Returns what finds this actor's changes."""
        return By(self.kind, self.client if self.kind == ASSISTANT else None)


class Told(NamedTuple):
    """A change, with everything that a page says of it; `at` is where the person is."""

    id: int
    at: datetime
    actor: Actor
    summary: str
    undoes: int | None
    entries: list[Entry]  # the first of them
    entry_count: int  # of all


class View(NamedTuple):
    """One page of the history, and the actors of late."""

    user: User
    moment: Moment
    changes: list[Told]
    next_cursor: str | None
    actors: list[Actor]


def page(connection: Connection, owner: Owner, who: str | None, day: str | None, cursor: str | None) -> View:
    """Returns one page, newest first. Raises InvalidRequest for a wrong cursor."""
    user = users.find(connection, owner)
    (before_id,) = decode_cursor(cursor, "changes", [2**31])
    from_time, to_time = day_of(user, day) if day else ("", "~")
    limit = SITE.limit("page_changes")
    rows = list(
        connection.changes_before(
            user_id=user.id,
            before_id=before_id,
            from_time=from_time,
            to_time=to_time,
            limit=limit + 1,
            **(Actor.named(who).by if who else By()).conditions,
        )
    )
    shown = [_told(connection, user, row) for row in rows[:limit]]
    more = encode_cursor("changes", [shown[-1].id]) if len(rows) > limit else None
    recent = connection.recent_actors(user_id=user.id, limit=LOOKED_AT_FOR_NAMES)
    actors = sorted({Actor.of(row) for row in recent})
    return View(user, Moment.of(user), shown, more, actors)


def change(connection: Connection, owner: Owner, change_id: int) -> Told:
    """Returns one change. Raises ChangeNotFound."""
    user = users.find(connection, owner)
    row = connection.change_by_id(user_id=user.id, id=change_id)
    if row is None:
        raise ChangeNotFound
    return _told(connection, user, row)


def in_the_way(connection: Connection, owner: Owner, conflicts: Sequence[JSON]) -> list[tuple[Told, Entry]]:
    """Returns, for each conflict of an undo, the newest change of its to-do and what that did to it.

    What has been removed for good meanwhile is left out.
    """
    user = users.find(connection, owner)
    found = []
    for conflict in conflicts:
        which = {"user_id": user.id, "change_id": conflict["change_id"], "todo_id": conflict.get("id", PROFILE)}
        row = connection.entry_of_change(**which)
        if row:
            found.append((change(connection, owner, conflict["change_id"]), Entry.from_row(row)))
    return found


def clear(connection: Connection, owner: Owner, day: str) -> int | None:
    """Notes in the log that what is older than a local day goes, and returns the last change of that, if there is one.

    Raises InvalidRequest for a day to come.
    """
    user = users.lock(connection, owner)
    if day > user.local_now()[:DAY]:
        raise InvalidRequest.of("before_day", "must not be in the future")
    last: int | None = connection.last_change_before(user_id=user.id, before=day_of(user, day)[0])["id"]
    if last:
        Changeset(connection, owner).note(f"Cleared the history before {day}.")
    return last


def clear_some(connection: Connection, owner: Owner, until_id: int) -> bool:
    """Removes the oldest changes for good, none after `until_id`; returns whether there are more.

    Each write removes only so many, so that nobody waits for long.
    """
    user = users.lock(connection, owner)
    rows = connection.changes_until(user_id=user.id, until_id=until_id, limit=CLEARED_AT_ONCE)
    which = {"user_id": user.id, "until_id": rows[-1]["id"] if rows else 0}
    freed = quota.total(connection.clear_entries(**which))
    connection.clear_changes(**which)
    connection.add_bytes(user_id=user.id, bytes=-freed - quota.ROW_BYTES * len(rows))
    return len(rows) == CLEARED_AT_ONCE


def _told(connection: Connection, user: User, row: Any) -> Told:
    at = datetime.strptime(row["at"], STORED_TIME).replace(tzinfo=UTC).astimezone(ZoneInfo(user.time_zone))
    which = {"user_id": user.id, "change_id": row["id"]}
    rows = connection.first_entries_of_change(**which, limit=MAX_ENTRIES + 1)
    count = len(rows) if len(rows) <= MAX_ENTRIES else connection.count_entries_of_change(**which)["total"]
    entries = [Entry.from_row(entry) for entry in rows[:MAX_ENTRIES]]
    return Told(row["id"], at, Actor.of(row), row["summary"], row["undoes"], entries, count)
