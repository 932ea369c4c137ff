"""A change in the making: what to-dos will be and, when it is committed, the one place that writes them and the log."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson

from todo import contract, todos, users
from todo.errors import QuotaExceeded
from todo.storage.statements import Connection
from todo.todos import Todo
from todo.users import DAY, Owner, utc_now

MOST_TODOS = contract.API.limit("todos")
TRASH_TIME = timedelta(days=contract.API.limit("trash_days"))
MOST_SWEPT = 20  # a write takes at most so many to-dos out of the trash, so that none has to wait long
PROFILE = 0  # where the log keeps the time zone; no to-do has this id

PAST_TENSE = {
    "add": "added",
    "update": "changed",
    "complete": "completed",
    "reopen": "reopened",
    "delete": "deleted",
    "restore": "restored",
    "share": "shared",
    "unshare": "unshared",
}


@dataclass(frozen=True)
class Zone:
    """The time zone as it is stored: None and guessed before anyone set one."""

    time_zone: str | None
    time_zone_guessed: bool

    def to_snapshot(self) -> str:
        return orjson.dumps(vars(self)).decode()

    @classmethod
    def from_snapshot(cls, snapshot: str) -> "Zone":
        return cls(**orjson.loads(snapshot))


@dataclass(frozen=True)
class Entry:
    """What a change did to one to-do, or to the time zone under the id PROFILE. None is no to-do."""

    todo_id: int
    action: str
    before: Any
    after: Any

    @classmethod
    def from_row(cls, row: Any) -> "Entry":
        read = Zone.from_snapshot if row["todo_id"] == PROFILE else Todo.from_snapshot
        before, after = (read(row[side]) if row[side] else None for side in ("before", "after"))
        return cls(row["todo_id"], row["action"], before, after)


class Draft:
    """A change to one list. It locks the list when it is made, and stores nothing before `commit`."""

    def __init__(self, connection: Connection, owner: Owner) -> None:
        self.connection = connection
        self.owner = owner
        self.user = users.lock(connection, owner)
        self.now = utc_now()
        self.change_id = self.user.last_change_id + 1
        self.zone = Zone(self.user.stored_zone, self.user.time_zone_guessed)
        self.old_zone = self.zone
        self.zone_action = "update"
        self.counts = self.user.counts
        self.swept_on = self.user.swept_on
        self._last_todo_id = self.user.last_todo_id
        self._before: dict[int, Todo | None] = {}
        self._after: dict[int, Todo | None] = {}
        self._actions: dict[int, str] = {}
        self._done: Counter[str] = Counter()

    def get(self, todo_id: int) -> Todo | None:
        """Returns the to-do as the draft has it."""
        if todo_id not in self._after:
            self._before[todo_id] = self._after[todo_id] = todos.find(self.connection, self.user, todo_id)
        return self._after[todo_id]

    def put(self, action: str, todo_id: int, todo: Todo | None) -> None:
        """Makes the to-do what it shall be, and counts the action if that is something new."""
        if self.get(todo_id) != todo:
            self._after[todo_id] = todo
            # A to-do that the same change adds and then edits has been added.
            self._actions.setdefault(todo_id, action)
            self._done[action] += 1

    def add(self, action: str, todo: Todo) -> Todo:
        """Puts a to-do under the next id, and returns it."""
        self._last_todo_id += 1
        series = (todo.series or self._last_todo_id) if todo.repeat else None
        added = todo._replace(id=self._last_todo_id, series=series, version=0, created_at=self.now, updated_at=self.now)
        self._before[added.id] = self._after[added.id] = None
        self.put(action, added.id, added)
        return added

    def has_occurrence(self, series: int | None, occurrence: str) -> bool:
        """Whether the list has the to-do that stands for this date of a series, outside the trash."""
        rows = self.connection.todos_of_occurrence(user_id=self.user.id, series=series, occurrence=occurrence)
        drafted = [todo for todo in self._after.values() if todo and todo.status != "deleted"]
        return any(row["id"] not in self._after for row in rows) or any(
            (todo.series, todo.occurrence) == (series, occurrence) for todo in drafted
        )

    def entries(self) -> list[Entry]:
        """Returns what the draft comes to so far: one for each to-do, and for the time zone, that will differ."""
        entries = [
            Entry(todo_id, self._actions[todo_id], self._before[todo_id], self._stamped(todo_id))
            for todo_id in sorted(self._actions)
            if self._before[todo_id] != self._after[todo_id]
        ]
        if self.zone != self.old_zone:
            entries.insert(0, Entry(PROFILE, self.zone_action, self.old_zone, self.zone))
        return entries

    def commit(
        self, undoes: int | None = None, fingerprint: str | None = None, summary: str | None = None
    ) -> list[Entry]:
        """Stores the change with its log and returns the entries, none if nothing differs. Raises QuotaExceeded.

        `summary` stands in the log in place of the sentence that is made of the actions.
        """
        entries = self.entries()
        if entries:
            self._store_todos(entries)
            self._store_log(entries, undoes, fingerprint, summary or self._summary(entries))
        return entries

    def empty_trash(self) -> int:
        """Removes what is in the trash for good, from the log too, and logs that alone; returns how many there were."""
        removed = self.counts["deleted"]
        if removed:
            self.counts["deleted"] = 0
            self.connection.remove_entries_of_trash(user_id=self.user.id)
            self.connection.remove_trash(user_id=self.user.id)
            self._store_todos([])
            self._store_log([], None, None, f"Emptied the trash of {removed} to-do{'s' if removed > 1 else ''}.")
        return removed

    def _stamped(self, todo_id: int) -> Todo | None:
        """Returns the to-do as this change leaves it: one version on from all that were before."""
        before, after = self._before[todo_id], self._after[todo_id]
        if after is None:
            return None
        version = max(before.version if before else 0, after.version) + 1
        self._after[todo_id] = after._replace(version=version, updated_at=self.now, change_id=self.change_id)
        return self._after[todo_id]

    def _store_todos(self, entries: list[Entry]) -> None:
        for entry in entries:
            if entry.todo_id == PROFILE:
                self.connection.save_time_zone(user_id=self.user.id, **vars(entry.after))
                continue
            self._count(entry)
            if entry.after is None:
                self.connection.remove_todo(user_id=self.user.id, id=entry.todo_id)
            elif entry.before is None:
                self.connection.insert_todo(user_id=self.user.id, **entry.after.to_row())
            else:
                self.connection.save_todo(user_id=self.user.id, **entry.after.to_row())
        if _kept(self.counts) > max(MOST_TODOS, _kept(self.user.counts)):
            raise QuotaExceeded
        self._sweep()
        self.connection.save_counters(
            user_id=self.user.id,
            last_todo_id=self._last_todo_id,
            last_change_id=self.change_id,
            swept_on=self.swept_on,
            **self.counts,
        )

    def _count(self, entry: Entry) -> None:
        if entry.before:
            self.counts[entry.before.status] -= 1
        if entry.after:
            self.counts[entry.after.status] += 1

    def _store_log(self, entries: list[Entry], undoes: int | None, fingerprint: str | None, summary: str) -> None:
        self.connection.insert_change(
            user_id=self.user.id,
            id=self.change_id,
            at=self.now,
            actor=self.owner.actor,
            client=self.owner.client,
            grant_id=self.owner.grant_id,
            summary=summary,
            undoes=undoes,
            fingerprint=fingerprint,
        )
        for entry in entries:
            before, after = (side.to_snapshot() if side else None for side in (entry.before, entry.after))
            self.connection.insert_entry(
                user_id=self.user.id,
                change_id=self.change_id,
                todo_id=entry.todo_id,
                action=entry.action,
                before=before,
                after=after,
            )

    def _summary(self, entries: list[Entry]) -> str:
        """Returns one sentence without any text of a to-do, which may be somebody else's words to a model."""
        parts = [f"{PAST_TENSE[action]} {count}" for action, count in self._done.items()]
        if parts:
            parts[0] += " to-do" if parts[0].endswith(" 1") else " to-dos"
        if entries[0].todo_id == PROFILE:
            parts.append("set the time zone")
        sentence = " and ".join((", ".join(parts[:-1]), parts[-1])) if len(parts) > 1 else parts[0]
        return f"{sentence[0].upper()}{sentence[1:]}."

    def _sweep(self) -> None:
        """Once a day, removes what was in the trash for long enough, from the log too, and answers kept no longer."""
        today = self.now[:DAY]
        if self.swept_on == today:
            return
        expired = self.connection.expired_in_trash(
            user_id=self.user.id, deleted_before=utc_now(-TRASH_TIME), limit=MOST_SWEPT
        )
        for row in expired:
            self.connection.remove_entries_of_todo(user_id=self.user.id, todo_id=row["id"])
            self.connection.remove_todo(user_id=self.user.id, id=row["id"])
        self.counts["deleted"] -= len(expired)
        self.connection.remove_expired_answers(user_id=self.user.id, now=self.now)
        if len(expired) < MOST_SWEPT:
            self.swept_on = today


def empty_trash(connection: Connection, owner: Owner) -> int:
    """Removes all that is in the trash for good and returns how many to-dos that were. It cannot be undone."""
    return Draft(connection, owner).empty_trash()


def _kept(counts: Mapping[str, int]) -> int:
    """Returns what counts towards the quota: all but the trash."""
    return counts["open"] + counts["done"]
