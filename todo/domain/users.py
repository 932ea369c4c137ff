"""Users: the owners of lists, who acts for them, and their local time."""

import secrets
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from todo.domain import weeks
from todo.domain.owned_secrets import END_OF_IDS
from todo.domain.time_zones import zone_of_region
from todo.errors import StorageUnavailable
from todo.errors.access import InvalidToken, SignedOut
from todo.storage.statements import Connection, values

FALLBACK_ZONE = "UTC"
STORED_TIME = "%Y-%m-%dT%H:%M:%SZ"
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DAY = len("2026-11-27")
FIRST_ID = 2**32  # random ids start here, so none is used twice; earlier versions counted from 1
OPENING_ATTEMPTS = 10  # each one lost means that another process opened or deleted the list meanwhile
MAX_CACHED_IDS = 20_000


def utc_now(offset: timedelta = timedelta()) -> str:
    """Returns the current time plus `offset` as STORED_TIME: UTC, to the second."""
    return _stored(int(time.time() + offset.total_seconds()))


@lru_cache(maxsize=16)
def _stored(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime(STORED_TIME)


@lru_cache(maxsize=1024)
def _local(time_zone: str, minute: int) -> str:
    return f"{datetime.fromtimestamp(minute * 60, ZoneInfo(time_zone)):%Y-%m-%dT%H:%M}"


def seconds_between(one: str, other: str) -> float:
    """Returns the seconds between two stored times, in any order."""
    return abs((datetime.strptime(one, STORED_TIME) - datetime.strptime(other, STORED_TIME)).total_seconds())


def weekday(day: str) -> str:
    """Returns the English weekday of a local date, or date and time."""
    return WEEKDAYS[date.fromisoformat(day[:DAY]).weekday()]


@lru_cache(maxsize=100)
def today(now: str) -> str:
    """Returns a local time's weekday and date, such as Sunday 2026-11-22."""
    return f"{weekday(now)} {now[:DAY]}"


class Owner(NamedTuple):
    """Whose list a call is about, and who is calling.

    The service key acts for a username. An assistant acts by a grant and a person by a session, both for a user id, as
    a username can pass to somebody else. Region, client and conversation are unverified hints from the host.
    """

    username: str
    region: str = ""
    actor: str = "operator"
    client: str = ""
    conversation: str = ""
    user_id: int | None = None
    grant_id: str | None = None
    session: str | None = None  # its hash

    def access_ended(self) -> Exception:
        """Returns the exception for a user, grant or session that no longer exists."""
        return SignedOut() if self.session else InvalidToken()

    @property
    def lane(self) -> int | str:
        """The key by which storage queues calls per list, so that one list cannot hold up others."""
        return self.user_id or self.username


class User(NamedTuple):
    """The owner of a list, with the list's counters. The id is 0 until the list is opened."""

    id: int  # random, never reused
    username: str
    stored_zone: str | None
    time_zone: str
    time_zone_guessed: bool
    region: str = ""  # as sent by the host, unverified
    last_todo_id: int = 0
    last_series: int = 0
    last_change_id: int = 0
    open_count: int = 0
    done_count: int = 0
    deleted_count: int = 0
    bytes: int = 0  # of the to-dos, the log and the stored responses
    profile_change_id: int = 0
    recent_adds: str = ""  # see recent_adds.py
    swept_on: str = ""  # the last UTC day on which all expired to-dos were purged
    stored_week_start: str | None = None
    last_list_id: int = 0
    archived_lists: int = 0

    @property
    def version(self) -> tuple[int, int]:
        """The version of the list: differs after every change, and for another user of the same name."""
        return self.id, self.last_change_id

    @classmethod
    def from_row(cls, row: Any, owner: Owner) -> "User":
        """Returns the user in a row with USER_COLUMNS; an unset time zone is guessed from the hints of `owner`."""
        user_id, username, zone, is_guessed, *counters = values(row)
        time_zone = zone or (owner.region and zone_of_region(owner.region)) or FALLBACK_ZONE
        return cls(user_id, username, zone, time_zone, bool(is_guessed), owner.region, *counters)

    @property
    def counts(self) -> dict[str, int]:
        """The number of to-dos by status."""
        return {"open": self.open_count, "done": self.done_count, "deleted": self.deleted_count}

    @property
    def week_start(self) -> str:
        """The first day of the week: as set, or as usual in the region or the time zone's country."""
        return self.stored_week_start or weeks.start_in(self.region, self.time_zone)

    def local_time(self) -> datetime:
        """Returns the user's local date and time, with the time zone."""
        return datetime.now(ZoneInfo(self.time_zone))

    def local_of(self, stored: str) -> datetime:
        """Returns a stored time as the user's local date and time, with the time zone."""
        return datetime.strptime(stored, STORED_TIME).replace(tzinfo=UTC).astimezone(ZoneInfo(self.time_zone))

    def local_now(self) -> str:
        """Returns the user's local time to the minute, such as 2026-11-27T18:00."""
        return _local(self.time_zone, int(time.time()) // 60)

    def day(self, day: str) -> tuple[str, str]:
        """Returns the start of a local day and of the next, as stored."""
        start = datetime.fromisoformat(day)
        return self.stored(start), self.stored(start + timedelta(days=1))

    def stored(self, local: datetime) -> str:
        """Returns a local time as stored: UTC, to the second."""
        return local.replace(tzinfo=ZoneInfo(self.time_zone)).astimezone(UTC).strftime(STORED_TIME)

    def local_minute(self, stored: str) -> str:
        """Returns a stored time in the user's zone, to the minute, such as 2026-11-27T18:00."""
        return f"{datetime.fromisoformat(stored).astimezone(ZoneInfo(self.time_zone)):%Y-%m-%dT%H:%M}"


def find(connection: Connection, owner: Owner) -> User:
    """Returns the owner's user, without opening a list. Raises InvalidToken or SignedOut if the user is deleted."""
    key = (owner.user_id or owner.username, owner.region)
    user: User | None = connection.unchanged(key, lambda: _stored_user(connection, owner))
    if user is None and owner.user_id:
        raise owner.access_ended()
    return user or User.from_row((0, owner.username, None, True), owner)


def _stored_user(connection: Connection, owner: Owner) -> User | None:
    if owner.user_id is None:
        row = _named(connection.user_by_id, connection, owner.username)
    else:
        row = connection.user_by_id(user_id=owner.user_id)
    return User.from_row(row, owner) if row else None


def lock(connection: Connection, owner: Owner) -> User:
    """Returns the owner's user, locked until the write ends; for the service key, opens the list if needed.

    Every write starts here, so that locks are taken in one order. Raises InvalidToken or SignedOut if the user, grant
    or session has ended since the caller was authenticated.
    """
    if owner.user_id is None:
        return open_list(connection, owner)
    row = connection.lock_user_by_id(user_id=owner.user_id)
    if row is None or not _is_authentic(connection, owner):
        raise owner.access_ended()
    return User.from_row(row, owner)


def locked_id(connection: Connection, username: str) -> int | None:
    """Returns the id of the user with this name, locked, or None if there is none."""
    row = _named(connection.lock_user_by_id, connection, username)
    return row["id"] if row else None


def open_list(connection: Connection, owner: Owner, time_zone: str | None = None) -> User:
    """Returns the user with this name, locked; creates one if there is none, with a guessed time zone unless given."""
    for _ in range(OPENING_ATTEMPTS):
        row = _named(connection.lock_user_by_id, connection, owner.username) or _open(connection, owner, time_zone)
        if row:
            return User.from_row(row, owner)
    raise StorageUnavailable  # others open and delete this list over and over


_ids: dict[str, int] = {}  # of the users last seen, by name


def _named(find_by_id: Callable[..., Any], connection: Connection, username: str) -> Any:
    """Returns the row that a statement finds by the id of the user with this name, or None.

    A cached id is right if its row has the name: neither changes, and both end together. If it is not, or the user was
    deleted meanwhile, the name is looked up.
    """
    user_id = _ids.get(username)
    row = user_id and find_by_id(user_id=user_id)
    if row and row["username"] == username:
        return row
    found = connection.user_id_of(username=username)
    row = found and find_by_id(user_id=found["user_id"])
    if row:
        if len(_ids) >= MAX_CACHED_IDS:
            _ids.clear()
        _ids[username] = row["id"]
    return row


def _open(connection: Connection, owner: Owner, time_zone: str | None) -> Any:
    """Returns the row of a new user, or None if another call has just taken the name."""
    user_id = FIRST_ID + secrets.randbelow(END_OF_IDS - FIRST_ID)
    if connection.take_username(username=owner.username, user_id=user_id) is None:
        return None
    return connection.open_user(
        user_id=user_id,
        username=owner.username,
        time_zone=time_zone or zone_of_region(owner.region),
        time_zone_guessed=time_zone is None,
        now=utc_now(),
    )


def _is_authentic(connection: Connection, owner: Owner) -> bool:
    """Whether the grant or session that authenticated the owner still exists."""
    if owner.grant_id:
        return connection.grant_by_id(user_id=owner.user_id, id=owner.grant_id) is not None
    return connection.session_by_hash(user_id=owner.user_id, hash=owner.session) is not None
