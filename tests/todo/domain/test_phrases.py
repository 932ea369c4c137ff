"""Quick add: a table of what people write, and what nothing that they write may do."""

import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from todo.contract import API
from todo.contract.schemas import find_errors
from todo.domain import recurrence
from todo.domain.date_words import LANGUAGES
from todo.domain.quick_add import CLOSING, MARKS, MAX_READ, SEAM, Part, read

JSON = dict[str, Any]

NOW = datetime(2026, 11, 25, 10, 0)  # a Wednesday
LISTS = ["Inbox", "Shopping", "House work", "House"]
TABLE = yaml.safe_load((Path(__file__).parents[2] / "fixtures/quick_add.yaml").read_text())
ROWS = [
    (group["language"], group.get("week_start", "monday"), {"say": row, "text": row} if isinstance(row, str) else row)
    for group in TABLE
    for row in group["rows"]
]
MAX_SECONDS = 0.005

words = {word for _, _, row in ROWS for word in row["say"].split()} | {"@House", "#", "@", "!", '"', "(", ")", ",", "-"}
phrases = st.lists(st.one_of(st.sampled_from(sorted(words)), st.text(max_size=4)), max_size=12)
texts = st.builds(lambda parts, gap: gap.join(parts), phrases, st.sampled_from([" ", "  ", ""]))
languages = st.sampled_from(["", "en", "en-US", "de-AT", "fr", "es", "ja", "x"])
moments = st.datetimes(datetime(2000, 1, 1), datetime(2199, 12, 31))


def test_table_is_large() -> None:
    assert len(ROWS) >= 200
    assert len([row for _, _, row in ROWS if row["say"] == row["text"]]) >= 60


@pytest.mark.parametrize(("language", "week_start", "row"), ROWS, ids=[f"{row[0]}: {row[2]['say']}" for row in ROWS])
def test_table(language: str, week_start: str, row: JSON) -> None:
    reading = read(row["say"], NOW, week_start, LISTS, language=language)
    fields = {name: value for name, value in reading.fields.items() if name != "create_list"}
    assert {"say": row["say"], "text": reading.text, **fields} == row


@settings(max_examples=400, deadline=None)
@given(texts, moments, st.sampled_from(API.enum("WeekStart")), languages)
@example("a tomorrow", datetime(2199, 12, 31), "monday", "")
@example("a every year", datetime(2199, 12, 31), "monday", "")
@example("a 29 feb", datetime(2196, 12, 31), "monday", "")
def test_whatever_is_written(text: str, now: datetime, week_start: str, language: str) -> None:
    reading = read(text, now, week_start, LISTS, language=language)
    spans = [(part.start, part.end) for part in reading.parts]
    edges = [0, *(edge for span in spans for edge in span), len(text)]
    assert edges == sorted(edges)
    assert all(start < end for start, end in spans)
    assert bare(reading.text) == bare(without(text, reading.parts))
    assert bool(reading.fields) == bool(reading.parts)
    if reading.parts:
        assert not find_errors(API.resolved_schema("NewTodo"), {"todo": reading.text, **reading.fields})
    else:
        assert reading.text == text
    if "repeat" in reading.fields:
        recurrence.check(reading.fields["repeat"], reading.fields["due"])


@settings(max_examples=200, deadline=None)
@given(texts, languages)
def test_plain_parts_stay(text: str, language: str) -> None:
    for part in read(text, NOW, "monday", LISTS, language=language).parts:
        said = text[part.start : part.end]
        again = read(text, NOW, "monday", LISTS, [said], language)
        assert all(other.end <= part.start or part.end <= other.start for other in again.parts)
        assert bare(said) in bare(again.text)


def without(text: str, parts: tuple[Part, ...]) -> str:
    for part in reversed(parts):
        text = text[: part.start] + text[part.end :]
    return text


def bare(text: str) -> str:
    """Returns a text without what may go with a part: spaces, commas and brackets."""
    return "".join(sign for sign in text if sign not in SEAM + MARKS + "()")


def test_what_goes_with_a_part_is_no_word() -> None:
    assert not any(sign.isalnum() for sign in SEAM + MARKS + CLOSING)


STRETCHED = [
    *sorted(words),
    "a",
    "1",
    "every mon, mon ",
    "in 3 ",
    "on the 1st of ",
    "day after tomorrow ",
    "@a@b ",
    "İ",
]
STRETCHED += [
    "“",
    "„",
    "«",
    "://",
    "\u00a0",
    "1.1.",
    "1/1/1 ",
    "12:",
    "every day until ",
    "monday x ",
    "\ufffc",
    "\x00",
]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_takes_long(language: str) -> None:
    lists = [f"List {number}" for number in range(100)]
    for stretched in STRETCHED:
        for text in (f"{stretched} " * 4000, stretched * 4000):
            for length in (MAX_READ, 4000):
                assert any(_seconds(text[:length], lists, language) < MAX_SECONDS for _ in range(5)), stretched


def test_many_plain_parts_take_no_time() -> None:
    parts = [sign * length for length in range(1, 60) for sign in "ab\u00e9"] + [
        chr(sign) for sign in range(0x4E00, 0x5200)
    ]
    start = time.thread_time()
    read("ab" * 100 + "a" * 300, NOW, "monday", LISTS, parts)
    assert time.thread_time() - start < MAX_SECONDS


def _seconds(text: str, lists: list[str], language: str) -> float:
    start = time.thread_time()
    read(text, NOW, "monday", lists, language=language)
    return time.thread_time() - start
