"""A pending change to a list; its commit is the only code that writes records and the log."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, cast

from todo.contract import API
from todo.domain import quota, recent_adds, users
from todo.domain.entries import Entry
from todo.domain.purge import remove_for_good
from todo.domain.records import KINDS, PROFILE_KEY, TODO, Key, Profile, Record, Stored, removed_row, stored_todo
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
NO_ENTRY = {
    **dict.fromkeys(("action", "before", "after")),
    **{"kind": "", "record_id": 0, "previous": 0, "bytes": quota.ROW_BYTES},
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
        self.counts = self.user.counts
        self.swept_on = self.user.swept_on
        self.recent_adds = self.user.recent_adds
        self.folded: dict[int, Folded] = {}  # search text computed before the lock, by to-do id
        self._last_todo_id = self.user.last_todo_id
        self._last_series = self.user.last_series
        self._bytes = self.user.bytes
        self._stored: dict[Key, Stored] = {}
        self._after: dict[Key, Record | None] = {}
        self._actions: dict[Key, str] = {}
        self._done: Counter[str] = Counter()

    def get(self, todo_id: int) -> Todo | None:
        """Returns the to-do with this changeset's edits, or None."""
        return cast(Todo | None, self.record(Key(TODO, todo_id)))

    @property
    def profile(self) -> Profile:
        """The profile with this changeset's edits."""
        return cast(Profile, self.record(PROFILE_KEY))

    def record(self, key: Key) -> Record | None:
        """Returns a record with this changeset's edits, or None."""
        if key not in self._after:
            self._take(key, KINDS[key.kind].find(self.connection, self.user, key.id))
        return self._after[key]

    def newest_change_of(self, key: Key) -> int:
        """Returns the id of the newest stored change of a record, 0 if there is none."""
        self.record(key)
        return self._stored[key].change_id

    def entries_of(self, change_id: int) -> list[Entry]:
        """Returns what a change did, and looks all of its to-dos up at once."""
        which = {"user_id": self.user.id, "change_id": change_id}
        entries = [Entry.from_row(row) for row in self.connection.entries_of_change(**which)]
        rows = {row["id"]: row for row in self.connection.todos_of_change(**which)}
        for entry in entries:
            if entry.key.kind == TODO and entry.key not in self._after:
                self._take(entry.key, stored_todo(rows.get(entry.key.id)))
        return entries

    def put(self, action: str, key: Key, record: Record | None) -> None:
        """Sets a record, None to remove it, and counts the action if that changes anything."""
        if self.record(key) != record:
            self._after[key] = record
            # A to-do added and then edited in one change counts as added.
            self._actions.setdefault(key, action)
            self._done[action] += key.kind == TODO

    def edit(self, action: str, todo: Todo) -> int:
        """Sets a to-do and returns its id."""
        self.put(action, Key(TODO, todo.id), todo)
        return todo.id

    def add(self, action: str, todo: Todo) -> Todo:
        """Adds the to-do under the next id and returns it."""
        self._last_todo_id += 1
        added = todo._replace(id=self._last_todo_id, version=0, created_at=self.now, updated_at=self.now)
        self._take(Key(TODO, added.id), Stored())
        self.edit(action, added)
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
        edited = [todo for todo in self._after.values() if isinstance(todo, Todo) and todo.status != "deleted"]
        return any(Key(TODO, row["id"]) not in self._after for row in rows) or any(
            (todo.series, todo.occurrence) == (series, occurrence) for todo in edited
        )

    def entries(self) -> list[Entry]:
        """Returns one entry for each record that differs, by kind and id."""
        return [
            Entry.of(key, self._actions[key], stored.record, self._stamped(key), stored.change_id)
            for key in sorted(self._actions)
            if (stored := self._stored[key]).record != self._after[key]
        ]

    def commit(
        self, undoes: int | None = None, fingerprint: str | None = None, summary: str | None = None
    ) -> list[Entry]:
        """Stores the change and its log; returns the entries, empty if nothing differs.

        `summary` replaces the generated one, and `fingerprint` marks an addition that a retry may repeat. Raises
        QuotaExceeded and StorageFull.
        """
        entries = self.entries()
        if entries:
            log = [entry.to_row() for entry in entries]
            new, changed = self._rows(entries)
            self._require_room_for(entries, log)
            for name, kind in KINDS.items():
                kind.save(self.connection, new[name], changed[name])
            if fingerprint:
                add = recent_adds.Add(self.now, fingerprint, self._last_todo_id, self.change_id)
                self.recent_adds = recent_adds.note(self.recent_adds, add)
            self._store_log(log, undoes, summary or self._summary(entries))
        return entries

    def note(self, summary: str) -> None:
        """Logs a change that cannot be undone: a summary without entries."""
        log: list[JSON] = [NO_ENTRY]
        self._require_room_for([], log)
        self._store_log(log, None, summary)

    def _take(self, key: Key, stored: Stored) -> None:
        """Begins with a record as it is stored."""
        self._stored[key], self._after[key] = stored, stored.record

    def _stamped(self, key: Key) -> Record | None:
        """Returns the record after this change, at its next version."""
        record = self._after[key]
        if record is not None:
            last = self._stored[key].version
            stamps: JSON = {"version": max(last, getattr(record, "version", 0)) + 1, "updated_at": self.now}
            stamps["change_id"] = self.change_id
            kept = KINDS[key.kind].monotonic
            record = record._replace(**{name: value for name, value in stamps.items() if name in kept})
            self._after[key] = record
        return record

    def _rows(self, entries: list[Entry]) -> tuple[dict[str, list[JSON]], dict[str, list[JSON]]]:
        """Returns the rows to insert and to update, by kind, and counts with them. Raises QuotaExceeded."""
        new: dict[str, list[JSON]] = {name: [] for name in KINDS}
        changed: dict[str, list[JSON]] = {name: [] for name in KINDS}
        for key in (entry.key for entry in entries):
            row = self._todo_row(key) if key.kind == TODO else cast(Record, self._after[key])._asdict()
            rows = changed if self._stored[key].has_row else new
            rows[key.kind].append({"user_id": self.user.id, **row})
        kept = _kept(self.counts)
        if kept > MAX_TODOS and kept > _kept(self.user.counts):
            raise QuotaExceeded
        return new, changed

    def _todo_row(self, key: Key) -> JSON:
        """Returns the row of a to-do as it will be, and counts with it."""
        before, after = cast(Todo | None, self._stored[key].record), cast(Todo | None, self._after[key])
        if before:
            self.counts[before.status] -= 1
        if after:
            self.counts[after.status] += 1
            row = after.to_row(self.folded.get(after.id))
        else:
            assert before
            row = removed_row(before, self.change_id, self.now)
        self._bytes += row["bytes"] - self._stored[key].bytes
        return row

    def _require_room_for(self, entries: list[Entry], log: list[JSON]) -> None:
        """Counts the log's rows. Raises StorageFull if the list is full."""
        self._sweep()
        self._bytes += quota.total(log)
        if not self._has_room() and not all(entry.action in ALWAYS and entry.before for entry in entries):
            raise StorageFull

    def _has_room(self) -> bool:
        """Whether the changeset fits, if need be after evicting responses stored for retries."""
        if self._is_too_large():
            self._bytes -= quota.forget_answers(self.connection, self.user.id)
        return not self._is_too_large()

    def _is_too_large(self) -> bool:
        """Whether the list is over its limit and growing."""
        return self._bytes > quota.MAX_BYTES and self._bytes > self.user.bytes

    def _store_log(self, log: list[JSON], undoes: int | None, summary: str) -> None:
        key = {"user_id": self.user.id, "id": self.change_id}
        self.connection.insert_change(
            **key,
            **log[0],
            at=self.now,
            actor=self.owner.actor,
            client=self.owner.client,
            grant_id=self.owner.grant_id,
            summary=summary,
            undoes=undoes,
        )
        self.connection.insert_overflow([{**key, **row} for row in log[1:]])
        self.connection.save_counters(
            user_id=self.user.id,
            last_todo_id=self._last_todo_id,
            last_series=self._last_series,
            last_change_id=self.change_id,
            swept_on=self.swept_on,
            recent_adds=self.recent_adds,
            bytes=self._bytes,
            **self.counts,
        )

    def _summary(self, entries: Sequence[Entry]) -> str:
        """Returns a one-sentence summary. It quotes no to-do, as that text could be a prompt injection."""
        parts = [f"{PAST_TENSE[action]} {count}" for action, count in self._done.items() if count]
        if parts:
            parts[0] += " to-do" if parts[0].endswith(" 1") else " to-dos"
        if entries[0].key == PROFILE_KEY:
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
        # What this very change restores is still stored as deleted.
        unedited = [row for row in expired if Key(TODO, row["id"]) not in self._actions]
        purged = remove_for_good(self.connection, self.user, unedited)
        self._bytes -= purged.bytes
        self.counts["deleted"] -= purged.todos
        answers = self.connection.remove_expired_answers(user_id=self.user.id, now=self.now)
        self._bytes -= quota.total(answers)
        if len(expired) < MAX_SWEPT and purged.todos == len(unedited):
            self.swept_on = today


def _kept(counts: Mapping[str, int]) -> int:
    """Returns the number of to-dos that count towards the quota: all outside the trash."""
    return counts["open"] + counts["done"]
