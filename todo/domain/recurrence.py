"""Recurrence: when a repeating to-do is next due, by a subset of RRULE (RFC 5545 section 3.3.10) in local time.

Occurrences are counted from `start`, the due date that the rule came with, even if one is moved or completed late.
"""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice

from todo.contract import API
from todo.errors import InvalidRequest

YEARS_AHEAD = API.limit("repeat_years")
LAST_YEAR = 2199
WEEKDAY_CODES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
MONTHS = {"MONTHLY": 1, "YEARLY": 12}
MAX_STEPS = 12 * YEARS_AHEAD + 2  # the current step, and every one that may follow


@dataclass(frozen=True)
class Series:
    """The series of a repeating to-do: its RRULE, its first due date, and the one that this to-do stands for."""

    repeat: str
    start: str
    occurrence: str

    def following(self, due: str, now: datetime) -> tuple[str, "Series"] | None:
        """Returns the due date and the series of the next to-do, if this one is completed `now`; None after the last.

        The next one is later than this occurrence, than `due` (to which it may have been moved) and than `now`.
        """
        parts = _parts(self.repeat)
        if parts.get("COUNT") == "1":
            return None
        timed = "T" in self.start
        # Moved to a date without a time, it is due by the end of that day.
        moved = _parsed(due) if "T" in due or not timed else _parsed(due).replace(hour=23, minute=59)
        after = max(_parsed(self.occurrence), moved, now.replace(tzinfo=None) if timed else _midnight(now))
        found = _next(parts, _parsed(self.start), after)
        if found is None or ("UNTIL" in parts and found.date() > _until(parts)):
            return None
        following = found.strftime("%Y-%m-%dT%H:%M" if timed else "%Y-%m-%d")
        return following, Series(_counted_down(self.repeat, parts), self.start, following)


def check(repeat: str, due: str | None) -> None:
    """Raises InvalidRequest if the parts conflict, due is missing, or no date follows within YEARS_AHEAD years."""
    parts = _parts(repeat)
    frequency = parts["FREQ"]
    wrong = (
        (due is None and "needs due, the first date of the series")
        or (len(parts) != repeat.count(";") + 1 and "must not name a part twice")
        or ("COUNT" in parts and "UNTIL" in parts and "must have COUNT or UNTIL, not both")
        or ("BYDAY" in parts and "BYMONTHDAY" in parts and "must have BYDAY or BYMONTHDAY, not both")
        or ("BYMONTHDAY" in parts and frequency != "MONTHLY" and "can have BYMONTHDAY with FREQ=MONTHLY only")
        or ("BYDAY" in parts and frequency == "YEARLY" and "cannot have BYDAY with FREQ=YEARLY")
        or (_has_ordinals(parts) and frequency != "MONTHLY" and "can have numbers in BYDAY with FREQ=MONTHLY only")
        or ("UNTIL" in parts and not _is_day(parts["UNTIL"]) and "must have a real day in UNTIL, such as 20271231")
    )
    if wrong:
        raise InvalidRequest.of("repeat", wrong)
    assert due
    start = _parsed(due)
    found = _next(parts, start, start)
    if found is None or (found.year - YEARS_AHEAD, found.month, found.day) > (start.year, start.month, start.day):
        raise InvalidRequest.of("repeat", f"has no date within {YEARS_AHEAD} years of due")


def _parts(repeat: str) -> dict[str, str]:
    return dict(part.split("=") for part in repeat.split(";"))


def _has_ordinals(parts: dict[str, str]) -> bool:
    return any(character.isdigit() for character in parts.get("BYDAY", ""))


def _is_day(until: str) -> bool:
    try:
        return bool(datetime.strptime(until, "%Y%m%d"))
    except ValueError:
        return False


def _until(parts: dict[str, str]) -> date:
    return datetime.strptime(parts["UNTIL"], "%Y%m%d").date()


