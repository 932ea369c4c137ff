"""Quick add: the fields that somebody writes into the text of a to-do, such as "Call mum tomorrow 6pm #family !high".

What is read is removed from the text. Quoted parts, URLs and anything that is not understood stay.
"""

import re
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from itertools import islice
from string import punctuation
from typing import Any, NamedTuple

from todo.contract import API
from todo.contract.schemas import compile_schema
from todo.domain import recurrence, side_bar, users
from todo.domain.date_phrases import Asked, Phrase, find
from todo.domain.date_words import LANGUAGES
from todo.domain.folding import fold
from todo.domain.tags import MAX_TAGS
from todo.domain.users import Owner, User
from todo.errors import InvalidRequest
from todo.storage.statements import Connection

JSON = dict[str, Any]

MAX_READ = int(API.schema("TodoText")["maxLength"])
MAX_PLAIN = 100  # parts
MAX_LIST_NAME = int(API.schema("ListName")["maxLength"])
MONTH_FIRST = ("en-us", "en-ph", "es-us")
PRIORITIES = {
    **dict.fromkeys(("high", "1", "!!", "hoch", "haute", "alta"), "high"),
    **dict.fromkeys(("medium", "med", "2", "!", "mittel", "moyenne", "media"), "medium"),
    **dict.fromkeys(("low", "3", "niedrig", "basse", "baja"), "low"),
}
TOKEN = re.compile(r"\S+")
QUOTED = re.compile(r'(?<![#@])(?:"[^"]*"|“[^“”]*”|„[^„“”]*[“”]|«[^«»]*»)')
TAG = re.compile(r"""(?<!\S)#(?:"([^"#,]{1,50})"|([^\s#@,;!?"'()\[\]{}<>]{1,50}))""")
NAMED = re.compile(r'(?<!\S)@"([^"@]{1,50})"')
AT = re.compile(r"(?<!\S)@(?=\w)")
PRIORITY = re.compile(r"(?<!\S)!([a-z]{3,7}|[123]|!!?)(?=[\s,.;:)]|$)", re.IGNORECASE)
READ, KEPT = "\ufffc", "\x00"  # in place of what is read, and of what must not be
SEAM, MARKS, CLOSING = " \u00a0", ",;:", ".!?)"

is_text = compile_schema(API.resolved_schema("TodoText"))
is_tag = compile_schema(API.resolved_schema("Tag"))
is_list_name = compile_schema(API.resolved_schema("ListName"))


class Part(NamedTuple):
    """A part of the text that was read: the field and its value.

    A `due` with only a time of day is THH:MM.
    """

    start: int
    end: int
    field: str
    value: str


class Reading(NamedTuple):
    """A text after reading: the text that is left, the fields as in NewTodo, and the parts in order."""

    text: str
    fields: JSON
    parts: tuple[Part, ...] = ()


def read(
    text: str,
    now: datetime,
    week_start: str = "monday",
    lists: Collection[str] = (),
    plain: Collection[str] = (),
    language: str = "",
) -> Reading:
    """Returns what a text says, read at the local time `now` in English and in `language`, such as de-AT.

    `lists` are the names of the lists that it may name, `plain` the parts to leave as they are. A text that would have
    nothing left is not read at all.
    """
    if len(text) > MAX_READ:
        return Reading(text, {})
    line = _Line(text, plain)
    signs = [*_tags(line), *_priority(line, language), *_list(line, lists)]
    dates = _dates(line, Asked(now, week_start, _month_first(language)), language)
    due, repeat = _due(dates, now)
    parts = sorted([*signs, *_parts_of(dates, text)]) if due else sorted(signs)
    left = _without(text, parts)
    if not parts or not is_text(left) or not left.strip(punctuation):
        return Reading(text, {})
    return Reading(left, _fields(parts, due, repeat, lists), tuple(parts))


def read_for(
    connection: Connection, owner: Owner, text: str, plain: Collection[str] = (), language: str = ""
) -> tuple[User, Reading]:
    """Returns the owner's user, and what a text says at that user's local time."""
    user = users.find(connection, owner)
    lists = [listed.name for listed in side_bar.of(connection, user).active]
    return user, read(text, user.local_time().replace(tzinfo=None), user.week_start, lists, plain, language)


class _Line:
    """A text in which the parts that were read, or must not be read, are covered."""

    def __init__(self, text: str, plain: Collection[str]) -> None:
        self.text = text
        self.open = text
        for found in QUOTED.finditer(text):
            self.cover(*found.span(), KEPT)
        for token in TOKEN.finditer(text):
            if "://" in token[0] or "@" in token[0][1:] or token[0].startswith("www."):
                self.cover(*token.span(), KEPT)
        for said in islice({said for said in plain if said.strip()}, MAX_PLAIN):
            at = text.find(said)
            while at >= 0:
                self.cover(at, at + len(said), KEPT)
                at = text.find(said, at + len(said))

    def cover(self, start: int, end: int, sign: str = READ) -> None:
        self.open = self.open[:start] + sign * (end - start) + self.open[end:]


def _tags(line: _Line) -> list[Part]:
    found: list[Part] = []
    for match in islice(TAG.finditer(line.open), MAX_TAGS):
        name = match[1] or match[2].rstrip(".:…-/")
        if is_tag(name) and not name.isdecimal():
            end = match.end() if match[1] else match.start(2) + len(name)
            found.append(Part(match.start(), end, "tags", name.strip()))
    for part in found:
        line.cover(part.start, part.end)
    return found


