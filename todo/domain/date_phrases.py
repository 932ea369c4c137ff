"""Date phrases: where a text says when something is due, and how it repeats.

It is careful, because a phrase that is read is removed from the text: "Read the Sunday Times" has no date.
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import islice
from typing import NamedTuple

from todo.domain import weeks
from todo.domain.date_doubts import WORD, Doubts
from todo.domain.date_grammar import Grammar, grammar_of
from todo.domain.date_words import GAP, MONTH_END, WEEKEND
from todo.domain.due_dates import YEARS
from todo.domain.recurrence import MONTHS, WEEKDAY_CODES

Match = re.Match[str]

LEAP_YEARS = 8  # so many years ahead there is a 29 February
MAX_CANDIDATES = 20  # a text with more is no to-do with a date
BEGINNING = re.compile(r"\b\d(?=\d{0,3}(?:[:./-]|[ \u00a0]?[^\W\d]))|@(?= )|(?<![^\W_])[^\W\d_]{1,2}")
AROUND = " \u00a0,"
NEITHER = ("24/7",)


class Asked(NamedTuple):
    """The context in which a text is read: the local time, and the conventions for weeks and dates."""

    now: datetime  # local
    week_start: str
    month_first: bool | None  # 12/1 is in December; None where nobody knows


class Phrase(NamedTuple):
    """A part of a text, and its meaning: a day, a time of day, or a rule with the day it starts from."""

    start: int
    end: int
    day: date | None = None
    time: str = ""
    part_of_day: str = ""  # the time that "morning" stands for, unless another is said
    repeat: str = ""


def find(text: str, language: str, asked: Asked) -> Iterator[Phrase]:
    """Yields the phrases of a text in one language, in order."""
    grammar = grammar_of(language)
    end = 0
    for match in islice(_candidates(text, grammar), MAX_CANDIDATES):
        if match.start() >= end:
            reader = _Reader(grammar, text, match, asked)
            follows = end > 0 and not text[end : match.start()].strip(AROUND)
            doubts = Doubts(grammar, text, match, reader.said, follows=follows)
            phrase = None if doubts.any() else reader.read()
            if phrase:
                yield phrase
                end = phrase.end


def _candidates(text: str, grammar: Grammar) -> Iterator[Match]:
    """Yields possible phrases. The pattern is slow, so it is tried only at words that can begin one."""
    for word in BEGINNING.finditer(text):
        if not word[0].isalpha() or word[0].lower() in grammar.starts:
            match = grammar.phrase.match(text, word.start())
            if match:
                yield match


class _Reader:
    """Reads the meaning of a match of the grammar."""

    def __init__(self, grammar: Grammar, text: str, match: Match, asked: Asked) -> None:
        self.words, self.grammar, self.text, self.match, self.asked = grammar.words, grammar, text, match, asked
        self.said = {name: value for name, value in match.groupdict().items() if value is not None}

    def read(self) -> Phrase | None:
        """Returns what it says, or None if there is no such date."""
        try:
            return self._repeat() or self._time() or self._date()
        except (ValueError, OverflowError):
            return None

    def _phrase(self, **said: object) -> Phrase:
        return Phrase(self.match.start(), self.match.end(), **said)  # type: ignore[arg-type]

    def _time(self) -> Phrase | None:
        said = self.said
        if "half" in said:
            hour = int(said["hour_12"]) % 12 + (12 if said["half"].lower() == "p" else 0)
            return self._phrase(time=f"{hour:02}:{said.get('minute_12', '00')}")
        if "hour" in said:
            return self._phrase(time=f"{self._hour(said['hour']):02}:{said['minute']}")
        if "sharp" in said:
            return self._phrase(time=f"{int(said['sharp']):02}:{said.get('sharp_minute', '00')}")
        if "bare" in said:
            return self._phrase(time=f"{self._hour(said['bare']):02}:00")
        return self._phrase(time="12:00") if "noon" in said else None

    def _hour(self, said: str) -> int:
        """Returns the hour. From 1 to 6 it is in the afternoon, in languages that say it so, as few get up so early."""
        is_short = self.words.afternoon and len(said) == 1 and said in "123456"
        return int(said) + (12 if is_short else 0)

    def _date(self) -> Phrase | None:
        said, today = self.said, self.asked.now.date()
        if "iso" in said:
            return self._ahead(date.fromisoformat(said["iso"]), time=said.get("iso_time", ""))
        day = said.get("day") or said.get("day_2")
        if day:
            month = self.words.months[(said.get("month") or said["month_2"]).lower()]
            return self._on(int(day), month, said.get("year") or said.get("year_2"))
        if "dotted_day" in said:
            if not (self.words.dots or "lead" in said or "dotted_year" in said):
                return None
            return self._on(int(said["dotted_day"]), int(said["dotted_month"]), said.get("dotted_year"))
        if "first" in said:
            return self._slashed(int(said["first"]), int(said["second"]), said.get("slashed_year"))
        count = said.get("count") or said.get("count_2")
        if count:
            return self._in(self._number(count), (said.get("unit") or said["unit_2"]).lower())
        if "evening" in said:
            time = self.words.evenings[_spaced(said["evening"])]
            return self._phrase(day=today, part_of_day=time if time > f"{self.asked.now:%H:%M}" else "")
        part = said.get("part") or said.get("weekday_part")
        time = self.words.parts_of_day[_spaced(part)] if part else ""
        if "relative" in said:
            return self._phrase(day=self._relative(self.words.days[_spaced(said["relative"])]), part_of_day=time)
        if "weekday" in said:
            return self._phrase(day=today + timedelta(days=self._until_weekday(said["weekday"]) or 7), part_of_day=time)
        if "day_alone" in said:
            day_alone = int(said["day_alone"])
            return self._phrase(day=_next_day_of_month(today, day_alone))
        name = said.get("of_next") or said.get("of_next_2") or said.get("next") or said.get("next_2")
        return self._phrase(day=self._next(name)) if name else None

    def _ahead(self, day: date, time: str = "") -> Phrase | None:
        """Returns a day written in full, unless it is past: then it is not when the to-do is due."""
        return self._phrase(day=day, time=time) if day >= self.asked.now.date() and day.year in YEARS else None

    def _on(self, day: int, month: int, year: str | None) -> Phrase | None:
        if year:
            return self._ahead(date(int(year), month, day))
        found = _next_on(self.asked.now.date(), day, month)
        return self._phrase(day=found) if found else None

    def _slashed(self, first: int, second: int, year: str | None) -> Phrase | None:
        if self.match[0] in NEITHER or (first < second <= 4 and "lead" not in self.said):  # 3/4 is a number
            return None
        month_first = self.asked.month_first if first <= 12 and second <= 12 else second > 12
        if month_first is None and first != second:
            return None
        return self._on(second, first, year) if month_first else self._on(first, second, year)

    def _in(self, count: int, unit: str) -> Phrase | None:
        now = self.asked.now
        if unit in self.words.clock_units:
            at = now + timedelta(minutes=count * self.words.clock_units[unit])
            return self._phrase(day=at.date(), time=f"{at:%H:%M}")
        frequency = self.words.units[unit]
        if frequency in MONTHS:
            year, month = divmod(now.year * 12 + now.month - 1 + count * MONTHS[frequency], 12)
            return self._ahead(date(year, month + 1, min(now.day, monthrange(year, month + 1)[1])))
        return self._ahead(now.date() + timedelta(days=count * (7 if frequency == "WEEKLY" else 1)))

    def _relative(self, value: int | str) -> date:
        today = self.asked.now.date()
        if value == WEEKEND:
            return today + timedelta(days=(5 - today.weekday()) % 7)
        if value == MONTH_END:
            return today.replace(day=monthrange(today.year, today.month)[1])
        return today + timedelta(days=int(value))

    def _next(self, name: str) -> date:
        """Returns the first day of the next week, month or year, or the day of this name in the next week."""
        today, name = self.asked.now.date(), name.lower()
        week = weeks.week_of(today + timedelta(days=7), self.asked.week_start)[0]
        if name == WEEKEND:
            return week + timedelta(days=(5 - week.weekday()) % 7)
        frequency = self.words.units.get(name)
        if frequency == "YEARLY":
            return date(today.year + 1, 1, 1)
        if frequency == "MONTHLY":
            return (today.replace(day=28) + timedelta(days=4)).replace(day=1)
        if frequency == "DAILY":
            return today + timedelta(days=1)
        return week if frequency else week + timedelta(days=(self._weekday(name) - week.weekday()) % 7)

    def _weekday(self, name: str) -> int:
        known = {**self.words.weekdays, **self.words.short}
        return known[name.lower()] if name.lower() in known else known[name.lower().removesuffix("s")]

    def _until_weekday(self, name: str) -> int:
        return (self._weekday(name) - self.asked.now.weekday()) % 7

    def _number(self, said: str) -> int:
        word = said.lower()
        digits = word.rstrip("stndrhoºe.")
        return int(digits) if digits.isdecimal() else self.words.numbers.get(word, 2)  # "other" is every second one

    def _repeat(self) -> Phrase | None:
        rule, time, day = self._rule()
        if not rule:
            return None
        if {"from_done", "from_done_2", "when_done"} & self.said.keys():
            if "BY" in rule:
                return None
            rule += ";FROM=COMPLETION"
        end = self.match.end()
        until = self.grammar.until.match(self.text, end)
        last = until and self.grammar.phrase.match(self.text, until.end())
        found = _Reader(self.grammar, self.text, last, self.asked)._date() if last and "until" not in rule else None
        if found and found.day and not found.time:
            rule, end = f"{rule};UNTIL={found.day:%Y%m%d}", found.end
        return Phrase(self.match.start(), end, day=day, part_of_day=time, repeat=rule)

    def _rule(self) -> tuple[str, str, date | None]:
        """Returns the RRULE, the time of day and the first day, each empty if not named."""
        said = self.said
        on_day = next((said[name] for name in said if name.startswith("month_day")), None)
        if on_day and not 1 <= int(on_day) <= 31:
            raise ValueError(on_day)
        if "every_unit" in said:
            rule = _rule(self.words.units[said["every_unit"].lower()], self._number(said.get("interval", "1")))
            if "on" in said:
                return f"{rule};BYDAY={self._codes(said['on'])}" if "WEEKLY" in rule else "", "", None
            return f"{rule};BYMONTHDAY={on_day}" if on_day else rule, "", None
        if "special" in said:
            return *self.words.special[said["special"].lower()], None
        if "place" in said:
            return (
                f"FREQ=MONTHLY;BYDAY={self.words.places[said['place'].lower()]}{self._codes(said['placed'])}",
                "",
                None,
            )
        if "every_weekday" in said or "plural" in said:
            rule = _rule("WEEKLY", 2 if "other" in said else 1)
            part = said.get("every_part")
            time = self.words.parts_of_day[_spaced(part)] if part else ""
            return f"{rule};BYDAY={self._codes(said.get('every_weekday') or said['plural'])}", time, None
        if "each_day" in said or "each_day_2" in said:
            month = self.words.months[(said.get("each_month") or said["each_month_2"]).lower()]
            day = _next_on(self.asked.now.date(), int(said.get("each_day") or said["each_day_2"]), month)
            return ("FREQ=YEARLY", "", day) if day else ("", "", None)
        if "adverb" in said:
            rule = self.words.adverbs[said["adverb"].lower()]
            return f"FREQ=MONTHLY;BYMONTHDAY={on_day}" if on_day else rule, "", None
        if "done_unit" in said:
            rule = _rule(self.words.units[said["done_unit"].lower()], self._number(said["done_count"]))
            return f"{rule};FROM=COMPLETION", "", None
        if "last_day" in said or "first_day" in said:
            return f"FREQ=MONTHLY;BYMONTHDAY={-1 if 'last_day' in said else 1}", "", None
        return f"FREQ=MONTHLY;BYMONTHDAY={on_day}" if on_day else "", "", None

    def _codes(self, names: str) -> str:
        known = {*self.words.weekdays, *self.words.short}
        found = [word.lower() for word in WORD.findall(names)]
        days = sorted({self._weekday(word) for word in found if word in known or word.removesuffix("s") in known})
        return ",".join(WEEKDAY_CODES[day] for day in days)


def _rule(frequency: str, interval: int) -> str:
    if interval < 1:
        raise ValueError(interval)
    return f"FREQ={frequency}" + (f";INTERVAL={interval}" if interval > 1 else "")


def _spaced(said: str) -> str:
    return re.sub(GAP, " ", said.lower())


def _next_on(today: date, day: int, month: int) -> date | None:
    """Returns the next day with this number and month, from today; None if there never is one."""
    for year in range(today.year, today.year + LEAP_YEARS + 1):
        if 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1] and date(year, month, day) >= today:
            return date(year, month, day)
    return None


def _next_day_of_month(today: date, day: int) -> date:
    """Returns the next day with this number, from today. Raises ValueError."""
    found = next(
        (today + timedelta(days=ahead) for ahead in range(62) if (today + timedelta(days=ahead)).day == day), None
    )
    if found is None:
        raise ValueError(day)
    return found
