"""Recurrence: when a repeating to-do is next due, by a subset of RRULE (RFC 5545 section 3.3.10) in local time.

Occurrences are counted from `start`, the due date that the rule came with, even if one is moved or completed late. The
part FROM=COMPLETION, which RFC 5545 does not have, counts from the day of completion instead.
"""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice

from todo.contract import API
from todo.domain.users import WEEKDAYS
from todo.errors import InvalidRequest

YEARS_AHEAD = API.limit("repeat_years")
LAST_YEAR = 2199
WEEKDAY_CODES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
MONTHS = {"MONTHLY": 1, "YEARLY": 12}
DAYS = {"DAILY": 1, "WEEKLY": 7}
BY_PARTS = ("BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS")
IN_MONTHS = "with FREQ=MONTHLY, or with FREQ=YEARLY and BYMONTH, only"
MAX_STEPS = 12 * YEARS_AHEAD + 2  # the current step, and every one that may follow


@dataclass(frozen=True)
class Series:
    """The series of a repeating to-do: its RRULE, its first due date, and the occurrence that this to-do is."""

    repeat: str
    start: str
    occurrence: str

    def following(self, due: str, now: datetime) -> tuple[str, "Series"] | None:
        """Returns the due date and the series of the next to-do, if this one is completed `now`; None after the last.

        The next one is later than this occurrence, than `due` (to which it may have been moved) and than `now`; with
        FROM=COMPLETION it is one interval after the day of `now`.
        """
        parts = _parts(self.repeat)
        if parts.get("COUNT") == "1":
            return None
        timed = "T" in self.start
        if "FROM" in parts:
            found = _ahead(parts, _parsed(self.start), now)
            # Numbered, as the same to-do may be completed again on another day.
            occurrence = str(int(self.occurrence) + 1 if self.occurrence.isdigit() else 2)
            return self._at(found, parts, occurrence)
        # Moved to a date without a time, it is due by the end of that day.
        moved = _parsed(due) if "T" in due or not timed else _parsed(due).replace(hour=23, minute=59)
        after = max(_parsed(self.occurrence), moved, now.replace(tzinfo=None) if timed else _midnight(now))
        return self._at(_next(parts, _parsed(self.start), after), parts)

    def _at(
        self, found: datetime | None, parts: dict[str, str], occurrence: str | None = None
    ) -> tuple[str, "Series"] | None:
        """Returns the due date and the series of the to-do at this date; None if the rule ends before."""
        if found is None or ("UNTIL" in parts and found.date() > _until(parts)):
            return None
        following = found.strftime("%Y-%m-%dT%H:%M" if "T" in self.start else "%Y-%m-%d")
        return following, Series(_counted_down(self.repeat, parts), self.start, occurrence or following)


def weekdays(repeat: str) -> list[str]:
    """Returns the names of the weekdays that a rule names in BYDAY, in its order."""
    codes = [name[-2:] for name in _parts(repeat).get("BYDAY", "").split(",") if name]
    return [WEEKDAYS[WEEKDAY_CODES.index(code)] for code in dict.fromkeys(codes)]


def first(repeat: str, day: date) -> date:
    """Returns the first day of a rule on or after a day; the day itself if the rule names none within its years."""
    parts = {**_parts(repeat), "INTERVAL": "1"}
    start = datetime(day.year, day.month, day.day)
    found = None if "FROM" in parts else _next(parts, start, start - timedelta(days=1))
    return found.date() if found else day


def check(repeat: str, due: str | None) -> None:
    """Raises InvalidRequest if the parts conflict, due is missing, or no date follows within YEARS_AHEAD years."""
    parts = _parts(repeat)
    frequency = parts["FREQ"]
    in_months = frequency == "MONTHLY" or (frequency == "YEARLY" and "BYMONTH" in parts)
    wrong = (
        (due is None and "needs due, the first date of the series; send due too")
        or (len(parts) != repeat.count(";") + 1 and "must not name a part twice")
        or ("COUNT" in parts and "UNTIL" in parts and "must have COUNT or UNTIL, not both")
        or ("BYDAY" in parts and "BYMONTHDAY" in parts and "must have BYDAY or BYMONTHDAY, not both")
        or ("FROM" in parts and any(part in parts for part in BY_PARTS) and "must have no BY part with FROM=COMPLETION")
        or ("BYMONTHDAY" in parts and not in_months and f"can have BYMONTHDAY {IN_MONTHS}")
        or ("BYDAY" in parts and frequency == "YEARLY" and not in_months and "must have BYMONTH too, to have BYDAY")
        or (_has_ordinals(parts) and not in_months and f"can have numbers in BYDAY {IN_MONTHS}")
        or ("BYSETPOS" in parts and not {"BYDAY", "BYMONTHDAY"} & parts.keys() and "must have BYDAY with BYSETPOS")
        or ("BYSETPOS" in parts and frequency == "DAILY" and "cannot have BYSETPOS with FREQ=DAILY; use FREQ=MONTHLY")
        or ("UNTIL" in parts and not _is_day(parts["UNTIL"]) and "must have a real day in UNTIL, such as 20271231")
    )
    if wrong:
        raise InvalidRequest.of("repeat", wrong)
    assert due
    start = _parsed(due)
    found = _ahead(parts, start, start) if "FROM" in parts else _next(parts, start, start)
    if found is None or (found.year - YEARS_AHEAD, found.month, found.day) > (start.year, start.month, start.day):
        cure = "choose a smaller INTERVAL or other days"
        raise InvalidRequest.of("repeat", f"has no date within {YEARS_AHEAD} years of due; {cure}")


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


