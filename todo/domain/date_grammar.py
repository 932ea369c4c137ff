"""The regular expressions for dates, times of day and repeats, built from the words of a language.

All repetition is bounded, so matching takes time in proportion to the length of the text.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple

from todo.domain.date_words import ENGLISH, GAP, LANGUAGES, WEEKEND, Words

NOT_INSIDE = r"(?<![\w\-\u2013/'\u2019.:&#@+\\])"
START = 2  # letters
LETTERS = re.compile(r"[^\W\d_]+")
NOT_WITHIN = r"(?!\w|[-\u2013/'\u2019&(]\w|[.:]\d)"
NEVER = r"(?!)"


def _any(words: Iterable[str]) -> str:
    """Returns a pattern for each of these words, the longest first, with any space for a space."""
    ordered = sorted(words, key=len, reverse=True)
    if not ordered:
        return NEVER
    choices = "|".join(re.escape(word).replace("\\ ", GAP) for word in ordered)
    first = "".join(sorted({word[0] for word in ordered}))  # looked at before, as most fail there
    return rf"(?=[{first}])(?:{choices})"


def _day_of_month(words: Words, mark: str) -> str:
    """Returns the pattern of a day with its month: 1 dec, 1st of December 2027, and dec 1 in languages that say so."""
    months, year = _any(words.months), rf"(?:,?{GAP}(?P<{mark}year>\d{{4}}))?"
    ordinal = rf"(?:{words.ordinal})?"
    found = (
        rf"(?P<{mark}day>\d{{1,2}}){ordinal}{GAP}(?:(?:{words.of}){GAP})?(?P<{mark}month>{months})\b\.?"
        rf"(?:{GAP}{words.of}(?={GAP}\d{{4}}))?{year}"
    )
    if words.month_first:
        other = year.replace("year", "year_2")
        found += rf"|(?P<{mark}month_2>{months})\.?{GAP}(?P<{mark}day_2>\d{{1,2}}){ordinal}(?![\d:]){other}"
    return found


def _dates(words: Words) -> str:
    weekday = _any([*words.weekdays, *words.short])
    count, units = rf"\d{{1,3}}|{_any(words.numbers)}", _any([*words.units, *words.clock_units])
    part = rf"(?:{GAP}(?P<part>{_any(words.parts_of_day)}))?"
    choices = [
        r"(?P<iso>\d{4}-\d\d-\d\d)(?:T(?P<iso_time>(?:[01]\d|2[0-3]):[0-5]\d))?",
        rf"(?:(?:{weekday})\b\.?,?{GAP})?(?:{_day_of_month(words, '')})",
        r"(?P<dotted_day>\d{1,2})\.(?P<dotted_month>\d{1,2})\.(?P<dotted_year>\d{4})?",
        r"(?P<first>\d{1,2})/(?P<second>\d{1,2})(?:/(?P<slashed_year>\d{4}))?",
        rf"(?:{words.ahead}){GAP}(?P<count>{count}){GAP}(?P<unit>{units})",
        rf"(?P<evening>{_any(words.evenings)})",
        rf"(?P<relative>{_any(words.days)}){part}",
        rf"(?P<weekday>{weekday}){part.replace('<part>', '<weekday_part>')}",
    ]
    named = _any([*words.weekdays, *words.short, *words.units, WEEKEND])
    if words.from_now:
        choices[:0] = [rf"(?P<count_2>{count}){GAP}(?P<unit_2>{units}){GAP}(?:{words.from_now})"]
    if words.coming:
        of_next = rf"(?:{GAP}(?:(?:on|am){GAP})?(?P<of_next>{weekday}))?"
        week = _any(word for word, unit in words.units.items() if unit == "WEEKLY")
        choices[:0] = [
            rf"(?P<of_next_2>{weekday}){GAP}(?:{words.coming}){GAP}(?:{week})",
            rf"(?:{words.coming}){GAP}(?P<next>{named}){of_next}",
        ]
    if words.coming_after:
        choices[:0] = [rf"(?:la{GAP}|el{GAP}|le{GAP})?(?P<next_2>{named}){GAP}(?:{words.coming_after})"]
    return (
        rf"(?:(?P<lead>{words.lead}){GAP})?(?:{'|'.join(choices)})"
        rf"|(?:{words.on_the}){GAP}(?P<day_alone>\d{{1,2}})(?:{words.ordinal}){'?' if words.ordinal == 'er' else ''}"
    )


def _times(words: Words) -> str:
    at = rf"(?:(?:{words.at}){GAP})"
    return "|".join(
        [
            rf"(?P<at_12>{at})?(?P<hour_12>1[0-2]|0?[1-9])(?:[:.](?P<minute_12>[0-5]\d))?[ ]?"
            r"(?P<half>[ap])(?:m|\.m\.?)",
            rf"(?P<at>{at})?(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)(?:{words.o_clock})?",
            rf"(?P<at_sharp>{at})?(?P<sharp>[01]?\d|2[0-3])(?:{words.o_clock})(?P<sharp_minute>[0-5]\d)?",
            rf"{at}(?P<bare>[01]?\d|2[0-3])",
            rf"{at}?(?P<noon>{words.noon})",
        ]
    )


def _repeats(words: Words) -> str:
    weekday = rf"(?:{_any([*words.weekdays, *words.short])})s?\b"
    weekdays = rf"{weekday}(?:(?:,{GAP}?|{GAP}(?:{words.joins}|et|und|y){GAP}){weekday}){{0,6}}"
    units, number = _any(words.units), rf"\d{{1,3}}(?:{words.ordinal})?|{_any(words.numbers)}|{words.other}"
    month = rf"{GAP}(?:(?:{words.of}){GAP})?(?:{_any(words.months)})\b"
    part = rf"(?:{GAP}(?P<every_part>{_any(words.parts_of_day)}))?"
    on_day = rf"(?P<month_day>\d{{1,2}})(?:{words.ordinal})"
    of_month = rf"(?:{GAP}of{GAP}(?:the|each|every){GAP}month)?"
    done = rf"(?:{GAP}(?P<when_done>{words.when_done}))?" if words.when_done else ""
    every = rf"(?:{words.every})(?P<from_done>!)?{GAP}"
    choices = [
        rf"{every}(?:(?P<interval>{number}){GAP})?(?P<every_unit>{units})\b"
        rf"(?:{GAP}(?:{words.on_the}){GAP}{on_day}(?!{month})|{GAP}(?:on|am|le|el|los){GAP}(?P<on>{weekdays})|{done})",
        rf"{every.replace('from_done', 'from_done_2')}(?P<special>{_any(words.special)})",
        rf"(?:{words.every}){GAP}(?P<place>{_any(words.places)}){GAP}(?P<placed>{weekday}){of_month}(?!{GAP}of)"
        if words.places
        else NEVER,
        rf"(?:{words.every}){GAP}(?:(?P<other>{words.other}){GAP})?(?P<every_weekday>{weekdays}){part}",
        rf"(?:{words.every}){GAP}(?:{_day_of_month(words, 'each_')})",
        rf"(?:{words.every}){GAP}{on_day.replace('month_day', 'month_day_2')}{of_month}",
        rf"(?P<adverb>{_any(words.adverbs)})"
        rf"(?:{GAP}(?:{words.on_the}){GAP}{on_day.replace('month_day', 'month_day_3')})?",
    ]
    if words.of_each_month:
        day = on_day.replace("month_day", "month_day_4")
        choices += [rf"(?:{words.on_the}){GAP}{day}?{GAP}(?:{words.of_each_month})"]
    if words is ENGLISH:
        choices += [
            rf"(?:on{GAP}the{GAP})?(?:(?P<last_day>last)|(?P<first_day>first))(?:{GAP}day)?{GAP}"
            f"(?:{words.of_each_month})",
            rf"on{GAP}(?P<plural>(?:{_any(words.weekdays)})s(?:{GAP}and{GAP}(?:{_any(words.weekdays)})s)?)",
            rf"(?P<done_count>{number}){GAP}(?P<done_unit>{units}){GAP}(?:{words.when_done})",
        ]
    return "|".join(choices)


class Grammar(NamedTuple):
    """A language with its patterns."""

    words: Words
    starts: frozenset[str]  # what the first letters of a phrase may be, or more
    phrase: re.Pattern[str]
    until: re.Pattern[str]
    joint: re.Pattern[str]


def _written(value: object) -> str:
    """Returns all words of a field of a language."""
    return " ".join(value) if isinstance(value, Mapping | frozenset) else str(value)


@cache
def grammar_of(language: str) -> Grammar:
    """Returns the grammar of a language of LANGUAGES, compiled on first use."""
    words = LANGUAGES[language]
    phrase = rf"{NOT_INSIDE}(?:{_repeats(words)}|{_dates(words)}|{_times(words)}){NOT_WITHIN}"
    return Grammar(
        words,
        frozenset(word[:START].lower() for value in words for word in LETTERS.findall(_written(value))),
        re.compile(phrase, re.IGNORECASE),
        re.compile(rf"{GAP}(?:{words.until}){GAP}", re.IGNORECASE),
        re.compile(rf"{GAP}?(?:[,/\u2013-]|\b(?:{words.joins})\b|&){GAP}?", re.IGNORECASE),
    )