def _priority(line: _Line, language: str) -> list[Part]:
    for match in PRIORITY.finditer(line.open):
        is_sign = match[1][0] == "!"
        value = PRIORITIES.get(match[1].lower())
        if value and not (is_sign and language.lower().startswith("fr")):  # where a space stands before each mark
            line.cover(*match.span())
            return [Part(*match.span(), "priority", value)]
    return []


def _list(line: _Line, lists: Collection[str]) -> list[Part]:
    """Returns the first list that is named: an existing one or, in quotation marks, possibly a new one."""
    known = {fold(name): name for name in lists}
    quoted = NAMED.search(line.open)
    if quoted and is_list_name(quoted[1]):
        line.cover(*quoted.span())
        return [Part(*quoted.span(), "list", known.get(fold(quoted[1]), quoted[1].strip()))]
    for match in islice(AT.finditer(line.open), MAX_TAGS):
        rest = line.open[match.end() : match.end() + MAX_LIST_NAME + 1]
        ends = [
            end for end in range(len(rest), 0, -1) if not rest[end - 1].isspace() and not rest[end : end + 1].isalnum()
        ]
        end = next((end for end in ends if fold(rest[:end]) in known), None)
        if end:
            line.cover(match.start(), match.end() + end)
            return [Part(match.start(), match.end() + end, "list", known[fold(rest[:end])])]
    return []


def _dates(line: _Line, asked: Asked, language: str) -> list[Phrase]:
    """Returns the first day, the first time of day and the first repeat in the text, in order of appearance."""
    taken: list[Phrase] = []
    has: set[str] = set()
    for spoken in dict.fromkeys([language[:2].lower(), "en"]):
        if spoken in LANGUAGES:
            for phrase in find(line.open, spoken, asked):
                says = {name for name in ("day", "time", "repeat") if getattr(phrase, name)}
                if not says & has:
                    has |= says
                    taken.append(phrase)
                    line.cover(phrase.start, phrase.end)
    return sorted(taken)


def _month_first(language: str) -> bool | None:
    if language.lower() in MONTH_FIRST:
        return True
    return False if language and language.lower() != "en" else None


def _due(dates: list[Phrase], now: datetime) -> tuple[str, str]:
    """Returns the due date and the rule of the repeat, each "" if the text has none."""
    day = next((phrase.day for phrase in dates if phrase.day), None)
    time = _time(dates)
    repeat = next((phrase.repeat for phrase in dates if phrase.repeat), "")
    if not dates:
        return "", ""
    start = day or now.date() + timedelta(days=1 if time and time <= f"{now:%H:%M}" else 0)
    found = recurrence.first(repeat, start) if repeat else start
    due = f"{found}T{time}" if time else f"{found}"
    if repeat:
        try:
            recurrence.check(repeat, due)
        except InvalidRequest:
            return "", ""
    return due, repeat


def _time(dates: list[Phrase]) -> str:
    """Returns the time of day: as given, or the usual one for the part of the day."""
    exact = [phrase.time for phrase in dates if phrase.time]
    return next(iter(exact or [phrase.part_of_day for phrase in dates if phrase.part_of_day]), "")


def _parts_of(dates: list[Phrase], text: str) -> Iterator[Part]:
    """Yields the parts of the text that give dates; an adjacent day and time are one part."""
    pending: Part | None = None
    is_exact = any(phrase.time for phrase in dates)
    for phrase in dates:
        time = phrase.time or ("" if is_exact else phrase.part_of_day)
        value = (f"{phrase.day}" if phrase.day else "") + (f"T{time}" if time else "")
        part = Part(phrase.start, phrase.end, "repeat" if phrase.repeat else "due", phrase.repeat or value)
        if pending and pending.field == part.field == "due" and not text[pending.end : part.start].strip(f"{SEAM},"):
            day, time = sorted([pending.value, part.value])
            pending = Part(pending.start, part.end, "due", day + time)
            continue
        if pending:
            yield pending
        pending = part
    if pending:
        yield pending


def _fields(parts: list[Part], due: str, repeat: str, lists: Collection[str]) -> JSON:
    fields: JSON = {}
    if due:
        fields["due"] = due
    if repeat:
        fields["repeat"] = repeat
    tags = {fold(part.value): part.value for part in reversed(parts) if part.field == "tags"}
    if tags:
        fields["tags"] = [*reversed(tags.values())]
    for part in parts:
        if part.field in ("priority", "list"):
            fields[part.field] = part.value
    if "list" in fields and fields["list"] not in lists:
        fields["create_list"] = True
    return fields


def _without(text: str, parts: list[Part]) -> str:
    """Returns the text without these parts, and without the spaces, commas and brackets that they leave."""
    left, at = "", 0
    for part in parts:
        left = _joined(left, text[at : part.start]) if at else text[: part.start]
        at = part.end
    rest = text[at:]
    left = _joined(left, rest) if rest.strip(SEAM) else left.rstrip(SEAM + MARKS)
    return left.strip(SEAM)


def _joined(left: str, rest: str) -> str:
    """Returns what is before a part and what is after it as one text."""
    if left.endswith("(") and rest.startswith(")"):
        left, rest = left[:-1], rest[1:]
    left, rest = left.rstrip(SEAM), rest.lstrip(SEAM + MARKS)
    if not (left and rest):
        return left or rest
    return left + ("" if rest[0] in CLOSING or left.endswith("(") else " ") + rest
