"""When a repeating to-do is due next: a part of RFC 5545's RRULE, in the owner's local time.

A series keeps its rhythm: it is counted from `start`, the due date that the rule came with, whatever is moved or late.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from dateutil.rrule import DAILY, MONTHLY, WEEKLY, YEARLY, rrule, rruleset, rrulestr

from todo.errors import InvalidRequest

FREQUENCIES: dict[str, Any] = {"DAILY": DAILY, "WEEKLY": WEEKLY, "MONTHLY": MONTHLY, "YEARLY": YEARLY}
LAST = datetime(2199, 12, 31, 23, 59)
STEP = {"DAILY": timedelta(days=1), "WEEKLY": timedelta(weeks=1)}


@dataclass(frozen=True)
class Series:
    """A repeating to-do: its rule, the due date that the rule came with, and the one that this to-do stands for."""

    repeat: str
    start: str
    occurrence: str

    def following(self, due: str, now: datetime) -> tuple[str, "Series"] | None:
        """Returns the due date and the series of the to-do after this one, completed `now`; None when it was the last.

        It comes after this one's place in the series, after the date that it was moved to, and after now.
        """
        parts = _parts(self.repeat)
        if parts.get("COUNT") == "1":
            return None
        timed = "T" in self.start
        # One that was moved to a day without an hour has that whole day.
        moved = _read(due) if "T" in due or not timed else _read(due).replace(hour=23, minute=59)
        passed = max(_read(self.occurrence), moved, now.replace(tzinfo=None) if timed else _midnight(now))
        found = _dates(parts, _read(self.start), passed).after(passed)
        if found is None or ("UNTIL" in parts and found.date() > _until(parts)):
            return None
        following = found.strftime("%Y-%m-%dT%H:%M" if timed else "%Y-%m-%d")
        return following, Series(_counted_down(self.repeat, parts), self.start, following)


def check(repeat: str, due: str | None) -> None:
    """Raises InvalidRequest where the parts of a rule do not go together, or there is no due date to count from."""
    parts = _parts(repeat)
    frequency = parts["FREQ"]
    wrong = (
        (due is None and "needs due, from which it is counted")
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
    if {"COUNT", "UNTIL"}.isdisjoint(parts) and due and not Series(repeat, due, due).following(due, _read(due)):
        raise InvalidRequest.of("repeat", "has no date after due")


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


def _read(due: str) -> datetime:
    return datetime.fromisoformat(due)


def _midnight(now: datetime) -> datetime:
    return datetime(now.year, now.month, now.day)


def _counted_down(repeat: str, parts: dict[str, str]) -> str:
    count = parts.get("COUNT")
    return repeat.replace(f"COUNT={count}", f"COUNT={int(count) - 1}") if count else repeat


def _dates(parts: dict[str, str], start: datetime, passed: datetime) -> rruleset:
    """Returns the dates of the rule, from some time before `passed` on."""
    first_day = start.day
    frequency, interval = parts["FREQ"], int(parts.get("INTERVAL", "1"))
    dates = rruleset()
    start, end = _skip(start, passed, frequency, interval)
    if "BYDAY" in parts:
        text = f"FREQ={frequency};INTERVAL={interval};BYDAY={parts['BYDAY']};UNTIL={end:%Y%m%dT%H%M%S}"
        by_day: Any = rrulestr(text, dtstart=start)
        dates.rrule(by_day)
    elif frequency in STEP:
        dates.rrule(rrule(FREQUENCIES[frequency], dtstart=start, interval=interval, until=end))
    else:
        for day in map(int, parts.get("BYMONTHDAY", str(first_day)).split(",")):
            dates.rrule(_monthly(frequency, interval, start, day))
    return dates


def _skip(start: datetime, passed: datetime, frequency: str, interval: int) -> tuple[datetime, datetime]:
    """Returns where to start and end looking; skipping whole steps keeps the rhythm and saves counting years."""
    if frequency in STEP:
        step = STEP[frequency] * interval
        start += max(0, (passed - start) // step - 1) * step
        # Within seven steps every weekday comes that ever comes.
        return start, min(LAST, start + 10 * step) if LAST - start > 10 * step else LAST
    months = interval * (12 if frequency == "YEARLY" else 1)
    passed_months = (passed.year - start.year) * 12 + passed.month - start.month
    skipped = start.month - 1 + max(0, passed_months // months - 1) * months
    # The first of the month, as every month has one; what comes before `passed` is not asked for.
    return start.replace(year=start.year + skipped // 12, month=skipped % 12 + 1, day=1), LAST


def _monthly(frequency: str, interval: int, start: datetime, day: int) -> rrule:
    """Returns the rule for one day of the month; where a month is too short for it, its last day stands in."""
    # Of the days that may stand in, the last one that the month has: the 31st, or the 30th, 29th, 28th.
    days = (-1,) if day == -1 else tuple(range(28, day + 1)) if day > 28 else (day,)
    return rrule(
        FREQUENCIES[frequency],
        dtstart=start,
        interval=interval,
        until=LAST,
        bymonth=start.month if frequency == "YEARLY" else None,
        bymonthday=days,
        bysetpos=-1,
    )
