"""Room: how many bytes one list may take with its log, its trash and the answers kept for retries."""

from collections.abc import Iterable
from typing import Any

from todo.contract import API
from todo.storage.statements import Connection

MAX_BYTES = API.limit("list_bytes")
ROW_BYTES = API.limit("row_bytes")
FORGOTTEN_AT_ONCE = 100  # answers


def bytes_of(*texts: str | None) -> int:
    """Returns what a row of these texts counts as, the same on every database."""
    return ROW_BYTES + sum([len(text.encode()) for text in texts if text])


def total(rows: Iterable[Any]) -> int:
    """Returns what the rows counted as that a statement has removed."""
    return sum(row["bytes"] for row in rows)


def forget_answers(connection: Connection, user_id: int) -> int:
    """Removes the oldest answers kept for retries, which go first where a list is full; returns their bytes."""
    return total(connection.remove_oldest_answers(user_id=user_id, limit=FORGOTTEN_AT_ONCE))
