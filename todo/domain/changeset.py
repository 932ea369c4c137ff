"""A pending change to a list. Only its commit writes records and the log, except that additions.py is quicker."""

from typing import Any

from todo.domain import quota, recent_adds, summaries, users
from todo.domain.answers import Answers
from todo.domain.entries import Entry, store_log
from todo.domain.kinds import KINDS
from todo.domain.kinds.todos import TODO, are_too_many
from todo.domain.purge import sweep
from todo.domain.todo_edits import TodoEdits
from todo.domain.todos import Folded
from todo.domain.users import DAY, Owner
from todo.errors import QuotaExceeded, StorageFull
from todo.storage.statements import Connection

JSON = dict[str, Any]

# Allowed on a full list: they free room or must never be denied. Repeating any of them takes an action that is refused.
ALWAYS = {"complete", "delete", "unshare"}
NO_ENTRY = {
    **dict.fromkeys(("action", "before", "after")),
    **{"kind": "", "record_id": 0, "previous": 0, "bytes": quota.ROW_BYTES},
}


class Changeset(TodoEdits):
    """A change to one list. Creating it locks the list; nothing is stored before `commit`."""

    def __init__(self, connection: Connection, owner: Owner) -> None:
        super().__init__(connection, owner, users.lock(connection, owner))
        self.counts = self.user.counts
        self.swept_on = self.user.swept_on
        self.recent_adds = self.user.recent_adds
        self.answers = Answers()
        self.folded: dict[int, Folded] = {}  # search text computed before the lock, by to-do id
        self._bytes = self.user.bytes

    def require_room(self, todos: int, size: int) -> None:
        """Raises QuotaExceeded or StorageFull if the list cannot take `todos` more to-dos, of `size` bytes in all."""
        if are_too_many(self.counts, todos):
            raise QuotaExceeded
        self._sweep()
        self._bytes += size
        if not self._has_room():
            raise StorageFull
        self._bytes -= size

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
            rows = self._rows(entries)
            self._require_room_for(entries, log)
            for kind, (new, changed) in rows.items():
                KINDS[kind].save(self, new, changed)
            if fingerprint:
                add = recent_adds.Add(self.now, fingerprint, self.last_id(TODO), self.change_id)
                self.recent_adds = recent_adds.note(self.recent_adds, add)
            self._store_log(log, undoes, summary or summaries.summary(self._done, entries))
        return entries

    def note(self, summary: str) -> None:
        """Logs a change that cannot be undone: a summary without entries."""
        log: list[JSON] = [NO_ENTRY]
        self._require_room_for([], log)
        self._store_log(log, None, summary)

    def _rows(self, entries: list[Entry]) -> dict[str, tuple[list[JSON], list[JSON]]]:
        """Returns by kind the rows to insert and those to update, and adds their bytes to the quota. Raises
        QuotaExceeded."""
        rows: dict[str, tuple[list[JSON], list[JSON]]] = {}
        for entry in entries:
            key = entry.key
            stored = self._stored[key]
            row = KINDS[key.kind].row(self, stored.record, self._after[key], stored)
            row["user_id"] = self.user.id
            self._bytes += row.get("bytes", 0) - stored.bytes
            rows.setdefault(key.kind, ([], []))[stored.has_row].append(row)
        for kind, (new, _) in rows.items():
            KINDS[kind].check(self, len(new))
        return rows

    def _require_room_for(self, entries: list[Entry], log: list[JSON]) -> None:
        """Counts the log's rows. Raises StorageFull if the list is full."""
        self._sweep()
        self._bytes += quota.total(log)
        if not self._has_room() and not all(entry.action in ALWAYS and entry.before for entry in entries):
            raise StorageFull

    def _has_room(self) -> bool:
        """Whether the changeset fits, if need be after evicting responses stored for retries."""
        if not self._is_too_large():
            return True
        self._bytes -= quota.forget_answers(self.connection, self.user.id)
        return not self._is_too_large()

    def _is_too_large(self) -> bool:
        """Whether the list is over its limit and growing."""
        return self._bytes > quota.MAX_BYTES and self._bytes > self.user.bytes

    def _store_log(self, log: list[JSON], undoes: int | None, summary: str) -> None:
        key = {"user_id": self.user.id, "id": self.change_id}
        store_log(self.connection, self.owner, key, self.now, log, summary, undoes)
        self.connection.save_counters(
            user_id=self.user.id,
            last_todo_id=self._last_ids[TODO],
            last_series=self._last_series,
            last_change_id=self.change_id,
            swept_on=self.swept_on,
            recent_adds=self.recent_adds,
            bytes=self._bytes,
            **self.counts,
        )

    def _sweep(self) -> None:
        """Once a day, purges expired to-dos from the trash and the log, and expired stored responses."""
        today = self.now[:DAY]
        if self.swept_on != today:
            swept = sweep(self.connection, self.user, self.now, self._actions)
            self._bytes -= swept.bytes
            self.counts["deleted"] -= swept.todos
            if swept.is_whole:
                self.swept_on = today
