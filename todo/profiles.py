"""A profile: the time zone, what time it is there, and how full the list is."""

from typing import Any

from todo import users
from todo.storage.engine import Connection
from todo.users import Owner, User

JSON = dict[str, Any]


def show(connection: Connection, owner: Owner) -> JSON:
    """Returns the owner's profile; a list that nobody has written to has one too."""
    return _profile(connection, users.find(connection, owner))


def update(connection: Connection, owner: Owner, time_zone: str) -> JSON:
    """Returns the profile with the time zone set. Raises InvalidRequest for a zone that IANA does not know."""
    return _profile(connection, users.set_time_zone(connection, owner, time_zone))


def _profile(connection: Connection, user: User) -> JSON:
    now = user.local_now()
    counts = connection.count_todos(user_id=user.id, now=f"{now:%Y-%m-%dT%H:%M}", today=f"{now:%Y-%m-%d}")
    return {
        "username": user.username,
        "time_zone": user.time_zone,
        "time_zone_guessed": user.time_zone_guessed,
        "local_now": f"{now:%Y-%m-%dT%H:%M}",
        "weekday": f"{now:%A}",
        "counts": {name: int(counts[name]) for name in ("open", "overdue", "done", "deleted")},
    }