def _ahead(parts: dict[str, str], start: datetime, done: datetime) -> datetime | None:
    """Returns the date one interval after the day of `done`, at the time of day of `start`; None after LAST_YEAR."""
    interval = _interval(parts)
    day = start.replace(year=done.year, month=done.month, day=done.day)
    if parts["FREQ"] in DAYS:
        found = day + timedelta(days=DAYS[parts["FREQ"]] * interval)
    else:
        year, month = divmod(day.year * 12 + day.month - 1 + MONTHS[parts["FREQ"]] * interval, 12)
        found = day.replace(year=year, month=month + 1, day=min(day.day, monthrange(year, month + 1)[1]))
    return found if found.year <= LAST_YEAR else None


def _counted_down(repeat: str, parts: dict[str, str]) -> str:
    count = parts.get("COUNT")
    return repeat.replace(f"COUNT={count}", f"COUNT={int(count) - 1}") if count else repeat


def _next(parts: dict[str, str], start: datetime, after: datetime) -> datetime | None:
    """Returns the first date later than `after`, or None if MAX_STEPS steps of the rule find none."""
    steps = islice(_steps(parts, start, after), MAX_STEPS)
    dates = (found for step in steps for found in step)
    return next((found for found in dates if found > after and found >= start and found.year <= LAST_YEAR), None)


def _steps(parts: dict[str, str], start: datetime, after: datetime) -> Iterator[list[datetime]]:
    """Yields the dates in each day, week, month or year of the rule, starting near `after`."""
    if parts["FREQ"] in MONTHS:
        found = _months(parts, start, after)
    else:
        found = _weeks(parts, start, after) if parts["FREQ"] == "WEEKLY" else _days(parts, start, after)
    if "BYSETPOS" not in parts:
        return found
    places = [int(place) for place in parts["BYSETPOS"].split(",")]
    return (_at_places(dates, places) for dates in found)


def _at_places(dates: list[datetime], places: list[int]) -> list[datetime]:
    """Returns the dates at these places, 1 for the first and -1 for the last, in order."""
    at = {place - 1 if place > 0 else len(dates) + place for place in places}
    return [found for index, found in enumerate(dates) if index in at]


def _days(parts: dict[str, str], start: datetime, after: datetime) -> Iterator[list[datetime]]:
    names, months = _names(parts) or list(WEEKDAY_CODES), _numbers(parts, "BYMONTH")
    for day in _every(timedelta(days=_interval(parts)), start, after, months):
        yield [day] if WEEKDAY_CODES[day.weekday()] in names and (not months or day.month in months) else []


def _weeks(parts: dict[str, str], start: datetime, after: datetime) -> Iterator[list[datetime]]:
    """Yields the dates in each week. Weeks begin on Monday, the default of WKST (RFC 5545 section 3.3.10)."""
    names, months = _names(parts) or [WEEKDAY_CODES[start.weekday()]], _numbers(parts, "BYMONTH")
    days = sorted({WEEKDAY_CODES.index(name) for name in names})
    first = start - timedelta(days=start.weekday())
    for monday in _every(timedelta(weeks=_interval(parts)), first, after, months, span=timedelta(days=6)):
        dates = [monday + timedelta(days=day) for day in days]
        yield [found for found in dates if not months or found.month in months]


def _every(
    step: timedelta, start: datetime, after: datetime, months: list[int], span: timedelta = timedelta()
) -> Iterator[datetime]:
    """Yields start, start + step, ..., skipping whole steps up to about `after`, and from one of `months` to the next.

    `span` is the time from the first to the last date in a step.
    """
    day = start + max(0, (after - start) // step) * step
    while day.year <= LAST_YEAR:
        yield day
        day += step
        if months and not {day.month, (day + span).month} & {*months}:
            to_first = _next_month(day, months) - span - day
            day += max(0, -(-to_first // step)) * step


def _next_month(day: datetime, months: list[int]) -> datetime:
    """Returns the first day of the next month that is one of these."""
    ahead = min((month - day.month - 1) % 12 + 1 for month in months)
    year, month = divmod(day.year * 12 + day.month - 1 + ahead, 12)
    return day.replace(year=year, month=month + 1, day=1)


def _months(parts: dict[str, str], start: datetime, after: datetime) -> Iterator[list[datetime]]:
    """Yields the dates in each month; of a yearly rule with BYMONTH, those in each year."""
    step, months = MONTHS[parts["FREQ"]] * _interval(parts), _numbers(parts, "BYMONTH")
    in_years = parts["FREQ"] == "YEARLY" and bool(months)
    first = start.year * 12 + (0 if in_years else start.month - 1)
    month = first + max(0, (after.year * 12 + after.month - 1 - first) // step) * step
    while month // 12 <= LAST_YEAR:
        if in_years:
            each = [month + number - 1 for number in sorted({*months})]
        else:
            each = [month] if not months or month % 12 + 1 in months else []
        yield [found for number in each for found in _in_month(parts, start, number)]
        month += step


def _in_month(parts: dict[str, str], start: datetime, month: int) -> list[datetime]:
    """Returns the dates in a month, which is counted from year 0, in order."""
    begin = start.replace(year=month // 12, month=month % 12 + 1, day=1)
    names = _names(parts)
    found = _on_weekdays(begin, names) if names else _on_days(begin, _numbers(parts, "BYMONTHDAY") or [start.day])
    return [begin.replace(day=day) for day in sorted(found)]


def _interval(parts: dict[str, str]) -> int:
    return int(parts.get("INTERVAL", "1"))


def _names(parts: dict[str, str]) -> list[str]:
    return parts["BYDAY"].split(",") if "BYDAY" in parts else []


def _numbers(parts: dict[str, str], part: str) -> list[int]:
    return [int(number) for number in parts[part].split(",")] if part in parts else []


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