def _parsed(due: str) -> datetime:
    return datetime.fromisoformat(due)


def _midnight(now: datetime) -> datetime:
    return datetime(now.year, now.month, now.day)


def _counted_down(repeat: str, parts: dict[str, str]) -> str:
    count = parts.get("COUNT")
    return repeat.replace(f"COUNT={count}", f"COUNT={int(count) - 1}") if count else repeat


def _next(parts: dict[str, str], start: datetime, after: datetime) -> datetime | None:
    """Returns the first date later than `after`, or None if MAX_STEPS steps of the rule find none."""
    steps = islice(_steps(parts, start, after), MAX_STEPS)
    dates = (found for step in steps for found in step)
    return next((found for found in dates if found > after and found >= start and found.year <= LAST_YEAR), None)


def _steps(parts: dict[str, str], start: datetime, after: datetime) -> Iterator[list[datetime]]:
    """Yields the dates in each day, week or month of the rule, starting near `after`."""
    interval = int(parts.get("INTERVAL", "1"))
    names = parts["BYDAY"].split(",") if "BYDAY" in parts else []
    if parts["FREQ"] in MONTHS:
        return _months(parts, names, start, after, MONTHS[parts["FREQ"]] * interval)
    if parts["FREQ"] == "WEEKLY":
        return _weeks(names or [WEEKDAY_CODES[start.weekday()]], start, after, timedelta(weeks=interval))
    return _days(names or list(WEEKDAY_CODES), start, after, timedelta(days=interval))


def _days(names: list[str], start: datetime, after: datetime, step: timedelta) -> Iterator[list[datetime]]:
    for day in _every(step, start, after):
        yield [day] if WEEKDAY_CODES[day.weekday()] in names else []


def _weeks(names: list[str], start: datetime, after: datetime, step: timedelta) -> Iterator[list[datetime]]:
    """Yields the dates in each week. Weeks begin on Monday, the default of WKST (RFC 5545 section 3.3.10)."""
    days = sorted(WEEKDAY_CODES.index(name) for name in names)
    for monday in _every(step, start - timedelta(days=start.weekday()), after):
        yield [monday + timedelta(days=day) for day in days]


def _every(step: timedelta, start: datetime, after: datetime) -> Iterator[datetime]:
    """Yields start, start + step, ..., skipping whole steps up to about `after`."""
    day = start + max(0, (after - start) // step) * step
    while day.year <= LAST_YEAR:
        yield day
        day += step


def _months(
    parts: dict[str, str], names: list[str], start: datetime, after: datetime, step: int
) -> Iterator[list[datetime]]:
    first = start.year * 12 + start.month - 1
    month = first + max(0, (after.year * 12 + after.month - 1 - first) // step) * step
    numbers = [int(number) for number in parts.get("BYMONTHDAY", str(start.day)).split(",")]
    while month // 12 <= LAST_YEAR:
        begin = start.replace(year=month // 12, month=month % 12 + 1, day=1)
        found = _on_weekdays(begin, names) if names else _on_days(begin, numbers)
        yield [begin.replace(day=day) for day in sorted(found)]
        month += step


def _on_days(month: datetime, numbers: list[int]) -> set[int]:
    """Returns the days with these numbers; in a month too short for one, its last day instead."""
    last = monthrange(month.year, month.month)[1]
    return {last if number == -1 else min(number, last) for number in numbers}


def _on_weekdays(month: datetime, names: list[str]) -> set[int]:
    """Returns the days of the month for BYDAY: every Monday (MO), the second (2MO), the last (-1MO)."""
    first, last = monthrange(month.year, month.month)
    found: set[int] = set()
    for name in names:
        days = list(range(1 + (WEEKDAY_CODES.index(name[-2:]) - first) % 7, last + 1, 7))
        number = int(name[:-2] or 0)
        found.update(days if number == 0 else days[-1:] if number < 0 else days[number - 1 : number])
    return found
