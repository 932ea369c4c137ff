"""Ranges of due dates: what the values of `when` mean in the person's time zone."""

from datetime import datetime, timedelta
from typing import NamedTuple

from todo.domain.due_dates import MINUTE
from todo.domain.paging import NO_DUE
from todo.domain.users import DAY
from todo.domain.weeks import week_of

END = "~"  # sorts after every date, and after a date after all times of that day
LAST_DUE = f"9998{END}"


class DueRange(NamedTuple):
    """Bounds of the due date, both inclusive, as todo_filters.sql takes them."""

    due_from: str = ""
    due_to: str = LAST_DUE
    due_except: str = ""  # a date that is within the bounds and does not count
    closed_from: str = ""  # the least due date of a to-do that is not open

    def within(self, due_from: str | None, due_to: str | None) -> "DueRange":
        """Returns the part of the range between two bounds, which may be None; a date covers its whole day."""
        first = (due_from or "")[:MINUTE]
        last = END if not due_to else f"{due_to}{END}" if len(due_to) == DAY else due_to[:MINUTE]
        return self._replace(due_from=max(self.due_from, first), due_to=min(self.due_to, last))


ANY = DueRange(due_to=NO_DUE)
DATED = DueRange()


def of(when: str, local_now: str, week_start: str) -> DueRange:
    """Returns the range for a value of `when` at a local time."""
    now = datetime.fromisoformat(local_now)
    today = now.date()
    if when == "overdue":
        # Due on a date without a time, it is overdue from the next day on.
        return DueRange(due_to=f"{now - timedelta(minutes=1):%Y-%m-%dT%H:%M}", due_except=f"{today}", closed_from=END)
    if when == "today_and_overdue":
        return DueRange(due_to=f"{today}{END}", closed_from=f"{today}")
    if when == "no_due":
        return DueRange(NO_DUE, NO_DUE)
    first, last = {
        "today": (today, today),
        "tomorrow": (today + timedelta(days=1), today + timedelta(days=1)),
        "this_week": week_of(today, week_start),
        "next_7_days": (today, today + timedelta(days=6)),
    }[when]
    return DueRange(f"{first}", f"{last}{END}")
