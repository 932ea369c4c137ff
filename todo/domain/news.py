"""Assistants' changes within the last minute, which pages highlight."""

from collections.abc import Mapping
from datetime import timedelta

from todo.domain.actors import ASSISTANT, Actor
from todo.domain.users import User, utc_now
from todo.storage.statements import Connection

NEW_FOR = timedelta(minutes=1)
MAX_CHANGES = 50  # the newest that are looked at


def by_assistants(connection: Connection, user: User) -> Mapping[int, Actor]:
    """Returns the assistants that made the new changes, by the id of the change."""
    rows = connection.changes_lately(
        user_id=user.id, after_id=user.last_change_id - MAX_CHANGES, since=utc_now(-NEW_FOR), actor=ASSISTANT
    )
    return {row["id"]: Actor.of(row) for row in rows}
