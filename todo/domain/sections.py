"""The sections of the list page (overdue, today, upcoming, undated, done) and the trash, each paged."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from heapq import merge
from itertools import islice
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from todo.contract import SITE
from todo.domain import lists, users
from todo.domain.listing import ANY_LIST, patterns
from todo.domain.paging import MOST, decode_cursor, encode_cursor
from todo.domain.places import id_at, order_of
from todo.domain.todos import Todo
from todo.domain.users import Owner, User
from todo.storage.statements import Connection

NAMES = SITE.enum("Section")
NEWEST_FIRST = ("done", "deleted")
START, START_OF_NEWEST = ["", -MOST, 0], ["~", 2**31]


class Moment(NamedTuple):
    """The user's local time, to the minute."""

    now: str
    tomorrow: str
    time_zone: str

    @property
    def today(self) -> str:
        return self.now[:10]

    @classmethod
    def of(cls, user: User) -> "Moment":
        now = datetime.now(ZoneInfo(user.time_zone))
        return cls(f"{now:%Y-%m-%dT%H:%M}", f"{now + timedelta(days=1):%Y-%m-%d}", user.time_zone)


class Section(NamedTuple):
    """One page of a section, with the section's total and the cursor of its next page."""

    name: str
    todos: Sequence[Todo]
    total: int
    next_cursor: str | None


class ListPage(NamedTuple):
    """The sections of a page, and the local time at which they were read."""

    user: User
    moment: Moment
    sections: list[Section]


def overview(connection: Connection, owner: Owner, q: str | None, tag: str | None, list_name: str | None) -> ListPage:
    """Returns the first to-dos of every section, in one list or in all. Raises ListNotFound."""
    return _page(connection, owner, NAMES, SITE.limit("section_todos"), q, tag, list_name, None)


def page(
    connection: Connection,
    owner: Owner,
    section: str,
    q: str | None,
    tag: str | None,
    list_name: str | None,
    cursor: str | None,
) -> ListPage:
    """Returns one page of a section; `deleted` is the trash. Raises InvalidRequest for a bad cursor, ListNotFound."""
    return _page(connection, owner, [section], SITE.limit("page_todos"), q, tag, list_name, cursor)


def day(connection: Connection, owner: Owner, day: str, list_name: str | None, cursor: str | None) -> ListPage:
    """Returns one page of the to-dos due on a day. Raises InvalidRequest for a bad cursor, ListNotFound."""
    limit, next_day = SITE.limit("page_todos"), f"{date.fromisoformat(day) + timedelta(days=1)}"
    return _page(connection, owner, ["day"], limit, None, None, list_name, cursor, day=day, next_day=next_day)


def _page(
    connection: Connection,
    owner: Owner,
    names: Sequence[str],
    limit: int,
    q: str | None,
    tag: str | None,
    list_name: str | None,
    cursor: str | None,
    **days: str,
) -> ListPage:
    user = users.find(connection, owner)
    moment = Moment.of(user)
    times = {"now": moment.now, "today": moment.today, "tomorrow": moment.tomorrow}
    list_id = lists.find_id(connection, user, list_name) if list_name else ANY_LIST
    conditions = {"user_id": user.id, **times, **days, **patterns(q, tag), "list_id": list_id}
    return ListPage(user, moment, [_section(connection, name, conditions, limit, cursor) for name in names])


def _section(connection: Connection, name: str, conditions: dict[str, Any], limit: int, cursor: str | None) -> Section:
    newest = name in NEWEST_FIRST
    start = decode_cursor(cursor, name, START_OF_NEWEST if newest else START)
    todos = (_newest if newest else _in_order)(connection, name, conditions, limit + 1, start)
    fitting = todos[:limit]
    more = len(todos) > limit
    total = getattr(connection, f"total_of_{name}")(**conditions)["total"] if more or cursor else len(todos)
    return Section(name, fitting, total, encode_cursor(name, *_place_in(name, fitting[-1])) if more else None)


def _place_in(name: str, todo: Todo) -> list[Any]:
    """Returns the contents of a cursor to a to-do of a section."""
    return [todo.updated_at, todo.id] if name in NEWEST_FIRST else list(order_of(todo))


def _newest(
    connection: Connection, name: str, conditions: dict[str, Any], limit: int, start: list[Any]
) -> Sequence[Todo]:
    """Returns to-dos from a cursor on, the last changed first."""
    find = getattr(connection, f"section_{name}")
    rows = find(**conditions, after_key=start[0], after_id=start[1], limit=limit)
    return [Todo.from_row(row) for row in rows]


def _in_order(
    connection: Connection, name: str, conditions: dict[str, Any], limit: int, start: list[Any]
) -> Sequence[Todo]:
    """Returns to-dos from a cursor on, as people see them. Those that were moved have an index of their own."""
    after_key, place, todo_id = start
    find, find_moved = getattr(connection, f"section_{name}"), getattr(connection, f"section_{name}_moved")
    rows = find(**conditions, after_key=after_key, after_id=id_at(place, name), limit=limit)
    moved = find_moved(**conditions, after_key=after_key, after_place=place, after_id=todo_id, limit=limit)
    return list(islice(merge(map(Todo.from_row, rows), map(Todo.from_row, moved), key=order_of), limit))
