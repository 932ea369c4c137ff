"""Dates and recurrence rules in English."""

import pytest
import time_machine

from todo.domain.sections import Moment
from todo.web import dates, days

SUNDAY = Moment("2026-11-22T12:00", "2026-11-23", "Europe/Berlin")


@pytest.mark.parametrize(
    ("due", "said"),
    [
        ("2026-11-22", "today"),
        ("2026-11-22T18:00", "today 18:00"),
        ("2026-11-23T18:00", "tomorrow 18:00"),
        ("2026-11-21", "yesterday"),
        ("2026-11-20T09:05", "2 days ago 09:05"),
        ("2026-11-27", "Friday"),
        ("2026-11-28", "Saturday"),
        ("2026-11-29", "29 Nov"),
        ("2026-11-15", "15 Nov"),
        ("2027-02-01", "1 Feb 2027"),
    ],
)
def test_due(due: str, said: str) -> None:
    assert dates.due(due, SUNDAY) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [("2026-11-23", "23 Nov"), ("2026-11-23T18:00", "23 Nov 18:00"), ("2027-01-01T09:05", "1 Jan 2027 09:05")],
)
def test_short(value: str, said: str) -> None:
    assert dates.short(value, SUNDAY) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("2026-11-22T09:05", "today 09:05"),
        ("2026-11-21T18:00", "yesterday 18:00"),
        ("2026-11-20T18:00", "20 November 18:00"),
        ("2025-11-20T18:00", "20 November 2025 18:00"),
    ],
)
def test_past(value: str, said: str) -> None:
    with time_machine.travel("2026-11-22T12:00:00Z"):
        assert dates.past(value, SUNDAY) == said


@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("2026-11-22", "Today"),
        ("2026-11-21", "Yesterday"),
        ("2026-11-16", "Monday 16 November"),
        ("2025-11-16", "Sunday 16 November 2025"),
    ],
)
def test_past_day(day: str, said: str) -> None:
    assert days.heading(day, SUNDAY) == said


@pytest.mark.parametrize(
    ("due", "said"),
    [
        ("2026-11-27", "Friday 27 November 2026"),
        ("2026-11-27T18:00", "Friday 27 November 2026, 18:00 (Europe/Berlin)"),
    ],
)
def test_only_a_time_is_in_a_zone(due: str, said: str) -> None:
    assert dates.title(due, SUNDAY.time_zone) == said


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("FREQ=DAILY", "every day"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE,FR", "every 2 weeks on Monday, Wednesday and Friday"),
        ("FREQ=MONTHLY;BYDAY=-1FR", "every month on the last Friday"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,2,3,11,22,-1", "every month on the 1st, 2nd, 3rd, 11th, 22nd and last day"),
        ("FREQ=YEARLY;COUNT=1", "every year, 1 more time"),
        ("FREQ=DAILY;UNTIL=20270301", "every day, until 1 March 2027"),
        (
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
            "every month on Monday, Tuesday, Wednesday, Thursday and Friday, only the last of them",
        ),
        (
            "FREQ=WEEKLY;BYDAY=MO,TU;BYSETPOS=1,-2",
            "every week on Monday and Tuesday, only the 1st and 2nd to last of them",
        ),
        ("FREQ=YEARLY;BYMONTH=3,11;BYDAY=4TH", "every year on the fourth Thursday in March and November"),
        ("FREQ=DAILY;INTERVAL=3;FROM=COMPLETION;COUNT=2", "every 3 days after it is done, 2 more times"),
        ("RRULE:FREQ=DAILY", "every day"),
        ("FREQ=DAILY;UNTIL=20382183", "every day, until 20382183"),
    ],
)
def test_repeat(rule: str, said: str) -> None:
    assert dates.repeat(rule) == said
