"""SQLite as this service sets it up, for peers that store to-dos in it."""

from typing import Any


def make_durable(connection: Any, _record: Any) -> None:
    """Makes a commit return only once it is on disk; a listener for SQLAlchemy's connect event."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()
