"""Profiles: the owner's time zone, week, local time and to-do counts."""

from functools import cache
from typing import Any
from zoneinfo import available_timezones

import orjson

from todo.domain import lists, users
from todo.domain.changeset import Changeset
from todo.domain.kinds.profiles import PROFILE_KEY
from todo.domain.open_counts import OpenCounts
from todo.domain.users import Owner, User, weekday
from todo.errors import InvalidRequest
from todo.storage.statements import Connection

JSON = dict[str, Any]


def show(connection: Connection, owner: Owner) -> JSON:
    """Returns the owner's profile, even if the list has not been opened yet."""
    return _profile(connection, users.find(connection, owner))


def update(connection: Connection, owner: Owner, time_zone: str | None = None, week_start: str | None = None) -> JSON:
    """Sets what is given and returns the profile. Raises InvalidRequest for nothing, or an unknown time zone."""
    if not time_zone and not week_start:
        raise InvalidRequest.of("time_zone", "is required, unless week_start is given")
    if time_zone:
        _require_zone(time_zone)
    given: JSON = {"time_zone": time_zone, "time_zone_guessed": False} if time_zone else {}
    given |= {"week_start": week_start} if week_start else {}
    changeset = _put(connection, owner, given)
    changed = {"change_id": changeset.change_id} if changeset.commit() else {}
    return _profile(connection, users.find(connection, owner)) | changed


def settle(connection: Connection, owner: Owner, time_zone: str, week_start: str | None) -> None:
    """Sets the time zone and the first day of the week, by default the usual one there. Raises InvalidRequest."""
    _require_zone(time_zone)
    given = {"time_zone": time_zone, "time_zone_guessed": False, "week_start": week_start}
    _put(connection, owner, given).commit()


def take_zone(connection: Connection, owner: Owner, time_zone: str) -> None:
    """Sets the time zone that the person's browser reports, if the current one is only a guess. Raises SignedOut."""
    if users.lock(connection, owner).time_zone_guessed and time_zone in time_zones():
        _put(connection, owner, {"time_zone": time_zone, "time_zone_guessed": False}).commit()


def known_zone(name: str | None) -> str | None:
    """Returns the name if it is an IANA time zone, else None."""
    return name if name in time_zones() else None


@cache
def time_zones() -> list[str]:
    """Returns all IANA time zone names, sorted."""
    return sorted(available_timezones() - {"Factory"})  # a placeholder for machines without a configured zone


def _require_zone(name: str) -> None:
    if name not in time_zones():
        raise InvalidRequest.of("time_zone", "must be an IANA time zone name, such as America/Los_Angeles")


def _put(connection: Connection, owner: Owner, given: JSON) -> Changeset:
    """Returns a changeset with these fields of the profile."""
    changeset = Changeset(connection, owner)
    changeset.put("update", PROFILE_KEY, changeset.profile._replace(**given))
    return changeset


def _profile(connection: Connection, user: User) -> JSON:
    now = user.local_now()
    return {
        "username": user.username,
        "time_zone": user.time_zone,
        "time_zone_guessed": user.time_zone_guessed,
        "local_now": now,
        "weekday": weekday(now),
        "week_start": user.week_start,
        **_contents(connection, user, now),
    }


def _contents(connection: Connection, user: User, now: str) -> JSON:
    """Returns the counts, lists and tags, cached because counting reads every open to-do."""
    key = ("contents", user.version, now)
    text = connection.cache.get(key)
    if text is not None:
        return dict(orjson.loads(text))
    every = lists.all_of(connection, user)
    archived = lists.archived_ids(every)
    counts = OpenCounts.of(connection, user, archived)
    contents = {
        "counts": _counts(connection, user, counts, archived),
        "lists": lists.describe(every, counts),
        **counts.shown_tags(),
    }
    connection.cache.put(key, orjson.dumps(contents).decode())
    return contents


def _counts(connection: Connection, user: User, counts: OpenCounts, archived: set[int]) -> JSON:
    """Returns the number of to-dos by status, without those in archived lists, except in the trash."""
    hidden = connection.count_archived_done(user_id=user.id)["done"] if archived else 0
    opened, overdue = (
        sum(number for list_id, number in count.items() if list_id not in archived)
        for count in (counts.open, counts.overdue)
    )
    return {"open": opened, "overdue": overdue, "done": user.done_count - hidden, "deleted": user.deleted_count}
