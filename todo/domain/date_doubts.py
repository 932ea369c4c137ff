"""Date doubts: whether what looks like a date is when a to-do is due, or part of what there is to do.

A date that is read is removed from the text, so doubtful ones are left alone: the Sunday Times, Black Friday, from
Monday to Friday, may.
"""

import re
from collections.abc import Mapping

from todo.domain.date_grammar import Grammar

Match = re.Match[str]

WORD = re.compile(r"[\w'\u2019]+")
LAST_WORD = re.compile(r"([\w'\u2019]{1,30})[ \u00a0]{1,3}$")
BLANK = re.compile(r"[ \u00a0]*")
BEFORE = 40  # characters that are looked at
SENTENCE_ENDS = ".:!?,;("
SPACES = " \u00a0\ufffc"  # the last for a part that was read
TIMES = ("half", "hour", "sharp", "bare", "noon")
IN_RANGES = {"weekday", "relative", "half", "hour", "sharp", "bare"}
OFTEN_ELSE = {"bare", "noon", "first", "day_alone", "adverb"}


class Doubts:
    """The reasons not to take a match of the grammar as a date.

    `said` are its groups; `follows` is whether it comes right after another match.
    """

    def __init__(self, grammar: Grammar, text: str, match: Match, said: Mapping[str, str], *, follows: bool) -> None:
        self._grammar, self._words, self._text, self._match = grammar, grammar.words, text, match
        self._said, self._follows = said, follows
        self._before = text[max(0, match.start() - BEFORE) : match.start()]
        self._weekday = said.get("weekday", "").lower()
        self._after = match.end() + len(BLANK.match(text, match.end())[0])  # type: ignore[index]

    def any(self) -> bool:
        """Whether it should stay in the text."""
        return (
            self._is_part_of_more()
            or self._is_joined()
            or self._next_word() in self._words.spoils
            or (self._is_in_title() and not self._text.isupper())
            or (self._is_often_else() and not self._is_closed())
        )

    def _is_part_of_more(self) -> bool:
        """Whether the word before makes it something else: before Friday, Black Friday."""
        last = LAST_WORD.search(self._before)
        word = last[1].lower() if last else ""
        return word in self._words.refuses or bool(self._weekday and word in self._words.names)

    def _is_joined(self) -> bool:
        """Whether another date is joined to it: Monday to Friday, 6pm or 7pm."""
        if not IN_RANGES & self._said.keys():
            return False
        join = self._grammar.joint.match(self._text, self._match.end())
        if join is None or join[0].strip() == ",":
            return False
        other = self._grammar.phrase.match(self._text, join.end())
        return other is not None and _is_time(other) == _is_time(self._match)

    def _is_in_title(self) -> bool:
        """Whether capitals make it a name: Tomorrow Never Dies."""
        words = WORD.findall(self._match[0])
        if not words:
            return False
        if words[0][0].isupper() and not self._is_capitalized_name(words[0]) and not self._opens():
            return True
        if self._words.capital_nouns:
            return False
        following = WORD.match(self._text, self._after)
        return any(_is_capitalized(word) and not self._is_capitalized_name(word) for word in words[1:]) or bool(
            _is_capitalized(words[-1]) and following and following[0][0].isupper()
        )

    def _opens(self) -> bool:
        """Whether it is at the beginning of a sentence."""
        before = self._before.rstrip(SPACES)
        return not before or before[-1] in SENTENCE_ENDS

    def _is_capitalized_name(self, word: str) -> bool:
        """Whether this is a weekday or month in a language that capitalizes them."""
        names = (self._words.weekdays, self._words.short, self._words.months) if self._words.capital_weekdays else ()
        return any(word.lower() in known or word.lower().removesuffix("s") in known for known in names)

    def _is_often_else(self) -> bool:
        """Whether such words often mean something else when more text follows: Monday blues, at 3 shops."""
        if self._weekday:
            return "lead" not in self._said or self._weekday in self._words.short
        month = (self._said.get("month") or self._said.get("month_2") or "").lower()
        count = self._said.get("count", "").lower()
        return (
            month in self._words.unsure
            or count in self._words.vague
            or bool(OFTEN_ELSE & self._said.keys())
            or self._is_bare_minute()
            or self._is_bare_hour()
        )

    def _is_closed(self) -> bool:
        """Whether its surroundings leave no doubt: another phrase, the end of the text, or a word such as with."""
        if self._follows or self._grammar.phrase.match(self._text, self._after):
            return True
        if self._is_bare_minute() or (self._weekday in self._words.unsure and "lead" not in self._said):
            return False  # John 3:16, in the sun
        word = self._next_word()
        return not word or word in self._words.closes

    def _next_word(self) -> str:
        word = WORD.match(self._text, self._after)
        return word[0].lower() if word else ""

    def _is_bare_hour(self) -> bool:
        """Whether it is an hour without "at" within a text: the 10am meeting."""
        is_bare = {"half", "sharp"} & self._said.keys() and not {"at_12", "at_sharp"} & self._said.keys()
        return bool(is_bare) and not self._opens()

    def _is_bare_minute(self) -> bool:
        return len(self._said.get("hour", "")) == 1 and "at" not in self._said


def _is_time(match: Match) -> bool:
    return any(match[name] for name in TIMES)


def _is_capitalized(word: str) -> bool:
    """Whether it begins with a capital, and is not all in capitals, such as PM."""
    return word[0].isupper() and not word.isupper()
