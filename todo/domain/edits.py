"""Edits to the records of a list that are not stored: what a change would do."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from todo.domain.entries import Entry
from todo.domain.kinds import KINDS
from todo.domain.records import Key, Record, Stored
from todo.domain.users import Owner, User, utc_now
from todo.storage.statements import Connection

JSON = dict[str, Any]
NOTHING = Stored()


class Edits:
    """Edits to records of any kind, each counted under the name of an action. For storing them see Changeset."""

    def __init__(self, connection: Connection, owner: Owner, user: User) -> None:
        self.connection = connection
        self.owner = owner
        self.user = user
        self.now = utc_now()
        self.change_id = user.last_change_id + 1
        self._last_ids: dict[str, int] = {}  # by kind
        self._stored: dict[Key, Stored] = {}
        self._after: dict[Key, Record | None] = {}
        self._actions: dict[Key, str] = {}
        self._keys: dict[str, list[Key]] = defaultdict(list)  # of all that have been looked up, by kind
        self._done: dict[tuple[str, str], int] = defaultdict(int)  # by kind and action

    def record(self, key: Key) -> Any:
        """Returns a record as edited, or None."""
        if key not in self._after:
            self._take(key, KINDS[key.kind].find(self.connection, self.user, key.id))
        return self._after[key]

    def newest_change_of(self, key: Key) -> int:
        """Returns the id of the newest stored change of a record, 0 if there is none."""
        self.record(key)
        return self._stored[key].change_id

    def entries_of(self, change_id: int) -> list[Entry]:
        """Returns the entries of a change, and loads their records in one go."""
        which = {"user_id": self.user.id, "change_id": change_id}
        entries = [Entry.from_row(row) for row in self.connection.entries_of_change(**which)]
        for kind in dict.fromkeys(entry.kind for entry in entries):
            for record_id, stored in kind.of_change(self.connection, self.user, change_id).items():
                key = Key(kind.name, record_id)
                if key not in self._after:
                    self._take(key, stored)
        return entries

    def put(self, action: str, key: Key, record: Record | None) -> None:
        """Sets a record, or removes it with None, and counts the action if that changes anything."""
        if self.record(key) != record:
            self._after[key] = record
            # A record added and then edited in one change counts as added.
            self._actions.setdefault(key, action)
            self._done[key.kind, action] += 1

    def edited(self, kind: str) -> list[Key]:
        """Returns the keys of the records of a kind that have been set."""
        return [key for key in self._actions if key.kind == kind]

    def take_back(self, key: Key) -> None:
        """Discards the edit of a record."""
        self._after[key] = self._stored[key].record

    def last_id(self, kind: str) -> int:
        """Returns the last id used for a kind."""
        last = self._last_ids.get(kind)
        if last is None:
            last = self._last_ids[kind] = KINDS[kind].last_id(self.connection, self.user)
        return last

    def new_key(self, kind: str) -> Key:
        """Returns the key for a new record, with the next id of its kind."""
        number = self._last_ids[kind] = self.last_id(kind) + 1
        key = Key(kind, number)
        self._take(key, NOTHING)
        return key

    def entries(self) -> list[Entry]:
        """Returns one entry for each record that differs, sorted by kind and id."""
        self._settle()
        return [
            Entry.of(key, self._actions[key], stored.record, self._stamped(key), stored.change_id)
            for key in sorted(self._actions)
            if (stored := self._stored[key]).record != self._after[key]
        ]

    def _settle(self) -> None:
        """Completes the edits once all of them are known."""

    def _take_rows(self, kind: str, rows: Iterable[Any], stored: Callable[[Any], Stored]) -> None:
        """Loads records from their rows, except those that have been looked up already."""
        for row in rows:
            key = Key(kind, row["id"])
            if key not in self._after:
                self._take(key, stored(row))

    def _take(self, key: Key, stored: Stored) -> None:
        """Loads a record as it is stored."""
        self._keys[key.kind].append(key)
        self._stored[key], self._after[key] = stored, stored.record

    def _stamped(self, key: Key) -> Record | None:
        """Returns the record after this change, at its next version."""
        record = self._after[key]
        if record is not None:
            version = max(self._stored[key].version, getattr(record, "version", 0)) + 1
            stamps: JSON = {"version": version, "updated_at": self.now, "change_id": self.change_id}
            record = record._replace(**{name: stamps[name] for name in KINDS[key.kind].monotonic})
            self._after[key] = record
        return record
