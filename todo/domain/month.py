"""The calendar of a month: the to-dos that are due, in whole weeks."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from todo.contract import SITE
from todo.domain import lists, users, weeks
from todo.domain.listing import ANY_LIST
from todo.domain.sections import Moment
from todo.domain.todos import Todo
from todo.domain.users import DAY, Owner, User
from todo.storage.statements import Connection

MOST = SITE.limit("day_todos")
WEEK = timedelta(days=7)


class Day(NamedTuple):
    """A day with its first to-dos, and how many it has in all."""

    date: date
    is_in_month: bool
    todos: Sequence[Todo]
    total: int


class Month(NamedTuple):
    """The weeks of a month, and the local time at which they were read."""

    user: User
    moment: Moment
    first: date
    weeks: list[list[Day]]

    @property
    def days(self) -> list[Day]:
        return [day for week in self.weeks for day in week]


def page(connection: Connection, owner: Owner, month: str | None, list_name: str | None) -> Month:
    """Returns a month such as 2026-12, by default the current one, of one list or of all. Raises ListNotFound."""
    user = users.find(connection, owner)
    moment = Moment.of(user)
    first = date.fromisoformat(f"{month or moment.today[:7]}-01")
    start, _ = weeks.week_of(first, user.week_start)
    _, end = weeks.week_of(month_after(first) - timedelta(days=1), user.week_start)
    rows = connection.first_of_days(
        user_id=user.id,
        day=f"{start}",
        next_day=f"{end + timedelta(days=1)}",
        list_id=lists.find_id(connection, user, list_name) if list_name else ANY_LIST,
        most=MOST,
    )
    todos: dict[str, list[Todo]] = defaultdict(list)
    totals: dict[str, int] = defaultdict(int)
    for row in rows:
        day = row["due_key"][:DAY]
        todos[day].append(Todo.from_row(row))
        totals[day] = row["total"]
    days = [start + timedelta(days=number) for number in range((end - start).days + 1)]
    found = [Day(day, day.month == first.month, todos[f"{day}"], totals[f"{day}"]) for day in days]
    return Month(user, moment, first, [found[number : number + 7] for number in range(0, len(found), 7)])


def month_after(first: date) -> date:
    """Returns the first day of the next month, given the first day of one."""
    return (first + timedelta(days=31)).replace(day=1)


def month_before(first: date) -> date:
    """Returns the first day of the month before, given the first day of one."""
    return (first - timedelta(days=1)).replace(day=1)
