"""Grants: the assistants that a person has connected, and disconnecting one."""

from typing import Any

from todo.domain import users
from todo.domain.actors import RECENT_CHANGES
from todo.domain.users import Owner, utc_now
from todo.storage.statements import Connection

JSON = dict[str, Any]
LATEST_CHANGES = 3


def note_use(connection: Connection, user_id: int, grant_id: str) -> None:
    """Records that the assistant has just used the grant."""
    connection.note_use_of_grant(user_id=user_id, id=grant_id, now=utc_now())


def connected(connection: Connection, user_id: int) -> list[JSON]:
    """Returns the grants with a live token, most recently used first, each with its scopes and latest changes."""
    return [
        {**row, "scope": row["scope"].split(), "changes": _latest_changes(connection, user_id, row["id"])}
        for row in map(dict, connection.live_grants(user_id=user_id, now=utc_now()))
    ]


def disconnect(connection: Connection, owner: Owner, grant_id: str) -> None:
    """Ends a grant once its pending writes are done. Raises SignedOut."""
    end(connection, users.lock(connection, owner).id, grant_id)


def end(connection: Connection, user_id: int, grant_id: str) -> None:
    """Ends a grant and its tokens. The user must be locked, so that no token is issued meanwhile."""
    connection.delete_tokens_of_grant(user_id=user_id, grant_id=grant_id)
    connection.delete_grant(user_id=user_id, id=grant_id)


def _latest_changes(connection: Connection, user_id: int, grant_id: str) -> list[JSON]:
    which = {"user_id": user_id, "grant_id": grant_id, "searched": RECENT_CHANGES, "limit": LATEST_CHANGES}
    return [dict(row) for row in connection.changes_of_grant(**which)]
