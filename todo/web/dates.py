"""Dates and recurrence rules in English: 27 Nov on a line of a list, 27 November in a sentence or a heading."""

import re
from calendar import month_name
from collections.abc import Sequence
from datetime import UTC, date, datetime

from todo.domain.sections import Moment

DATE_LENGTH = len("2026-11-27")
UNITS = {"DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year"}
WEEKDAYS = {
    "MO": "Monday",
    "TU": "Tuesday",
    "WE": "Wednesday",
    "TH": "Thursday",
    "FR": "Friday",
    "SA": "Saturday",
    "SU": "Sunday",
}
ORDINALS = {"-1": "last", "1": "first", "2": "second", "3": "third", "4": "fourth", "5": "fifth"}


def due(value: str, moment: Moment) -> str:
    """Returns a date, or date and time, relative to now: tomorrow 18:00, Friday, 3 days ago, 27 Nov."""
    day, time = _split(value)
    return f"{_relative(day, moment)} {time}".rstrip()


def short(value: str, moment: Moment) -> str:
    """Returns a date, or date and time, that stays true: 27 Nov 18:00, with the year if it is not this one."""
    day, time = _split(value)
    return f"{_short(day, moment)} {time}".rstrip()


def exact(value: str) -> str:
    """Returns a local date, or date and time, in full: Friday 27 November 2026, 18:00."""
    day, time = _split(value)
    return f"{day:%A} {day.day} {day:%B} {day.year}" + (f", {time}" if time else "")


def title(value: str, time_zone: str) -> str:
    """Returns a due date in full, with the time zone if it has a time."""
    return exact(value) + (f" ({time_zone})" if "T" in value else "")


def past(value: str, moment: Moment) -> str:
    """Returns a past local date and time for use in a sentence: today 14:02, yesterday 09:30, 24 November 18:00."""
    given, time = _split(value)
    days = (given - _today(moment)).days
    return f"{('today', 'yesterday')[-days] if -1 <= days <= 0 else on(value)} {time}".rstrip()


def on(value: str) -> str:
    """Returns a local date for use in a sentence: 24 November, with the year if it is not this one."""
    given, _ = _split(value)
    return f"{given.day} {given:%B}" + (f" {given.year}" if given.year != datetime.now(UTC).year else "")


def repeat(rule: str) -> str:
    """Returns an RRULE (RFC 5545 section 3.3.10) in English: every 2 weeks on Friday, until 1 March 2027."""
    parts = dict(part.split("=") for part in rule.removeprefix("RRULE:").split(";"))
    unit, interval = UNITS[parts["FREQ"]], parts.get("INTERVAL", "1")
    text = f"every {unit}" if interval == "1" else f"every {interval} {unit}s"
    if "BYDAY" in parts:
        text += " on " + join_with_and([_weekday(name) for name in parts["BYDAY"].split(",")])
    if "BYMONTHDAY" in parts:
        text += " on the " + join_with_and([_ordinal(number) for number in parts["BYMONTHDAY"].split(",")])
    if "BYMONTH" in parts:
        text += " in " + join_with_and([month_name[int(number)] for number in parts["BYMONTH"].split(",")])
    if "BYSETPOS" in parts:
        text += f", only the {join_with_and([_place(number) for number in parts['BYSETPOS'].split(',')])} of them"
    if "FROM" in parts:
        text += " after it is done"
    if "COUNT" in parts:
        text += f", {parts['COUNT']} more time{'s' if parts['COUNT'] != '1' else ''}"
    if "UNTIL" in parts:
        text += f", until {_until(parts['UNTIL'])}"
    return text


def join_with_and(parts: Sequence[str]) -> str:
    """Returns a list in English: a, b and c."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


def _split(value: str) -> tuple[date, str]:
    """Returns the date, and the time as HH:MM or ""."""
    return date.fromisoformat(value[:DATE_LENGTH]), value[DATE_LENGTH + 1 :]


def _today(moment: Moment) -> date:
    return date.fromisoformat(moment.today)


def _relative(day: date, moment: Moment) -> str:
    days = (day - _today(moment)).days
    if days in (-1, 0, 1):
        return ("yesterday", "today", "tomorrow")[days + 1]
    if 2 <= days <= 6:
        return f"{day:%A}"
    if -6 <= days <= -2:
        return f"{-days} days ago"
    return _short(day, moment)


def _short(day: date, moment: Moment) -> str:
    return f"{day.day} {day:%b}" + (f" {day.year}" if day.year != _today(moment).year else "")


def _until(until: str) -> str:
    """Returns the last day of a rule; a value that is not a date is returned as typed, for a refused form."""
    try:
        day = datetime.strptime(until, "%Y%m%d")
    except ValueError:
        return until
    return f"{day.day} {day:%B} {day.year}"


def _weekday(name: str) -> str:
    number, weekday = re.fullmatch(r"(-?\d)?([A-Z]{2})", name).groups()  # type: ignore[union-attr]
    return f"the {ORDINALS[number]} {WEEKDAYS[weekday]}" if number else WEEKDAYS[weekday]


def _place(number: str) -> str:
    """Returns a position counted from the start, or from the end if negative: 2nd, last, 2nd to last."""
    if number == "-1":
        return "last"
    return f"{_ordinal(number[1:])} to last" if number.startswith("-") else _ordinal(number)


def _ordinal(number: str) -> str:
    if number == "-1":
        return "last day"
    ending = "th" if number in ("11", "12", "13") else {"1": "st", "2": "nd", "3": "rd"}.get(number[-1], "th")
    return number + ending
