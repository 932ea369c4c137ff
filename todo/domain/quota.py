"""The storage quota: bytes used by a list, its trash, its log and the responses stored for retries."""

from collections.abc import Iterable
from typing import Any

from todo.contract import API
from todo.storage.statements import Connection

MAX_BYTES = API.limit("list_bytes")
ROW_BYTES = API.limit("row_bytes")
EVICTION_BATCH = 100  # stored responses


def bytes_of(*texts: str | None) -> int:
    """Returns the bytes that a row with these texts counts as: its UTF-8 and ROW_BYTES, on every database."""
    return ROW_BYTES + sum([len(text.encode()) for text in texts if text])


def total(rows: Iterable[Any]) -> int:
    """Returns the bytes that removed rows counted as."""
    return sum([row["bytes"] for row in rows])


def forget_answers(connection: Connection, user_id: int) -> int:
    """Evicts the oldest responses stored for retries, the first to go when a list is full; returns the bytes freed."""
    return total(connection.remove_oldest_answers(user_id=user_id, limit=EVICTION_BATCH))
