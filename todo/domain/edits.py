"""Edits to the records of a list that are not stored: what a change would do."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from typing import Any, cast

from todo.domain.entries import Entry
from todo.domain.list_names import INBOX_ID
from todo.domain.records import (
    KINDS,
    LIST,
    PROFILE_KEY,
    TODO,
    Key,
    Profile,
    Record,
    Stored,
    TodoList,
    stored_list,
    stored_todo,
)
from todo.domain.todos import Todo
from todo.domain.users import Owner, User, utc_now
from todo.storage.statements import Connection

JSON = dict[str, Any]


class Edits:
    """Edits to one list, each under an action by its name. Nothing is stored; for that see Changeset."""

    def __init__(self, connection: Connection, owner: Owner, user: User) -> None:
        self.connection = connection
        self.owner = owner
        self.user = user
        self.now = utc_now()
        self.change_id = user.last_change_id + 1
        self._last_todo_id = user.last_todo_id
        self._last_series = user.last_series
        self._last_list_id = user.last_list_id
        self._stored: dict[Key, Stored] = {}
        self._after: dict[Key, Record | None] = {}
        self._actions: dict[Key, str] = {}
        self._edited_of_series: dict[int | None, set[int]] = defaultdict(set)
        self._list_keys: list[Key] = []
        self._knows_all_lists = False
        self._done: Counter[tuple[str, str]] = Counter()  # by kind and action

    def get(self, todo_id: int) -> Todo | None:
        """Returns the to-do as edited, or None."""
        return cast(Todo | None, self.record(Key(TODO, todo_id)))

    @property
    def profile(self) -> Profile:
        """The profile as edited."""
        return cast(Profile, self.record(PROFILE_KEY))

    def record(self, key: Key) -> Record | None:
        """Returns a record as edited, or None."""
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
            if isinstance(record, Todo):
                self._edited_of_series[record.series].add(record.id)
            # A to-do added and then edited in one change counts as added.
            self._actions.setdefault(key, action)
            self._done[key.kind, action] += 1

    def edited(self, kind: str) -> list[Key]:
        """Returns the keys of the records of a kind that have been set."""
        return [key for key in self._actions if key.kind == kind]

    def take_back(self, key: Key) -> None:
        """Leaves a record as it is stored."""
        self._after[key] = self._stored[key].record

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

    def lists(self) -> list[TodoList]:
        """Returns all lists but the inbox, in their order, as edited."""
        if not self._knows_all_lists:
            self._knows_all_lists = True
            self._take_rows(LIST, self.connection.live_lists(user_id=self.user.id), stored_list)
        lists = [record for key in self._list_keys if isinstance(record := self._after[key], TodoList)]
        return sorted(lists, key=lambda listed: (listed.position, listed.id))

    def todos_of_list(self, list_id: int) -> list[Todo]:
        """Returns the to-dos of a list outside the trash, as edited."""
        self.take_todos(self.connection.todos_of_list(user_id=self.user.id, list_id=list_id))
        todos = [todo for todo in self._after.values() if isinstance(todo, Todo)]
        return [todo for todo in todos if todo.list_id == list_id and todo.status != "deleted"]

    def take_todos(self, rows: Iterable[Any]) -> None:
        """Begins with to-dos as their rows have them, but for those that have been looked up before."""
        self._take_rows(TODO, rows, stored_todo)

    def add_list(self, name: str, position: float) -> TodoList:
        """Adds a list under the next id and returns it."""
        self._last_list_id += 1
        key = Key(LIST, self._last_list_id)
        self._take(key, Stored())
        added = TodoList(key.id, name, position)
        self.put("add", key, added)
        return added

    def new_series(self) -> int:
        """Returns the next series number, unique in the list."""
        self._last_series += 1
        return self._last_series

    def of_occurrence(self, series: int | None, occurrence: str) -> Todo | None:
        """Returns the to-do of this occurrence of the series, outside the trash, or None; an open one if there is."""
        rows = self.connection.todos_of_occurrence(user_id=self.user.id, series=series, occurrence=occurrence)
        ids = {row["id"] for row in rows} | self._edited_of_series[series]
        kept = [todo for number in sorted(ids) if (todo := self.get(number)) and todo.status != "deleted"]
        found = [todo for todo in kept if (todo.series, todo.occurrence) == (series, occurrence)]
        return min(found, key=lambda todo: todo.status != "open", default=None)

    def entries(self) -> list[Entry]:
        """Returns one entry for each record that differs, by kind and id."""
        self._leave_removed_lists()
        return [
            Entry.of(key, self._actions[key], stored.record, self._stamped(key), stored.change_id)
            for key in sorted(self._actions)
            if (stored := self._stored[key]).record != self._after[key]
        ]

    def _leave_removed_lists(self) -> None:
        """Moves to-dos to the inbox that are to come back from the trash, or by an undo, to a list that is no more."""
        for key in self._actions:
            todo = self._after[key]
            if not isinstance(todo, Todo) or not todo.list_id or todo.status == "deleted":
                continue
            if self.record(Key(LIST, todo.list_id)) is None:
                self._after[key] = todo._replace(list_id=INBOX_ID)

    def _take_rows(self, kind: str, rows: Iterable[Any], stored: Callable[[Any], Stored]) -> None:
        """Begins with records as their rows have them, but for those that have been looked up before."""
        for row in rows:
            key = Key(kind, row["id"])
            if key not in self._after:
                self._take(key, stored(row))

    def _take(self, key: Key, stored: Stored) -> None:
        """Begins with a record as it is stored, which has not been looked up before."""
        if key.kind == LIST:
            self._list_keys.append(key)
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
