"""Days as headings, and to-dos under them."""

from datetime import date

import pytest

from todo.domain.sections import Moment
from todo.domain.todos import Todo
from todo.web import days

NOW = Moment("2026-12-30T12:00", "2026-12-31", "UTC")


@pytest.mark.parametrize(
    ("day", "heading"),
    [
        ("2026-12-29", "Yesterday"),
        ("2026-12-30", "Today"),
        ("2026-12-31", "Tomorrow"),
        ("2026-12-04", "Friday 4 December"),
        ("2027-01-02", "Saturday 2 January 2027"),
    ],
)
def test_a_day_in_words(day: str, heading: str) -> None:
    assert days.heading(day, NOW) == heading


def test_todos_by_day() -> None:
    dues = ["2026-12-31", "2026-12-31T18:00", "2027-01-02T09:00"]
    todos = [Todo(number, f"{number}", "", "", due=due) for number, due in enumerate(dues, start=1)]
    found = [(day, heading, [todo.id for todo in of_day]) for day, heading, of_day in days.by_day(todos, NOW)]
    assert found == [("2026-12-31", "Tomorrow", [1, 2]), ("2027-01-02", "Saturday 2 January 2027", [3])]
    assert days.by_day([], NOW) == []


def test_months() -> None:
    assert days.month_name(date(2026, 12, 1)) == "December 2026"
    assert days.months_around(date(2026, 12, 1)) == [("Previous", date(2026, 11, 1)), ("Next", date(2027, 1, 1))]
    assert days.months_around(date(1900, 1, 1)) == [("Next", date(1900, 2, 1))]
    assert days.months_around(date(2199, 12, 1)) == [("Previous", date(2199, 11, 1))]


@pytest.mark.parametrize(("start", "first"), [("monday", "Monday"), ("sunday", "Sunday"), ("saturday", "Saturday")])
def test_a_week_has_its_first_day_first(start: str, first: str) -> None:
    names = days.weekdays(start)
    assert (names[0], len(set(names))) == (first, 7)


def test_addresses() -> None:
    assert days.of_month("2026-12-30", None) == "/calendar?month=2026-12"
    assert days.of_month(date(2026, 12, 30), "A & B", whole=False) == "/calendar?day=2026-12-30&list=A+%26+B"
