"""A pending change to a list; its commit is the only code that writes to-dos and the log."""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from todo.contract import API
from todo.domain import quota, users
from todo.domain.entries import PROFILE, Entry, Zone
from todo.domain.todos import Folded, Todo
from todo.domain.users import DAY, Owner, User, utc_now
from todo.errors import QuotaExceeded, StorageFull
from todo.storage.statements import Connection

JSON = dict[str, Any]

MAX_TODOS = API.limit("todos")
TRASH_TIME = timedelta(days=API.limit("trash_days"))
MAX_SWEPT = 20  # expired to-dos removed in one write, to keep writes short
# Allowed on a full list: they free room or must never be denied. None can be repeated without one that is refused.
ALWAYS = {"complete", "delete", "unshare"}

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


class Changeset:
    """A change to one list. Creating it locks the list; nothing is stored before `commit`.

    Given a `user`, it locks nothing: it is a preview and cannot be committed.
    """

    def __init__(self, connection: Connection, owner: Owner, user: User | None = None) -> None:
        self.connection = connection
        self.owner = owner
        self.user = user or users.lock(connection, owner)
        self.now = utc_now()
        self.change_id = self.user.last_change_id + 1
        self.zone = Zone(self.user.stored_zone, self.user.time_zone_guessed)
        self.old_zone = self.zone
        self.zone_action = "update"
        self.counts = self.user.counts
        self.swept_on = self.user.swept_on
        self.folded: dict[int, Folded] = {}  # search text computed before the lock, by to-do id
        self._last_todo_id = self.user.last_todo_id
        self._last_series = self.user.last_series
        self._bytes = self.user.bytes
        self._bytes_of: dict[int, int] = {}
        self._before: dict[int, Todo | None] = {}
        self._after: dict[int, Todo | None] = {}
        self._actions: dict[int, str] = {}
        self._done: Counter[str] = Counter()

    def get(self, todo_id: int) -> Todo | None:
        """Returns the to-do with this changeset's edits, or None."""
        if todo_id not in self._after:
            self._take(todo_id, self.connection.todo_by_id(user_id=self.user.id, id=todo_id))
        return self._after[todo_id]

    def entries_of(self, change_id: int) -> list[Entry]:
        """Returns what a change did, and looks all of its to-dos up at once."""
        which = {"user_id": self.user.id, "change_id": change_id}
        entries = [Entry.from_row(row) for row in self.connection.entries_of_change(**which)]
        rows = {row["id"]: row for row in self.connection.todos_of_change(**which)}
        for entry in entries:
            if entry.todo_id not in self._after:
                self._take(entry.todo_id, rows.get(entry.todo_id))
        return entries

    def put(self, action: str, todo_id: int, todo: Todo | None) -> None:
        """Sets the to-do, None to remove it, and counts the action if that changes anything."""
        if self.get(todo_id) != todo:
            self._after[todo_id] = todo
            # A to-do added and then edited in one change counts as added.
            self._actions.setdefault(todo_id, action)
            self._done[action] += 1

    def add(self, action: str, todo: Todo) -> Todo:
        """Adds the to-do under the next id and returns it."""
        self._last_todo_id += 1
        added = todo._replace(id=self._last_todo_id, version=0, created_at=self.now, updated_at=self.now)
        self._before[added.id] = self._after[added.id] = None
        self._bytes_of[added.id] = 0
        self.put(action, added.id, added)
        return added

    def require_room(self, todos: int, size: int) -> None:
        """Raises QuotaExceeded or StorageFull if the list cannot take `todos` more to-dos, of `size` bytes in all."""
        if _kept(self.counts) + todos > MAX_TODOS:
            raise QuotaExceeded
        self._sweep()
        self._bytes += size
        if not self._has_room():
            raise StorageFull
        self._bytes -= size

    def new_series(self) -> int:
        """Returns the next series number, unique in the list."""
        self._last_series += 1
        return self._last_series

    def has_occurrence(self, series: int | None, occurrence: str) -> bool:
        """Whether this occurrence of the series is in the list, outside the trash."""
        rows = self.connection.todos_of_occurrence(user_id=self.user.id, series=series, occurrence=occurrence)
        present = [todo for todo in self._after.values() if todo and todo.status != "deleted"]
        return any(row["id"] not in self._after for row in rows) or any(
            (todo.series, todo.occurrence) == (series, occurrence) for todo in present
        )

    def entries(self) -> list[Entry]:
        """Returns one entry for each to-do that differs, preceded by one for the time zone if that does."""
        entries = [
            Entry.of(todo_id, self._actions[todo_id], self._before[todo_id], self._stamped(todo_id))
            for todo_id in sorted(self._actions)
            if self._before[todo_id] != self._after[todo_id]
        ]
        if self.zone != self.old_zone:
            entries.insert(0, Entry(PROFILE, self.zone_action, self.old_zone, self.zone))
        return entries

    def commit(
        self, undoes: int | None = None, fingerprint: str | None = None, summary: str | None = None
    ) -> list[Entry]:
        """Stores the change and its log; returns the entries, empty if nothing differs.

        `summary` replaces the generated one. Raises QuotaExceeded and StorageFull.
        """
        entries = self.entries()
        if entries:
            self._store_todos(entries)
            self._store_log(entries, undoes, fingerprint, summary or self._summary(entries))
            self._store_counters(entries)
        return entries

    def note(self, summary: str) -> None:
        """Logs a change that cannot be undone: a summary without entries."""
        self._store_counters([])
        self._store_log([], None, None, summary)

    def _take(self, todo_id: int, row: Any) -> None:
        """Begins with a to-do as it is stored, or with none."""
        self._before[todo_id] = self._after[todo_id] = Todo.from_row(row) if row else None
        self._bytes_of[todo_id] = row["bytes"] if row else 0

    def _stamped(self, todo_id: int) -> Todo | None:
        """Returns the to-do after this change, at its next version."""
        before, after = self._before[todo_id], self._after[todo_id]
        if after is None:
            return None
        # A to-do brought back by undo had at most as many versions as the list has changes, so none is reused.
        last = before.version if before else self.user.last_change_id if after.version else 0
        version = max(last, after.version) + 1
        self._after[todo_id] = after._replace(version=version, updated_at=self.now, change_id=self.change_id)
        return self._after[todo_id]

    def _store_todos(self, entries: list[Entry]) -> None:
        new: list[JSON] = []
        changed: list[JSON] = []
        gone: list[JSON] = []
        for entry in entries:
            if entry.todo_id == PROFILE:
                self.connection.save_time_zone(user_id=self.user.id, **vars(entry.after))
            elif after := self._after[entry.todo_id]:
                (changed if self._before[entry.todo_id] else new).append(self._row(after))
            else:
                gone.append(self._removed(entry.todo_id))
        kept = _kept(self.counts)
        if kept > MAX_TODOS and kept > _kept(self.user.counts):
            raise QuotaExceeded
        self.connection.insert_todos(new)
        self.connection.save_todos(changed)
        self.connection.remove_todos(gone)

    def _removed(self, todo_id: int) -> JSON:
        """Returns which row goes, and counts without it."""
        before = self._before[todo_id]
        self._bytes -= self._bytes_of[todo_id]
        if before:
            self.counts[before.status] -= 1
        return {"user_id": self.user.id, "id": todo_id}

    def _row(self, after: Todo) -> JSON:
        """Returns the row of a to-do as it will be, and counts with it."""
        row = after.to_row(self.folded.get(after.id)) | self._removed(after.id)
        self.counts[after.status] += 1
        self._bytes += row["bytes"]
        return row

    def _store_counters(self, entries: list[Entry]) -> None:
        self._sweep()
        self._bytes += quota.ROW_BYTES  # of the change
        if not self._has_room() and not all(entry.action in ALWAYS and entry.before for entry in entries):
            raise StorageFull
        self.connection.save_counters(
            user_id=self.user.id,
            last_todo_id=self._last_todo_id,
            last_series=self._last_series,
            last_change_id=self.change_id,
            swept_on=self.swept_on,
            bytes=self._bytes,
            **self.counts,
        )

    def _has_room(self) -> bool:
        """Whether the changeset fits, if need be after evicting responses stored for retries."""
        if self._is_too_large():
            self._bytes -= quota.forget_answers(self.connection, self.user.id)
        return not self._is_too_large()

    def _is_too_large(self) -> bool:
        """Whether the list is over its limit and growing."""
        return self._bytes > quota.MAX_BYTES and self._bytes > self.user.bytes

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
        self.connection.insert_entries([self._entry_row(entry) for entry in entries])

    def _entry_row(self, entry: Entry) -> JSON:
        before = entry.before.to_log() if entry.before else None
        after = entry.after.to_log() if entry.after else None
        size = quota.bytes_of(before, after)
        self._bytes += size
        return {
            "user_id": self.user.id,
            "change_id": self.change_id,
            "todo_id": entry.todo_id,
            "action": entry.action,
            "before": before,
            "after": after,
            "bytes": size,
        }

    def _summary(self, entries: list[Entry]) -> str:
        """Returns a one-sentence summary. It quotes no to-do, as that text could be a prompt injection."""
        parts = [f"{PAST_TENSE[action]} {count}" for action, count in self._done.items()]
        if parts:
            parts[0] += " to-do" if parts[0].endswith(" 1") else " to-dos"
        if entries[0].todo_id == PROFILE:
            parts.append("set the time zone")
        sentence = " and ".join((", ".join(parts[:-1]), parts[-1])) if len(parts) > 1 else parts[0]
        return f"{sentence[0].upper()}{sentence[1:]}."

    def _sweep(self) -> None:
        """Once a day, purges expired to-dos from the trash and the log, and expired stored responses."""
        today = self.now[:DAY]
        if self.swept_on == today:
            return
        expired = self.connection.expired_in_trash(
            user_id=self.user.id, deleted_before=utc_now(-TRASH_TIME), limit=MAX_SWEPT
        )
        for row in expired:
            self._bytes -= remove_for_good(self.connection, self.user, row["id"])
        self.counts["deleted"] -= len(expired)
        answers = self.connection.remove_expired_answers(user_id=self.user.id, now=self.now)
        self._bytes -= quota.total(answers)
        if len(expired) < MAX_SWEPT:
            self.swept_on = today


def remove_for_good(connection: Connection, user: User, todo_id: int) -> int:
    """Removes a deleted to-do from the trash and the log; returns the bytes freed."""
    which = {"user_id": user.id, "todo_id": todo_id}
    return quota.total(connection.remove_entries_of_todo(**which)) + quota.total(connection.remove_from_trash(**which))


def _kept(counts: Mapping[str, int]) -> int:
    """Returns the number of to-dos that count towards the quota: all outside the trash."""
    return counts["open"] + counts["done"]
