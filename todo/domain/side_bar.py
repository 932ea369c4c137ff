"""The side bar of the list page: the lists, with how many to-dos are open and overdue in each."""

from collections.abc import Mapping
from typing import NamedTuple

import orjson

from todo.domain import lists
from todo.domain.kinds.lists import TodoList
from todo.domain.list_names import INBOX, INBOX_ID, key_of
from todo.domain.open_counts import OpenCounts
from todo.domain.users import User
from todo.storage.statements import Connection


class SideList(NamedTuple):
    """A list in the side bar. `up` and `down` are the positions of its neighbours there, None at an end."""

    id: int
    name: str
    open: int
    overdue: int
    is_archived: bool = False
    up: int | None = None
    down: int | None = None


class SideBar(NamedTuple):
    """The lists in their order, the inbox first, and the archived ones."""

    active: list[SideList]
    archived: list[SideList]

    @property
    def open(self) -> int:
        return sum(listed.open for listed in self.active)

    @property
    def overdue(self) -> int:
        return sum(listed.overdue for listed in self.active)

    @property
    def names(self) -> Mapping[int, str]:
        """The names of all lists by id."""
        return {listed.id: listed.name for listed in (*self.active, *self.archived)}

    def find(self, name: str | None) -> SideList | None:
        """Returns the list with this name, ignoring case and width, or None."""
        every = (*self.active, *self.archived)
        return next((listed for listed in every if name and key_of(listed.name) == key_of(name)), None)


def of(connection: Connection, user: User) -> SideBar:
    """Returns a user's side bar, which is cached until the list or the minute changes: it reads every open to-do."""
    key = ("side bar", user.version, user.local_now())
    text = connection.cache.get(key)
    if text is None:
        text = orjson.dumps([tuple(listed) for listed in _read(connection, user)]).decode()
        connection.cache.put(key, text)
    sides = [SideList(*values) for values in orjson.loads(text)]
    return SideBar(
        [listed for listed in sides if not listed.is_archived], [listed for listed in sides if listed.is_archived]
    )


def _read(connection: Connection, user: User) -> list[SideList]:
    """Returns the inbox and the lists in their order."""
    every = lists.all_of(connection, user)
    hidden = lists.archived_ids(every)
    counts = OpenCounts.by_list(connection, user)
    # Archived lists have places too, but are not shown, so a list moves past them and its neighbour in one step.
    places = [place for place, listed in enumerate(every, start=1) if listed.id not in hidden]
    around = zip(places, [None, *places], [*places[1:], None], strict=False)
    neighbours = {place: (before, after) for place, before, after in around}
    inbox = SideList(INBOX_ID, INBOX, counts.open[INBOX_ID], counts.overdue[INBOX_ID])
    sides = [
        _side_list(listed, counts, *neighbours.get(place, (None, None))) for place, listed in enumerate(every, start=1)
    ]
    return [inbox, *sides]


def _side_list(listed: TodoList, counts: OpenCounts, up: int | None, down: int | None) -> SideList:
    counted = counts.open[listed.id], counts.overdue[listed.id]
    return SideList(listed.id, listed.name, *counted, listed.is_archived, up, down)
