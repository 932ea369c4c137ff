"""The list as a page shows it: what is overdue, due today, upcoming, without a date and done, each page by page."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from todo.contract import SITE
from todo.domain import users
from todo.domain.paging import decode_cursor, encode_cursor
from todo.domain.todos import Todo, patterns
from todo.domain.users import Owner, User
from todo.storage.statements import Connection

NAMES = SITE.enum("Section")
NEWEST_FIRST = ("done", "deleted")
START_OF_SOONEST, START_OF_NEWEST = ["", 0], ["~", 2**31]


class Moment(NamedTuple):
    """What time it is where the user is, to the minute."""

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
    """A part of the list, or of the trash: some of its to-dos, how many there are, and where the next page starts."""

    name: str
    todos: Sequence[Todo]
    total: int
    next_cursor: str | None


class View(NamedTuple):
    """What a page shows, and when that was."""

    user: User
    moment: Moment
    sections: list[Section]


def overview(connection: Connection, owner: Owner, q: str | None, tag: str | None) -> View:
    """Returns the start of every part of the list."""
    return _view(connection, owner, NAMES, SITE.limit("section_todos"), q, tag, None)


def page(
    connection: Connection, owner: Owner, section: str, q: str | None, tag: str | None, cursor: str | None
) -> View:
    """Returns one page of one part, or of the trash as `deleted`. Raises InvalidRequest for a cursor of another one."""
    return _view(connection, owner, [section], SITE.limit("page_todos"), q, tag, cursor)


def _view(
    connection: Connection,
    owner: Owner,
    names: Sequence[str],
    limit: int,
    q: str | None,
    tag: str | None,
    cursor: str | None,
) -> View:
    user = users.find(connection, owner)
    moment = Moment.of(user)
    times = {"now": moment.now, "today": moment.today, "tomorrow": moment.tomorrow}
    conditions = {"user_id": user.id, **times, **patterns(q, tag)}
    return View(user, moment, [_section(connection, name, conditions, limit, cursor) for name in names])


def _section(connection: Connection, name: str, conditions: dict[str, Any], limit: int, cursor: str | None) -> Section:
    newest = name in NEWEST_FIRST
    key, todo_id = decode_cursor(cursor, name, START_OF_NEWEST if newest else START_OF_SOONEST)
    find = getattr(connection, f"section_{name}")
    rows = list(find(**conditions, after_key=key, after_id=todo_id, limit=limit + 1))
    shown = rows[:limit]
    total = getattr(connection, f"total_of_{name}")(**conditions)["total"] if len(rows) > limit or cursor else len(rows)
    last = [shown[-1]["updated_at" if newest else "due_key"], shown[-1]["id"]] if len(rows) > limit else None
    return Section(name, [Todo.from_row(row) for row in shown], total, encode_cursor(name, last) if last else None)
