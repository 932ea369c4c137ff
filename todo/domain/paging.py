"""Keyset pages: where one starts, where it ends, and the cursor between two."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from todo.contract import API
from todo.errors import InvalidRequest

Row = Mapping[str, Any]

MAX_CHARACTERS = API.limit("response_characters")
AROUND_A_LIST = 400  # what the names, numbers and the cursor around the to-dos take at the most

# For each order of list_todos: the columns that its cursor names, each with the value before every row.
ORDERS: dict[str, dict[str, Any]] = {
    "oldest": {"id": 0},
    "newest": {"id": 2**31},
    "due": {"due_key": "", "id": 0},
    "priority": {"urgency": -1, "due_key": "", "id": 0},
    "updated": {"updated_at": "~", "id": 2**31},
}
PARAMETERS = {"id": "after_id", "due_key": "after_key", "updated_at": "after_key", "urgency": "after_urgency"}


class Page:
    """The page of at most `limit` rows that `cursor` points to, in the order `sort`. Raises InvalidRequest."""

    def __init__(self, sort: str, limit: int, cursor: str | None) -> None:
        self.sort = sort
        self.limit = limit
        self._columns = ORDERS[sort]
        start = decode_cursor(cursor, sort, list(self._columns.values()))
        self.after = {PARAMETERS[column]: value for column, value in zip(self._columns, start, strict=True)}

    def cut(self, rows: Sequence[Row]) -> tuple[Sequence[Row], str | None]:
        """Returns the rows that fit the page, of up to one more than its limit, and the cursor of the next page."""
        shown = rows[: self._fitting(rows)]
        if len(shown) == len(rows):
            return shown, None
        return shown, encode_cursor(self.sort, [shown[-1][column] for column in self._columns])

    def _fitting(self, rows: Sequence[Row]) -> int:
        """Returns how many rows stay within the host's limit on an answer; one always does."""
        lengths = [len(row["json"]) + len(",") for row in rows[: self.limit]]
        room = MAX_CHARACTERS - AROUND_A_LIST
        while len(lengths) > 1 and sum(lengths) > room:
            lengths.pop()
        return len(lengths)


def encode_cursor(kind: str, values: list[Any]) -> str:
    """Returns a cursor that points after the row with these values, in lists of this kind."""
    return base64.urlsafe_b64encode(orjson.dumps([kind, *values])).rstrip(b"=").decode()


def decode_cursor(cursor: str | None, kind: str, start: list[Any]) -> list[Any]:
    """Returns the values of a cursor, or `start` where there is none. Raises InvalidRequest for one of another kind."""
    if cursor is None:
        return start
    try:
        found, *values = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, TypeError):
        found, values = None, []
    # A cursor may come from anyone, so its values must have the types and sizes of ours.
    if found != kind or [type(value) for value in values] != [type(value) for value in start] or not _sane(values):
        raise InvalidRequest.of("cursor", "must be next_cursor of the page before, of the same list and order")
    return list(values)


def _sane(values: list[Any]) -> bool:
    return all(value.isprintable() if isinstance(value, str) else -1 <= value <= 2**31 for value in values)
