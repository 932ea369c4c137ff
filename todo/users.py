"""Whose list it is, and what time it is there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from todo.errors import InvalidRequest
from todo.regions import zone_of_region
from todo.storage.engine import Connection

FALLBACK_ZONE = "UTC"


def utc_now() -> str:
    """Returns the time as it is stored: UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Owner:
    """Whose list a call is about: a username, and the region that the host says the person is in, if it does."""

    username: str
    region: str = ""


@dataclass(frozen=True)
class User:
    """The owner of a list. One that has not been opened yet has the id 0, which no to-do has."""

    id: int
    username: str
    time_zone: str
    time_zone_guessed: bool

    @classmethod
    def from_row(cls, row: Mapping[str, Any], owner: Owner) -> "User":
        zone = row["time_zone"] or zone_of_region(owner.region) or FALLBACK_ZONE
        return cls(row["id"], row["username"], zone, bool(row["time_zone_guessed"]))

    def local_now(self) -> datetime:
        """Returns the date and time where the user is."""
        return datetime.now(ZoneInfo(self.time_zone))


def find(connection: Connection, owner: Owner) -> User:
    """Returns the owner's user without opening a list."""
    row = connection.user_by_username(username=owner.username)
    unopened = {"id": 0, "username": owner.username, "time_zone": None, "time_zone_guessed": True}
    return User.from_row(row or unopened, owner)


def open_list(connection: Connection, owner: Owner) -> User:
    """Returns the owner's user, locked until the write ends. The first write opens the list and keeps the guess."""
    row = connection.open_user(
        username=owner.username, time_zone=zone_of_region(owner.region), time_zone_guessed=True, now=utc_now()
    )
    return User.from_row(row, owner)


def set_time_zone(connection: Connection, owner: Owner, time_zone: str) -> User:
    """Returns the user with the zone set for good. Raises InvalidRequest when IANA knows no such zone."""
    if time_zone not in available_timezones():
        raise InvalidRequest.of("time_zone", "must be an IANA time zone name, such as America/Los_Angeles")
    user = open_list(connection, owner)
    row = connection.set_time_zone(user_id=user.id, time_zone=time_zone, time_zone_guessed=False)
    return User.from_row(row, owner)


def forget(connection: Connection, owner: Owner) -> bool:
    """Deletes the user with every to-do, the trash included; returns whether there was one."""
    user = find(connection, owner)
    connection.delete_todos_of_user(user_id=user.id)
    return bool(connection.delete_user(user_id=user.id))
