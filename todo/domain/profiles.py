"""Profiles: the owner's time zone, week, local time and to-do counts."""

from functools import cache
from typing import Any
from zoneinfo import available_timezones

import orjson

from todo.domain import lists, users
from todo.domain.changeset import Changeset
from todo.domain.open_counts import OpenCounts
from todo.domain.records import PROFILE_KEY
from todo.domain.users import Owner, User, weekday
from todo.errors import InvalidRequest
from todo.storage.statements import Connection

JSON = dict[str, Any]


def show(connection: Connection, owner: Owner) -> JSON:
    """Returns the owner's profile, also for a list that has not been opened yet."""
    return _profile(connection, users.find(connection, owner))


def update(connection: Connection, owner: Owner, time_zone: str | None = None, week_start: str | None = None) -> JSON:
    """Sets what is given and returns the profile. Raises InvalidRequest if that is nothing or no IANA time zone."""
    if not time_zone and not week_start:
        raise InvalidRequest.of("time_zone", "is required, unless week_start is given")
    if time_zone and time_zone not in time_zones():
        raise InvalidRequest.of("time_zone", "must be an IANA time zone name, such as America/Los_Angeles")
    changeset = Changeset(connection, owner)
    given: JSON = {"time_zone": time_zone, "time_zone_guessed": False} if time_zone else {}
    given |= {"week_start": week_start} if week_start else {}
    changeset.put("update", PROFILE_KEY, changeset.profile._replace(**given))
    changed = {"change_id": changeset.change_id} if changeset.commit() else {}
    return _profile(connection, users.find(connection, owner)) | changed


@cache
def time_zones() -> list[str]:
    """Returns all IANA time zone names, sorted."""
    return sorted(available_timezones() - {"Factory"})  # a placeholder for machines without a configured zone


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
    """Returns the counts, lists and tags, which are cached: to count them reads every open to-do."""
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
    """Returns how many to-dos there are by status, without those of archived lists but in the trash."""
    hidden = connection.count_archived_done(user_id=user.id)["done"] if archived else 0
    opened, overdue = (
        sum(number for list_id, number in count.items() if list_id not in archived)
        for count in (counts.open, counts.overdue)
    )
    return {"open": opened, "overdue": overdue, "done": user.done_count - hidden, "deleted": user.deleted_count}
