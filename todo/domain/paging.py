"""Keyset pagination and its cursors."""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson

from todo.contract import API
from todo.domain.list_names import LIST_FIELD
from todo.errors import InvalidRequest

Row = Mapping[str, Any]

MAX_CHARACTERS = API.limit("response_characters")
ROOM = MAX_CHARACTERS - 400  # the rest is for what stands around the to-dos

# The name of a list takes the place of its id in the JSON of a to-do; escaped, it has up to twice the characters.
MAX_LIST_NAME: int = 2 * API.schema("ListName")["maxLength"]

MOST = 2**62  # above every number in a cursor, and less than what a database can compare

NO_DUE = "9999"  # the due_key of a to-do without a due date; sorts last
NO_URGENCY = 3  # the urgency of a to-do without a priority; sorts last

# For each sort of list_todos: the columns in its cursor, with values that sort before every row.
ORDERS: dict[str, dict[str, Any]] = {
    "oldest": {"id": 0},
    "newest": {"id": 2**31},
    "due": {"due_key": "", "id": 0},
    "priority": {"urgency": -1, "due_key": "", "id": 0},
    "updated": {"updated_at": "~", "id": 2**31},
}
# A sort is one walk along an index, or several: an undated to-do is in no index of dates, one without a priority in
# none of priorities. Each run has the statement's name, and the values of the columns that all of its rows share.
RUNS: dict[str, dict[str, dict[str, Any]]] = {
    "oldest": {"oldest": {}},
    "newest": {"newest": {}},
    "due": {"dated": {}, "undated": {"due_key": NO_DUE}},
    "priority": {
        "urgent": {},
        "dated_only": {"urgency": NO_URGENCY},
        "neither": {"urgency": NO_URGENCY, "due_key": NO_DUE},
    },
    "updated": {"updated": {}},
}
PARAMETERS = {"id": "after_id", "due_key": "after_key", "updated_at": "after_key", "urgency": "after_urgency"}


class Page:
    """One page of at most `limit` rows from `cursor` on, sorted by `sort`. Raises InvalidRequest for a bad cursor."""

    def __init__(self, sort: str, limit: int, cursor: str | None) -> None:
        self.sort = sort
        self.limit = limit
        self._columns = self._start = ORDERS[sort]
        if cursor is not None:
            start = decode_cursor(cursor, sort, list(self._columns.values()))
            self._start = dict(zip(self._columns, start, strict=True))

    def runs(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yields the statements to run from the cursor on, each with the parameters of the row to start after."""
        runs = RUNS[self.sort]
        first = max(n for n, shared in enumerate(runs.values()) if shared.items() <= self._start.items())
        for number, (name, shared) in enumerate(runs.items()):
            if number >= first:
                after = self._start if number == first else self._columns
                yield name, {PARAMETERS[column]: value for column, value in after.items() if column not in shared}

    @property
    def is_first(self) -> bool:
        """Whether this is the first page."""
        return self._start == self._columns

    @property
    def after_id(self) -> int | None:
        """The id after which the page starts, or None if it is not sorted by id."""
        return self._start["id"] if self.sort == "oldest" else None

    def next_cursor(self, last_id: int) -> str:
        """Returns the next page's cursor, for pages sorted by id."""
        return encode_cursor(self.sort, last_id)

    def fits(self, rows: str) -> bool:
        """Whether the JSON of at most `limit` rows fits in a response that hosts accept."""
        size = len(rows)
        return size + self.limit * MAX_LIST_NAME <= ROOM or size + rows.count(LIST_FIELD) * MAX_LIST_NAME <= ROOM

    def cut(self, rows: Sequence[Row]) -> tuple[Sequence[Row], str | None]:
        """Returns the rows that fit, and the next page's cursor or None. Give it one row more than the limit."""
        fitting = rows[: self._count_fitting(rows)]
        if len(fitting) == len(rows):
            return fitting, None
        return fitting, encode_cursor(self.sort, *[fitting[-1][column] for column in self._columns])

    def _count_fitting(self, rows: Sequence[Row]) -> int:
        """Returns how many rows fit in a response that hosts accept, at least one."""
        texts = [row["json"] for row in rows[: self.limit]]
        lengths = [len(text) + len(",") + (MAX_LIST_NAME if LIST_FIELD in text else 0) for text in texts]
        while len(lengths) > 1 and sum(lengths) > ROOM:
            lengths.pop()
        return len(lengths)


@lru_cache(maxsize=1000)  # the first pages of most lists end at the same few ids
def encode_cursor(kind: str, *values: Any) -> str:
    """Returns an opaque cursor to the row after the one with these values, for lists of this kind."""
    return base64.urlsafe_b64encode(orjson.dumps([kind, *values])).rstrip(b"=").decode()


def decode_cursor(cursor: str | None, kind: str, start: list[Any]) -> list[Any]:
    """Returns the values in a cursor, or `start` without one. Raises InvalidRequest for a cursor of another kind."""
    if cursor is None:
        return start
    try:
        found, *values = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, TypeError):
        found, values = None, []
    # A cursor is untrusted input: its values must have the types and ranges of ours.
    if found != kind or [type(value) for value in values] != [type(value) for value in start] or not _in_range(values):
        cure = "leave it out for the first page"
        raise InvalidRequest.of("cursor", f"must be next_cursor of the page before, of the same list and order; {cure}")
    return list(values)


def _in_range(values: list[Any]) -> bool:
    return all(value.isprintable() if isinstance(value, str) else abs(value) <= MOST for value in values)
