"""Edits to to-dos, to the lists that they are in, and to the profile."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from todo.domain.edits import Edits
from todo.domain.kinds import lists, todos
from todo.domain.kinds.lists import LIST, TodoList
from todo.domain.kinds.profiles import PROFILE_KEY, Profile
from todo.domain.kinds.todos import TODO
from todo.domain.list_names import INBOX_ID
from todo.domain.records import Key
from todo.domain.todos import Todo
from todo.domain.users import Owner, User
from todo.storage.statements import Connection


class TodoEdits(Edits):
    """Edits to one list, with what the rules about to-dos need."""

    def __init__(self, connection: Connection, owner: Owner, user: User) -> None:
        super().__init__(connection, owner, user)
        self._last_ids[TODO] = user.last_todo_id
        self._last_series = user.last_series
        self._edited_of_series: dict[int | None, set[int]] = defaultdict(set)
        self._knows_all_lists = False

    def get(self, todo_id: int) -> Todo | None:
        """Returns the to-do as edited, or None."""
        todo: Todo | None = self.record(Key(TODO, todo_id))
        return todo

    @property
    def profile(self) -> Profile:
        """The profile as edited."""
        profile: Profile = self.record(PROFILE_KEY)
        return profile

    def edit(self, action: str, todo: Todo) -> int:
        """Sets a to-do and returns its id."""
        self._edited_of_series[todo.series].add(todo.id)
        self.put(action, Key(TODO, todo.id), todo)
        return todo.id

    def add(self, action: str, todo: Todo) -> Todo:
        """Adds the to-do under the next id and returns it."""
        key = self.new_key(TODO)
        added = todo._replace(id=key.id, version=0, created_at=self.now, updated_at=self.now)
        self.edit(action, added)
        return added

    def lists(self) -> list[TodoList]:
        """Returns all lists except the inbox, in their order, as edited."""
        if not self._knows_all_lists:
            self._knows_all_lists = True
            self._take_rows(LIST, self.connection.live_lists(user_id=self.user.id), lists.KIND.stored)
        found = [record for key in self._keys[LIST] if isinstance(record := self._after[key], TodoList)]
        return sorted(found, key=lambda listed: (listed.position, listed.id))

    def todos_of_list(self, list_id: int) -> list[Todo]:
        """Returns the to-dos of a list outside the trash, as edited."""
        self.take_todos(self.connection.todos_of_list(user_id=self.user.id, list_id=list_id))
        found = [record for key in self._keys[TODO] if isinstance(record := self._after[key], Todo)]
        return [todo for todo in found if todo.list_id == list_id and todo.status != "deleted"]

    def take_todos(self, rows: Iterable[Any]) -> None:
        """Loads to-dos from their rows, except those that have been looked up already."""
        self._take_rows(TODO, rows, todos.KIND.stored)

    def add_list(self, name: str, position: float) -> TodoList:
        """Adds a list under the next id and returns it."""
        key = self.new_key(LIST)
        added = TodoList(key.id, name, position)
        self.put("add", key, added)
        return added

    def new_series(self) -> int:
        """Returns the next series number, unique in the list."""
        self._last_series += 1
        return self._last_series

    def of_occurrence(self, series: int | None, occurrence: str) -> Todo | None:
        """Returns the to-do of this occurrence of the series, outside the trash, preferably an open one, or None."""
        rows = self.connection.todos_of_occurrence(user_id=self.user.id, series=series, occurrence=occurrence)
        ids = {row["id"] for row in rows} | self._edited_of_series[series]
        kept = [todo for number in sorted(ids) if (todo := self.get(number)) and todo.status != "deleted"]
        found = [todo for todo in kept if (todo.series, todo.occurrence) == (series, occurrence)]
        return min(found, key=lambda todo: todo.status != "open", default=None)

    def _settle(self) -> None:
        """Moves to-dos restored from the trash or by an undo to the inbox, if their list is gone."""
        for key in self._actions:
            todo = self._after[key]
            if not isinstance(todo, Todo) or not todo.list_id or todo.status == "deleted":
                continue
            if self.record(Key(LIST, todo.list_id)) is None:
                self._after[key] = todo._replace(list_id=INBOX_ID)
