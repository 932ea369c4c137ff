"""Profiles: the owner's time zone, local time and to-do counts."""

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from todo.domain import users
from todo.domain.changeset import Changeset
from todo.domain.records import PROFILE_KEY
from todo.domain.users import DAY, Owner, User, weekday
from todo.errors import InvalidRequest
from todo.storage.statements import Connection

JSON = dict[str, Any]


def show(connection: Connection, owner: Owner) -> JSON:
    """Returns the owner's profile, also for a list that has not been opened yet."""
    return _profile(connection, users.find(connection, owner))


def update(connection: Connection, owner: Owner, time_zone: str) -> JSON:
    """Sets the time zone and returns the profile. Raises InvalidRequest for an unknown IANA name."""
    if time_zone not in time_zones():
        raise InvalidRequest.of("time_zone", "must be an IANA time zone name, such as America/Los_Angeles")
    changeset = Changeset(connection, owner)
    changeset.put("update", PROFILE_KEY, changeset.profile._replace(time_zone=time_zone, time_zone_guessed=False))
    changed = {"change_id": changeset.change_id} if changeset.commit() else {}
    return _profile(connection, users.find(connection, owner)) | changed


@cache
def time_zones() -> list[str]:
    """Returns all IANA time zone names, sorted."""
    return sorted(available_timezones() - {"Factory"})  # a placeholder for machines without a configured zone


def _profile(connection: Connection, user: User) -> JSON:
    now = user.local_now()
    overdue = connection.count_overdue(user_id=user.id, now=now, today=now[:DAY])["overdue"]
    return {
        "username": user.username,
        "time_zone": user.time_zone,
        "time_zone_guessed": user.time_zone_guessed,
        "local_now": now,
        "weekday": weekday(now),
        "counts": {**user.counts, "overdue": overdue},
    }
