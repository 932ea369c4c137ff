"""Days and months as headings, and to-dos under them."""

from calendar import day_name
from collections.abc import Iterable
from datetime import date, timedelta
from itertools import groupby
from typing import NamedTuple
from urllib.parse import urlencode

from todo.contract import SITE
from todo.contract.schemas import compile_schema
from todo.domain.month import month_after, month_before
from todo.domain.sections import Moment
from todo.domain.todos import Todo
from todo.domain.users import DAY
from todo.domain.weeks import days_from

_is_month = compile_schema(SITE.schema("Month"))


class DayOfTodos(NamedTuple):
    """The to-dos of one day under its heading."""

    day: str
    heading: str
    todos: list[Todo]


def by_day(todos: Iterable[Todo], moment: Moment) -> list[DayOfTodos]:
    """Returns to-dos that are sorted by their due dates, by day."""
    days = groupby(todos, key=lambda todo: (todo.due or "")[:DAY])
    return [DayOfTodos(day, heading(day, moment), list(of_day)) for day, of_day in days]


def heading(day: str, moment: Moment) -> str:
    """Returns a day in words: Yesterday, Tomorrow, Friday 4 December, Saturday 2 January 2027."""
    given, today = date.fromisoformat(day), date.fromisoformat(moment.today)
    near = {today - timedelta(days=1): "Yesterday", today: "Today", today + timedelta(days=1): "Tomorrow"}
    year = f" {given.year}" if given.year != today.year else ""
    return near.get(given) or f"{given:%A} {given.day} {given:%B}{year}"


def month_name(first: date) -> str:
    """Returns a month in words: December 2026."""
    return f"{first:%B} {first.year}"


def weekdays(start: str) -> list[str]:
    """Returns the names of the days of a week from its first one."""
    return [day_name[number] for number in days_from(start)]


def months_around(first: date) -> list[tuple[str, date]]:
    """Returns the months before and after a month, as (Previous or Next, first day), where they can be shown."""
    around = (("Previous", month_before(first)), ("Next", month_after(first)))
    return [(which, month) for which, month in around if _is_month(f"{month}"[:7])]


def of_month(day: date | str, list_name: str | None, *, whole: bool = True) -> str:
    """Returns the URL of the month that a day is in, or of the day alone, in one list or in all."""
    query = {"month": f"{day}"[:7]} if whole else {"day": f"{day}"}
    return f"/calendar?{urlencode(query | ({'list': list_name} if list_name else {}))}"
